# SPDX-License-Identifier: Apache-2.0
"""The player's settings that hold: defaults, the configuration file, the command line, each over the one before."""

import argparse
import os

from ttyscribe_formats import settings
from ttyscribe_formats.errors import ConfigError
from ttyscribe_player.names import Name
from ttyscribe_player.options import OPTIONS, attribute, convert, keys

_MAX_FILE = 1 << 20


def complete(given: argparse.Namespace, name: Name) -> argparse.Namespace:
    """The command line, with what the file and the defaults say of the rest. Raises ConfigError."""
    values = {option.key: option.default for option in OPTIONS}
    merge_file(values, name)
    made = argparse.Namespace(**{attribute(option): values[option.key] for option in OPTIONS})
    made.store_given = "store" in given
    for key, value in vars(given).items():
        setattr(made, key, value)
    return made


def merge_file(values: dict[str, object], name: Name) -> None:
    """Merge the program's configuration file, if it is there."""
    path = name.configuration
    try:
        # A FIFO must not hang a player.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb") as file:
            data = file.read(_MAX_FILE + 1) or b""
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}", path) from None
    if len(data) > _MAX_FILE:
        raise ConfigError("is larger than 1 MiB", path)
    settings.merge({option.key: option for option in keys(name)}, values, data, path, convert)


def to_json(options: argparse.Namespace, name: Name) -> str:
    """What --configuration prints."""
    values = {option.key: getattr(options, attribute(option)) for option in keys(name)}
    wanted = [key for key, value in values.items() if value not in ("", None)]
    args = ", ".join(settings.quote(word) for word in [options.recording] if word)
    return settings.to_json(wanted, values, [("args", f"[{args}]")])
