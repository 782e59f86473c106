# SPDX-License-Identifier: Apache-2.0
"""aushape's JSON: audit events, each by itself, in documents (arrays), or one behind another.

docs/formats/aushape.md describes it. One broken event never takes the others with it: `read` gives each event, and
what is none as the text that it is.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ttyscribe_formats import auditline, identity, strictjson, timestamp
from ttyscribe_formats.auditrecord import Record, Value, from_line, text_of
from ttyscribe_formats.errors import MessageError

KEYS = ("serial", "time", "node", "trimmed", "error", "text", "data", "norm")
"""An event's keys in the order in which they are written."""
MAX_NAME = 128
"""Characters of the name of a record type or field."""
_MS = 1_000_000
_new = tuple.__new__
_MOST_BROKEN = 64
"""Pieces of one message that are no event; what is behind them is one more, however much it holds."""

_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_EMPTY = re.compile(r"\[(?:\s|#01[125])*\]\s*")
_EVENT = re.compile(r'\{\s*"serial"\s*:')
_ESCAPED_BLANK = re.compile(r'("(?:[^"\\]|\\.)*"?)|#01[125]')
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_APART = re.compile(r"[ \t\r\n]:")


class Event(NamedTuple):
    """One audit event."""

    fields: dict[str, Any]
    """Everything, as it was; of a name that stands more than once in a record a list of its values."""
    serial: int
    time_ns: int
    node: str
    text: str
    """As it was written; empty where that is not known."""


class Broken(NamedTuple):
    """A piece that is no event."""

    text: str
    reason: str


def looks_like(text: str) -> bool:
    """Tell at a glance whether a text may hold events, whatever shipper has written it anew."""
    return text[:1] in "{[" and '"serial"' in text and '"time"' in text


def is_empty(text: str) -> bool:
    """Tell whether a text is a document without events, as converters write for an input that has none."""
    return _EMPTY.fullmatch(text) is not None


def begins_one(text: str) -> bool:
    """Tell whether a text begins as the converter itself begins an event or a document."""
    return _EVENT.match(_BETWEEN.sub("", text[:64], count=1)) is not None


def of_values(values: Sequence[Any], text: str) -> list[Event] | None:
    """Events of parsed values, at speed; none where one is broken, or the parser may have lost some of the text."""
    events = []
    count = 0
    try:
        for value in values:
            event = checked(value)
            if event.fields.keys() - _KNOWN:
                return None
            count += _count(event.fields)
            events.append(event)
    except MessageError:
        return None
    # A name that stood twice has left one. What else looks like a name's end is in a string, and only costs speed.
    return events if count == text.count('":') and _APART.search(text) is None else None


_KNOWN = frozenset(KEYS)


def _count(fields: dict[str, Any]) -> int:
    data, norm = fields.get("data"), fields.get("norm")
    count = len(fields) + (len(norm) if norm else 0)
    for record in data.values() if data else ():
        count += 1
        if type(record) is dict:
            count += len(record)
        else:
            count += sum([len(item) for item in record if type(item) is dict])
    return count


def read(text: str) -> list[Event | Broken]:
    """Every event of a message, in order, and what is none. Nothing of the text is left out but what joins them."""
    if "#01" in text:  # rsyslog's form of blanks that can't stand in a string
        text = _ESCAPED_BLANK.sub(lambda match: match[1] or " ", text)
    return list(_pieces(text))


def _pieces(text: str) -> Iterator[Event | Broken]:
    place, broken = _behind(text, 0), 0
    while place < len(text):
        try:
            value, after = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            broken += 1
            follows = None if broken >= _MOST_BROKEN else _EVENT.search(text, place + 1)
            after = follows.start() if follows else len(text)
            reason = "nested too deep" if isinstance(error, RecursionError) else str(error)[:200]
            yield Broken(text[place:after].rstrip(", \t\r\n"), f"not JSON: {reason}")
        else:
            yield _event(value, text[place:after])
        place = _behind(text, after)


def _behind(text: str, place: int) -> int:
    """Where the next piece begins."""
    match = _BETWEEN.match(text, place)
    return match.end() if match else place


