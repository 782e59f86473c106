# SPDX-License-Identifier: Apache-2.0
"""Records from bytes and back, in the two formats that lose nothing: json and msgpack; pure.

Fluentd passes on bytes that are not UTF-8: in texts they become lone surrogates (PEP 383), so that nothing is lost.
What goes back never holds any: Fluentd's own reader would die of them. tsv is not here: it does not escape tabs.
docs/contracts/fluentd.md numbers the rules (FLU-n).
"""

import json
import re
from typing import Any, Protocol

import msgpack

Record = dict[str, Any]
MAX_RECORD = 16 << 20
"""Bytes of one record."""
_EVENT_TIME = 0
_NANO = 10**9
_SURROGATE = re.compile("[\ud800-\udfff]")


class CodecError(Exception):
    """The stream can't be read on: it is none of Fluentd's, or a record is beyond all limits."""


class Codec(Protocol):
    """One direction in, one out. `feed` gives the records that `data` completes, whatever they are by type."""

    def feed(self, data: bytes) -> list[Any]:
        """The values that `data` completes. Raises CodecError."""

    @property
    def partial(self) -> int:
        """Bytes of a value whose end has not come."""

    def end(self) -> list[Any]:
        """The values that the end of the input completes."""

    def encode(self, record: Record) -> bytes:
        """One record for Fluentd; every text in it is UTF-8 afterwards."""


class Bad(bytes):
    """A line that is no JSON: the line itself, in place of a record (FLU-5)."""


class Json:
    """One object a line."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def partial(self) -> int:
        """Bytes behind the last LF."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Any]:
        """The lines' values; a line that is no JSON comes as `Bad`."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_RECORD:
            raise CodecError(f"a line of more than {MAX_RECORD >> 20} MiB")
        return [_parsed(line) for line in lines if line and not line.isspace()]

    def end(self) -> list[Any]:
        """A last line without an LF."""
        return self.feed(b"\n") if self._rest else []

    def encode(self, record: Record) -> bytes:
        """The object and an LF."""
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=_text)
        return _valid(text).encode() + b"\n"


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return Bad(line)


class MessagePack:
    """Maps one behind the other, without any framing."""

    def __init__(self) -> None:
        self._unpacker = msgpack.Unpacker(
            raw=False,
            strict_map_key=False,
            unicode_errors="surrogateescape",
            max_buffer_size=2 * MAX_RECORD,
            ext_hook=_extension,
            timestamp=1,
        )
        self._fed = self._taken = 0

    @property
    def partial(self) -> int:
        """Bytes behind the last whole value."""
        return self._fed - self._taken

    def feed(self, data: bytes) -> list[Any]:
        """The values that are whole."""
        self._fed += len(data)
        found: list[Any] = []
        try:
            self._unpacker.feed(data)
            for value in self._unpacker:
                found.append(value)
                self._taken = self._unpacker.tell()
        except Exception as error:  # msgpack has a dozen of them, ValueError and RecursionError among them
            raise CodecError(f"no MessagePack: {type(error).__name__}: {error}") from error
        return found

    def end(self) -> list[Any]:
        """None: half a map is no map."""
        return []

    def encode(self, record: Record) -> bytes:
        """One map."""
        packed: bytes = msgpack.packb(clean(record), default=_text)
        return packed


def _extension(code: int, data: bytes) -> Any:
    """Fluentd's EventTime as seconds; of others their bytes."""
    if code == _EVENT_TIME and len(data) == 8:
        seconds, nanoseconds = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
        return seconds + nanoseconds / _NANO
    return data


def _valid(text: str) -> str:
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def clean(value: Any) -> Any:
    """The same without lone surrogates, and with integers beyond 64 bits as text, which MessagePack has no room for."""
    if type(value) is str:
        return _valid(value)
    if type(value) is dict:
        return {clean(key): clean(item) for key, item in value.items()}
    if type(value) is list or type(value) is tuple:
        return [clean(item) for item in value]
    if type(value) is int and not -(2**63) <= value < 2**64:
        return str(value)
    return value


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


CODECS: dict[str, type[Json] | type[MessagePack]] = {"json": Json, "msgpack": MessagePack}
