# SPDX-License-Identifier: Apache-2.0
"""The configuration that holds: defaults, the file, the environment, the command line, each over the one before."""

import os
from _json import encode_basestring_ascii

from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import options
from ttyscribe_recorder.writers.base import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ttyscribe_recorder.jsonc import Entry
    from ttyscribe_recorder.names import Name
    from ttyscribe_recorder.options import Option, Value

_MAX_FILE = 1 << 20
_KINDS = {"str": (str, "a text"), "int": (int, "a whole number"), "bool": (bool, "true or false")}


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
    from ttyscribe_recorder.jsonc import parse

    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", path, data.count(b"\n", 0, error.start) + 1) from None
    root = parse(text, path)
    if not isinstance(root.value, dict):
        raise ConfigError("needs to be an object: { … }", path, root.line)
    table = {option.key: option for option in options.keys(name)}
    _merge_object(table, values, root.value, "", path)


def _merge_object(
    table: "dict[str, Option]", values: "dict[str, Value]", entries: "dict[str, Entry]", prefix: str, path: str
) -> None:
    for key, entry in entries.items():
        full = prefix + key
        option = table.get(full) if "." not in key else None
        if option is not None:
            if entry.value is not None:
                values[full] = _value(option, entry, path)
        elif "." in key or not any(known.startswith(f"{full}.") for known in table):
            raise ConfigError(f"unknown key {full!r}", path, entry.line)
        elif isinstance(entry.value, dict):
            _merge_object(table, values, entry.value, f"{full}.", path)
        elif entry.value is not None:
            raise ConfigError(f"{full}: needs to be an object: {{ … }}", path, entry.line)


def _value(option: "Option", entry: "Entry", path: str) -> "Value":
    kind, words = _KINDS[option.kind]
    value = entry.value
    if type(value) is not kind:
        raise ConfigError(f"{option.key}: needs {words}, not {_describe(value)}", path, entry.line)
    assert isinstance(value, str | int)  # noqa: S101 # for the type checker: the kinds are these
    try:
        return value if isinstance(value, bool) else options.convert(option, str(value), option.key)
    except ConfigError as error:
        raise ConfigError(str(error), path, entry.line) from None


def _describe(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def to_json(name: "Name", values: "dict[str, Value]", command: list[str]) -> str:
    """What --configuration prints: every key as JSON, and the command as `args`."""
    groups: dict[str, list[str]] = {}
    for option in options.keys(name):
        above, _, last = option.key.rpartition(".")
        members = groups.setdefault(above, [])
        value = values[option.key]
        if value != "" or option.key != "file.path":
            members.append(f"{_text(last)}: {_scalar(value)}")
    members = groups.pop("")
    for group, inner in groups.items():
        members.append(f"{_text(group)}: {{" + ",".join(f"\n    {member}" for member in inner) + "\n  }")
    members.append(f'"args": [{", ".join(map(_text, command))}]')
    return "{" + ",".join(f"\n  {member}" for member in members) + "\n}"


def _text(text: str) -> str:
    return encode_basestring_ascii(text)


def _scalar(value: "Value") -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _text(value)