def _event(value: Any, text: str) -> Event | Broken:
    try:
        return checked(value)._replace(text=text)
    except MessageError as error:
        return Broken(text, str(error))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a name that stands more than once the list of its values."""
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    values: dict[str, list[Any]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found if len(found) > 1 else found[0] for name, found in values.items()}


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=strictjson.finite, parse_constant=strictjson.finite)


def checked(fields: Any) -> Event:
    """An event of its parsed fields. Raises MessageError where its shape is not that of one."""
    if type(fields) is not dict:
        raise MessageError("no audit event: no JSON object")
    serial, time = fields.get("serial"), fields.get("time")
    if type(serial) is not int or not 0 <= serial <= auditline.MAX_SERIAL:
        raise MessageError("no audit event: the serial is no number of 64 bit")
    if type(time) is not str:
        raise MessageError("no audit event: it has no time")
    node = fields.get("node", "")
    if type(node) is not str or type(fields.get("error", "")) is not str:
        raise MessageError("no audit event: node or error is no text")
    if not _are_texts(fields.get("text", [])) or not _are_texts(fields.get("trimmed", [])):
        raise MessageError("no audit event: text or trimmed is no list of texts")
    data, norm = fields.get("data", {}), fields.get("norm", {})
    if type(data) is not dict or type(norm) is not dict:
        raise MessageError("no audit event: data or norm is no object")
    for name, record in data.items():
        if not _is_name(name) or not _is_record(record):
            raise MessageError(f"no audit event: {name[:64]!r} is no audit record")
    if not all(_is_name(name) and _is_value(value, 2) for name, value in norm.items()):
        raise MessageError("no audit event: norm is not what it should be")
    if fields.keys() - _KNOWN and not strictjson.is_shallow(fields):
        raise MessageError("no audit event: nested too deep")
    return Event(fields, serial, timestamp.parse(time), node, "")


def _are_texts(value: Any) -> bool:
    return type(value) is list and all(type(item) is str for item in value)


@lru_cache(maxsize=4096)
def _is_name(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME and name.isprintable()


def _is_record(record: Any) -> bool:
    """Fields; or a list of such, or of texts (EXECVE's arguments)."""
    if type(record) is dict:
        for name, value in record.items():
            if type(value) is not list or not _is_name(name):
                return False
            for item in value:
                if type(item) is not str and not _is_value(item, 1):
                    return False
        return True
    if type(record) is list:
        return all(type(item) is str or (type(item) is dict and _is_record(item)) for item in record)
    return False


def _is_value(value: Any, depth: int) -> bool:
    """A list of texts, or of such lists."""
    if type(value) is not list:
        return False
    return all(type(item) is str or (depth > 1 and _is_value(item, depth - 1)) for item in value)


def canonical(event: Event) -> bytes:
    """The bytes that identity is made from: the decoded event, in one order and form, the time in UTC."""
    return _canonical(event.fields | {"time": event.time_ns}).encode("utf-8", "surrogatepass")


_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def document_id(event: Event, host: str) -> str:
    """`audit:<host>:<epoch ms>:<serial>:<hash>`; the node that the event names is the host, where it names one."""
    place = f"{identity.key(event.node or host)}:{event.time_ns // _MS}:{event.serial}"
    return f"audit:{place}:{identity.digest(canonical(event))}"


def records(event: Event) -> list[Record]:
    """The records of an event; where the converter has given up, those of its lines."""
    found: list[Record] = []
    data = event.fields.get("data")
    if data is None:
        for line in event.fields.get("text", []):
            try:
                found.append(from_line(auditline.parse(line)))
            except MessageError:
                continue
        return _merged(found)
    for name, record in data.items():
        if type(record) is dict:
            found.append(_record(name, record))
            continue
        arguments = [item for item in record if type(item) is str]
        found += [_record(name, item) for item in record if type(item) is dict]
        if arguments:
            found.append(Record(name, {}, arguments))
    return found


def _merged(found: list[Record]) -> list[Record]:
    """The arguments of several EXECVE records in one."""
    arguments = [argument for record in found for argument in record.arguments]
    kept = [record for record in found if record.type != "execve"]
    return [*kept, Record("execve", {}, arguments)] if arguments else kept


def _record(kind: str, fields: dict[str, list[Any]]) -> Record:
    made: dict[str, Value] = {}
    for name, value in fields.items():
        if len(value) == 1 and type(value[0]) is str:
            made[name] = _new(Value, (value[0], value[0]))
        elif len(value) == 2 and name != "proctitle" and type(value[0]) is type(value[1]) is str:
            made[name] = _new(Value, value)
        elif value:
            made[name] = _value(name, value)
    return Record(kind, made, [])


def _value(name: str, value: list[Any]) -> Value:
    first = value[0] if type(value[0]) is str else next(iter(value[0]), "")
    if type(value[0]) is not str:
        value = value[0]
    raw = value[1] if len(value) > 1 and type(value[1]) is str else first
    if name == "proctitle" and _HEX.fullmatch(raw):
        first = text_of(bytes.fromhex(raw))
    return Value(first if type(first) is str else "", raw)
