# SPDX-License-Identifier: Apache-2.0
"""Targets: the recorder's configuration and command line."""

import json
from typing import TYPE_CHECKING, Any

from tests.fuzz.recordings import must_be_clean
from ttyscribe_formats import jsonc
from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import config, options
from ttyscribe_recorder.names import REC, SESSION, TLOG_SESSION, Name

if TYPE_CHECKING:
    from ttyscribe_formats.jsonc import Entry
    from ttyscribe_recorder.options import Value

_PATH = "/etc/f.conf"
_MAX_DEPTH = 30


def jsonc_text(data: bytes) -> None:
    """Any text as JSON with comments: what the standard library reads is read as the same."""
    text = data.decode("utf-8", "surrogatepass") if data.isascii() else data.decode("utf-8", "replace")
    try:
        found = plain(jsonc.parse(text, _PATH))
    except ConfigError as error:
        _is_clean(error, text.count("\n"))
        found = error
    try:
        wanted = json.loads(text, parse_constant=_refuse, parse_int=_number)
    except (ValueError, RecursionError):
        return
    if _depth(wanted) <= _MAX_DEPTH:
        assert not isinstance(found, ConfigError), found
        assert found == wanted


def plain(entry: "Entry") -> Any:
    """The value without lines."""
    if isinstance(entry.value, dict):
        return {key: plain(value) for key, value in entry.value.items()}
    if isinstance(entry.value, list):
        return [plain(value) for value in entry.value]
    return entry.value


def _refuse(word: str) -> float:
    raise ValueError(word)


def _number(digits: str) -> float:
    return int(digits) if len(digits.lstrip("-")) < 20 else float(digits)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def configuration(data: bytes) -> None:
    """A configuration file: one error with its line, or values that are printed and read as the same."""
    for name in (REC, SESSION, TLOG_SESSION):
        values = options.defaults(name)
        try:
            config.merge(name, values, data, _PATH)
        except ConfigError as error:
            _is_clean(error, data.count(b"\n"))
            continue
        try:
            config.check(values)
        except ConfigError as error:
            must_be_clean(error)
        _is_printed(name, values)


def _is_printed(name: Name, values: "dict[str, Value]") -> None:
    printed = json.loads(config.to_json(name, values, ["a"]))
    assert printed.pop("args") == ["a"]
    again = options.defaults(name)
    config.merge(name, again, json.dumps(printed).encode(), _PATH)
    assert {option.key: again[option.key] for option in options.keys(name)} == {
        option.key: values[option.key] for option in options.keys(name)
    }


def _is_clean(error: ConfigError, newlines: int) -> None:
    assert error.path == _PATH
    assert 1 <= error.line <= newlines + 1
    must_be_clean(error)


def arguments(data: bytes) -> None:
    """A command line, a word between NULs: one error, or values of the right types."""
    words = [word.decode("utf-8", "surrogateescape") for word in data.split(b"\0")]
    for name in (REC, SESSION):
        try:
            found = options.parse(words, name)
        except ConfigError as error:
            must_be_clean(error)
            continue
        assert found.command == words[len(words) - len(found.command) :]
        table = {option.key: option for option in options.OPTIONS}
        for key, value in found.values.items():
            option = table[key]
            assert type(value) is {"str": str, "int": int, "bool": bool, "flag": bool}[option.kind]
            assert not option.choices or value in option.choices
            assert not isinstance(value, int) or value >= option.minimum
