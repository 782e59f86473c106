# SPDX-License-Identifier: Apache-2.0
"""Lines exactly as rsyslog writes them by our template, taken apart without parsing what is known.

Between the times and the message stands what is alike in all messages of one sender. Such a stretch is parsed and
proven once: it is a JSON object's inside, with none of the keys around it. From then on a line that holds it is a whole
JSON object if its times are times and its message is a JSON string, and only these are looked at. Any other line, and
the first of each sender, goes the long way.
"""

from collections.abc import Callable
from typing import Any

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact
from ttyscribe_normalizers.envelope import REST, SENDER, VERSION, Envelope

HEAD = b'{"v":%d,"id":"' % VERSION
RECEIVED, TIME, _SAME, _MESSAGE = b'","received":"', b'","time":"', b'","', b',"msg":"'
ID = len(HEAD)
ID_END = ID + 32
_AT = ID_END + len(RECEIVED)
_LONGEST_TIME = 64
_LONGEST = 1024
_MANY = 4096
"""Senders and bytes beyond which nothing is remembered: nobody makes us keep much."""
_AROUND = frozenset(("v", "id", "received", "time", "msg"))
_new = tuple.__new__

Decode = Callable[[bytes, int], Envelope]
_Sender = tuple[str, tuple[Any, ...], tuple[Any, ...]]
"""Host, and what stands before and behind the id in its envelopes."""
_Parts = tuple[bytes, bytes, bytes, bytes]
"""Of one line: its id, both times, and the message with its quotes."""


class Template:
    """A decoder in front of another, which takes what this one does not know."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._senders: dict[bytes, _Sender] = {}
        self._met: set[int] = set()
        """Hashes of stretches that were seen once."""

    def decode(self, line: bytes, now_ns: int) -> Envelope:
        """The envelope of a line. Raises MessageError where it has none."""
        if line[:ID] != HEAD or line[ID_END:_AT] != RECEIVED:
            return self._decode(line, now_ns)
        received_end = line.find(TIME, _AT, _AT + _LONGEST_TIME)
        time_at = received_end + len(TIME)
        time_end = line.find(_SAME, time_at, time_at + _LONGEST_TIME)
        message_at = line.find(_MESSAGE, time_end)
        stable = line[ID:ID_END]
        if received_end < 0 or time_end < 0 or not stable.isalnum() or line[-2:] != b'"}':
            return self._decode(line, now_ns)
        stretch = line[time_end + 2 : message_at]
        parts = stable, line[_AT:received_end], line[time_at:time_end], line[message_at + 7 : -1]
        sender = self._senders.get(stretch) or self._met_again(stretch, parts, line, now_ns)
        return (sender and _made(sender, *parts)) or self._decode(line, now_ns)

    def _met_again(self, stretch: bytes, parts: _Parts, line: bytes, now_ns: int) -> _Sender | None:
        """A sender that is met for the second time: of most processes there is one message, not worth the learning."""
        key = hash(stretch)
        if key in self._met:
            return self._learned(stretch, parts, line, now_ns)
        if len(self._met) >= _MANY:
            self._met.clear()
        self._met.add(key)
        return None

    def _learned(self, stretch: bytes, parts: _Parts, line: bytes, now_ns: int) -> _Sender | None:
        """What is shared by the messages of one sender, known from then on; None where it is not proven."""
        if len(stretch) > _LONGEST or not is_inside(stretch):
            return None
        found = self._decode(line, now_ns)
        values: tuple[Any, ...] = found
        sender = (found.host, values[SENDER], values[REST])
        if any(type(value) is dict for value in values[REST]) or found.original or _made(sender, *parts) != found:
            return None
        if len(self._senders) >= _MANY:
            self._senders.clear()
        self._senders[stretch] = sender
        return sender


def _made(sender: _Sender, stable: bytes, receipt: bytes, event: bytes, message: bytes) -> Envelope | None:
    """The envelope of a line's parts; None where one is not as it should be."""
    try:
        text = exact.fast_loads(message)
        received, time = receipt.decode(), event.decode()
        received_ns, normal = timestamp.normalized(received)
        time_ns = received_ns if time == received else timestamp.parse(time)
    except (ValueError, MessageError):
        return None
    if not (received.isprintable() and time.isprintable()):
        return None  # a control character, which JSON forbids, was taken for a blank
    host, shared, rest = sender
    if text[:1] == " ":
        text = text[1:]
    return _new(Envelope, (text, b"", host, time_ns, received_ns, normal, True, *shared, stable.decode(), *rest))


def is_inside(text: bytes) -> bool:
    """Tell whether it is the inside of a JSON object of texts, with no key twice and none of those around it."""
    try:
        fields = exact.fast_loads(b"{%b}" % text)
    except ValueError:
        return False
    if not _AROUND.isdisjoint(fields) or not all(type(value) is str for value in fields.values()):
        return False
    return text.count(b'":"') == len(fields)
