# SPDX-License-Identifier: Apache-2.0
"""The configuration that holds: defaults, the file, the environment, the command line, each over the one before."""

import os

from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import options
from ttyscribe_recorder.writers.base import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ttyscribe_recorder.names import Name
    from ttyscribe_recorder.options import Value

_MAX_FILE = 1 << 20


def load(name: "Name", environment: dict[bytes, bytes], *, trusted: bool) -> "dict[str, Value]":
    """All values before the command line. Raises ConfigError that names file, line and key.

    `trusted` says whether configuration in the environment counts without leave of the file.
    """
    values = options.defaults(name)
    by_root = _merge_file(name, values, name.configuration, required=False)
    if not trusted:
        trusted = by_root and values["trust_environment"] is True
    if trusted:
        path, text = (environment.get(f"{name.variable}_{what}".encode()) for what in ("FILE", "TEXT"))
        if path:
            _merge_file(name, values, os.fsdecode(path), required=True)
        if text:
            merge(name, values, text, f"${name.variable}_TEXT")
    values["trust_environment"] = name.session and trusted
    return values


def check(values: "dict[str, Value]") -> None:
    """Raise ConfigError where values that are right each by itself don't fit together."""
    if values["limit.action"] == "delay" and not values["limit.rate"]:
        raise ConfigError("limit.rate 0 with limit.action delay would stop the session for ever: set a rate")


def _merge_file(name: "Name", values: "dict[str, Value]", path: str, *, required: bool) -> bool:
    """Merge the file at `path`; whether it is there, belongs to root and is writable by nobody else."""
    try:
        # A FIFO must not hang a login.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            about = os.fstat(fd)
            data = file.read(_MAX_FILE + 1) or b""
    except (FileNotFoundError, NotADirectoryError) as error:
        if required:
            raise ConfigError(f"can't be read: {reason(error)}", path) from None
        return False
    except OSError as error:
        raise ConfigError(f"can't be read: {reason(error)}", path) from None
    if len(data) > _MAX_FILE:
        raise ConfigError("is larger than 1 MiB", path)
    merge(name, values, data, path)
    return about.st_uid == 0 and not about.st_mode & 0o022


def merge(name: "Name", values: "dict[str, Value]", data: bytes, path: str) -> None:
    """Merge JSON text into the values. null changes nothing; an unknown key is an error."""
    from ttyscribe_formats import settings

    settings.merge({option.key: option for option in options.keys(name)}, values, data, path, options.convert)


def to_json(name: "Name", values: "dict[str, Value]", command: list[str]) -> str:
    """What --configuration prints: every key as JSON, and the command as `args`."""
    from ttyscribe_formats.settings import quote, to_json

    keys = [option.key for option in options.keys(name)]
    return to_json(keys, values, [("args", f"[{', '.join(map(quote, command))}]")])
