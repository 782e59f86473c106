# SPDX-License-Identifier: Apache-2.0
"""asciicast, versions 2 and 3: a header line, then one event a line.

Version 2 gives times from the start, version 3 from the event before. Both hold text: bytes that are no UTF-8 become
U+FFFD, and `Encoder.replaced` counts them. Times are written in microseconds; what is finer is lost.
"""

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ttyscribe_formats.aside import Aside
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Input, Output, Packet, Window

VERSIONS = (2, 3)
MAX_SIZE = 65535
_US = 1000
_SECOND_NS = 1_000_000_000
_MAX_SECONDS = 2**31
_MAX_STAMP = 2**40
_MAX_STATUS = 1024
_CODES = {"o": Output, "i": Input}


class Header(NamedTuple):
    """The first line. A size of 0 is unknown; `time_s` is seconds since the epoch, -1 where it is not told."""

    version: int
    columns: int = 80
    rows: int = 24
    time_s: int = -1
    title: str = ""
    command: str = ""
    term: str = ""


def encode_header(header: Header) -> str:
    """The header as a line, without its end."""
    fields: dict[str, Any] = {"version": header.version}
    columns, rows = header.columns or 80, header.rows or 24
    if header.version == 2:
        fields |= {"width": columns, "height": rows}
    else:
        fields["term"] = {"cols": columns, "rows": rows} | ({"type": header.term} if header.term else {})
    if header.time_s >= 0:
        fields["timestamp"] = header.time_s
    if header.command:
        fields["command"] = header.command
    if header.title:
        fields["title"] = header.title
    if header.version == 2 and header.term:
        fields["env"] = {"TERM": header.term}
    return json.dumps(fields, ensure_ascii=False)


class Encoder:
    """Packets of one recording in, event lines out (without their ends)."""

    def __init__(self, version: int) -> None:
        self._version = version
        self._before_us = 0
        self._decoders = {code: codecs.getincrementaldecoder("utf-8")("replace") for code in _CODES}
        self.replaced = 0
        """How many characters stand for bytes that are no UTF-8."""

    def lines(self, packet: Packet) -> list[str]:
        """The lines of one packet: one, or none where a character is not whole yet."""
        if isinstance(packet, Window):
            return [self._line(packet.time_ns, "r", f"{packet.columns}x{packet.rows}")]
        code = "i" if isinstance(packet, Input) else "o"
        return self._text(packet.time_ns, code, packet.data, final=False)

    def marker(self, time_ns: int, text: str) -> str:
        """The line of a marker, which players list and stop at."""
        return self._line(time_ns, "m", text)

    def end(self, status: int | None = None) -> list[str]:
        """The rest, at the time of the last line: characters that never became whole; in version 3 the exit status."""
        time_ns = self._before_us * _US
        rest = [line for code in _CODES for line in self._text(time_ns, code, b"", final=True)]
        return rest + ([self._line(time_ns, "x", str(status))] if status is not None and self._version == 3 else [])

    def _text(self, time_ns: int, code: str, data: bytes, *, final: bool) -> list[str]:
        text = self._decoders[code].decode(data, final)
        self.replaced += text.count("\ufffd") - data.count("\ufffd".encode())
        return [self._line(time_ns, code, text)] if text else []

    def _line(self, time_ns: int, code: str, text: str) -> str:
        now = max(self._before_us, time_ns // _US)
        shown = now - self._before_us if self._version == 3 else now
        self._before_us = now
        return f'[{shown // 1_000_000}.{shown % 1_000_000:06d}, "{code}", {json.dumps(text, ensure_ascii=False)}]'


def decode_header(line: str) -> Header:
    """The header of a line. Raises MessageError."""
    fields = _json(line)
    if isinstance(fields, dict) and fields.get("version") == 1:
        raise MessageError("an asciicast of version 1 is not read: `asciinema convert` makes a newer one of it")
    if not isinstance(fields, dict) or fields.get("version") not in VERSIONS:
        raise MessageError("not an asciicast of version 2 or 3: its first line has no such version")
    version: int = fields["version"]
    term = fields.get("term") if version == 3 else fields
    term = term if isinstance(term, dict) else {}
    names = ("width", "height") if version == 2 else ("cols", "rows")
    env = fields.get("env")
    kind = term.get("type") if version == 3 else env.get("TERM") if isinstance(env, dict) else ""
    columns, rows = (_size(term.get(name)) for name in names)
    command, title = (_string(fields.get(name)) for name in ("command", "title"))
    return Header(version, columns, rows, _stamp(fields.get("timestamp")), title, command, _string(kind))


def _stamp(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < _MAX_STAMP else -1


def decode(lines: Iterable[str], aside: Aside | None = None) -> Iterator[Packet]:
    """The packets behind a header: of a whole file's lines, the header first. Raises MessageError with the line.

    `aside` gets the exit status and how many markers there are.
    """
    aside = aside or Aside()
    number = 0
    header: Header | None = None
    now = 0
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or (header is not None and text.startswith("#")):
            continue
        try:
            if header is None:
                header = decode_header(text)
                if header.columns and header.rows:
                    yield Window(0, header.columns, header.rows)
                continue
            time_ns, code, data = _event(_json(text))
            now = max(now, now + time_ns if header.version == 3 else time_ns)
            if now >= _MAX_SECONDS * _SECOND_NS:
                raise MessageError("an event's time is decades away")
            packet = _packet(now, code, data, aside)
        except MessageError as error:
            raise MessageError(f"line {number}: {error}") from None
        if packet is not None:
            yield packet
    if header is None:
        raise MessageError("not an asciicast: it is empty")


def _event(item: Any) -> tuple[int, str, str]:
    if not isinstance(item, list) or len(item) != 3:
        raise MessageError("an event is a list of time, code and data")
    time, code, data = item
    if type(time) not in (int, float) or not 0 <= time < _MAX_SECONDS:
        raise MessageError("an event's time is a number of seconds")
    if not isinstance(code, str) or not isinstance(data, str):
        raise MessageError("an event's code and data are strings")
    return round(time * 1_000_000) * _US, code, data


def _packet(time_ns: int, code: str, data: str, aside: Aside) -> Packet | None:
    """None of markers, exit statuses and what is not known yet."""
    if code in _CODES:
        encoded = data.encode("utf-8", "replace")
        return Output(time_ns, encoded) if code == "o" else Input(time_ns, encoded)
    if code == "r":
        columns, _, rows = data.partition("x")
        if not (_is_number(columns) and _is_number(rows)):
            raise MessageError("a size is written COLUMNSxROWS")
        return Window(time_ns, int(columns), int(rows))
    if code == "x" and _is_number(data) and int(data) < _MAX_STATUS:
        aside.status, aside.status_ns = int(data), time_ns
    aside.markers += code == "m"
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= MAX_SIZE


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {error}") from None


def _size(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SIZE else 0


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
