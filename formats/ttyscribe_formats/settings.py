# SPDX-License-Identifier: Apache-2.0
"""Configuration as JSON with comments, against a program's table of options; pure.

Keys are written with dots in the table (`limit.rate`) and as objects inside each other in the file. What the file gives
is merged over what holds already: null changes nothing, a key that the table does not have is an error.
"""

from _json import encode_basestring_ascii

from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.jsonc import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Protocol, TypeVar

    from ttyscribe_formats.jsonc import Entry

    Value = str | int | float | bool

    class Option(Protocol):
        """What is to be known of a key."""

        @property
        def key(self) -> str:
            """Its name, with dots."""

        @property
        def kind(self) -> str:
            """`str`, `int`, `float` or `bool`."""

    Row = TypeVar("Row", bound=Option)
    Convert = Callable[[Row, str, str], Any]
    """Takes an option, its value as text, and its name for errors; gives the value or raises ConfigError."""

_KINDS = {
    "str": ((str,), "a text"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
}


def merge(
    table: "Mapping[str, Row]", values: "dict[str, Any]", data: bytes, path: str, convert: "Convert[Row]"
) -> None:
    """Merge JSON text into the values by key. Raises ConfigError that names file, line and key."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", path, data.count(b"\n", 0, error.start) + 1) from None
    root = parse(text, path)
    if not isinstance(root.value, dict):
        raise ConfigError("needs to be an object: { … }", path, root.line)
    _merge_object(table, values, root.value, "", path, convert)


def _merge_object(
    table: "Mapping[str, Row]",
    values: "dict[str, Any]",
    entries: "dict[str, Entry]",
    prefix: str,
    path: str,
    convert: "Convert[Row]",
) -> None:
    for key, entry in entries.items():
        full = prefix + key
        option = table.get(full) if "." not in key else None
        if option is not None:
            if entry.value is not None:
                values[full] = _value(option, entry, path, convert)
        elif "." in key or not any(known.startswith(f"{full}.") for known in table):
            raise ConfigError(f"unknown key {full!r}", path, entry.line)
        elif isinstance(entry.value, dict):
            _merge_object(table, values, entry.value, f"{full}.", path, convert)
        elif entry.value is not None:
            raise ConfigError(f"{full}: needs to be an object: {{ … }}", path, entry.line)


def _value(option: "Row", entry: "Entry", path: str, convert: "Convert[Row]") -> "Value":
    kinds, words = _KINDS[option.kind]
    value = entry.value
    if type(value) not in kinds:
        raise ConfigError(f"{option.key}: needs {words}, not {_describe(value)}", path, entry.line)
    assert isinstance(value, str | int | float)  # noqa: S101 # for the type checker: the kinds are these
    try:
        found: Value = value if isinstance(value, bool) else convert(option, str(value), option.key)
    except ConfigError as error:
        raise ConfigError(str(error), path, entry.line) from None
    return found


def _describe(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def to_json(keys: "Iterable[str]", values: "Mapping[str, Any]", more: "Iterable[tuple[str, str]]" = ()) -> str:
    """The values of these keys as JSON; `more` are members whose values are JSON text already."""
    groups: dict[str, list[str]] = {"": []}
    for key in keys:
        above, _, last = key.rpartition(".")
        groups.setdefault(above, []).append(f"{quote(last)}: {_scalar(values[key])}")
    members = groups.pop("")
    for group, inner in groups.items():
        members.append(f"{quote(group)}: {{" + ",".join(f"\n    {member}" for member in inner) + "\n  }")
    members += [f"{quote(name)}: {text}" for name, text in more]
    return "{" + ",".join(f"\n  {member}" for member in members) + "\n}"


def quote(text: str) -> str:
    """A text as JSON."""
    return encode_basestring_ascii(text)


def _scalar(value: "Value") -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote(value) if isinstance(value, str) else repr(value)
