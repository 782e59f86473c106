# SPDX-License-Identifier: Apache-2.0
"""The configuration file: TOML, a key for each option of the program (`table.py`), its underscores for hyphens.

::

    protocol = "omprog"
    output = "https://search:9200"
    spool = "/var/spool/ttyscribe"
    trusted_uid = [0, 994]
"""

import argparse
import difflib
from typing import Any, NamedTuple

from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.viaq.toml_lines import line_of, tables_of
from ttyscribe_normalizers.table import KEYS, OPTIONS, Option

_ALL = {option.key for option in OPTIONS}


class File(NamedTuple):
    """What a configuration file says, and how to speak of it."""

    path: str = ""
    text: str = ""
    values: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it

    def error(self, key: str, problem: str) -> ConfigError:
        """The error of one of its keys."""
        return ConfigError(f"{key}: {problem}", self.path, line_of(self.text, (key,)))


def text_of(path: str) -> str:
    """A configuration file's text. Raises ConfigError."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"can't read the configuration: {reason}", path) from None


def read(path: str) -> File:
    """The file's options, converted. Raises ConfigError with the line and the key of what is wrong."""
    text = text_of(path)
    found = File(path, text)
    for key, value in tables_of(text, path).items():
        if key not in KEYS:
            raise found.error(key, _unknown(key))
        try:
            found = found._replace(values=found.values | {key: _value(KEYS[key], value)})
        except argparse.ArgumentTypeError as error:
            raise found.error(key, str(error)) from None
    return found


def _unknown(key: str) -> str:
    if key.replace("-", "_") in KEYS:
        return f"unknown: write {key.replace('-', '_')}"
    if key.replace("-", "_") in _ALL:
        return "not for the file: give it on the command line"
    near = difflib.get_close_matches(key, KEYS, 1)
    return f"unknown: is it {near[0]}?" if near else f"unknown (wanted: {', '.join(KEYS)})"


def _value(option: Option, value: Any) -> Any:
    if option.is_switch:
        if not isinstance(value, bool):
            raise argparse.ArgumentTypeError(f"{value!r} is neither true nor false")
        return value
    if not option.many:
        return _single(option, value)
    return tuple(_single(option, one) for one in (value if isinstance(value, list) else [value]))


def _single(option: Option, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise argparse.ArgumentTypeError(f"{value!r} is no {'list of texts or numbers' if option.many else 'text'}")
    if option.choices and value not in option.choices:
        raise argparse.ArgumentTypeError(f"{value!r} is unknown (wanted: {', '.join(option.choices)})")
    return option.convert(str(value))
