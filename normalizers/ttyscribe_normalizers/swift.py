# SPDX-License-Identifier: Apache-2.0
"""The bulk of the traffic at speed: a recording's next message from a sender that is known, in a line of our template.

Its document is like that of the message before, but for what is the message's own. So the long way (envelope, kinds)
makes the first document of each recording, which is the pattern, and the following ones are filled in here. Nothing is
taken on trust: a pattern is kept only if what is made of it equals what the long way has made of the same line; a line
must be whole JSON, and its message must be proven (`formats.proven`). What is not goes the long way.
"""

from functools import lru_cache
from typing import Any, NamedTuple, cast

from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.proven import Proven, beginning, prove
from ttyscribe_formats.readable import onward, readable, size_of
from ttyscribe_normalizers import exact
from ttyscribe_normalizers.parts import MAX_NS
from ttyscribe_normalizers.template import HEAD, ID, ID_END, RECEIVED, TIME, is_inside

_AT = ID_END + len(RECEIVED)
_AT_END = _AT + 32
_TIME_AT = _AT_END + len(TIME)
_LONGEST_TIME = 40
_LONGEST = 1024
_MANY = 4096
"""Senders with recordings beyond which nothing is remembered: nobody makes us keep much."""
_MESSAGE = b',"msg":" {\\"ver\\":'
_TEXT_AT = len(b',"msg":')
_ALWAYS = 2**64
_PATIENCE_NS = 60 * 10**9
"""How long a pattern holds whose trust depends on a user's name: names may be given to others."""


class _Pattern(NamedTuple):
    """What the documents of one recording share."""

    document: dict[str, Any]
    own: dict[str, Any]
    """Its `ttyscribe`."""
    collector: dict[str, Any]
    normalizer: dict[str, Any]
    id_begins: str
    since_ns: int
    until_ns: int


class Swift:
    """Remembers patterns by what stands in a line before its message, and by how the message begins."""

    def __init__(self) -> None:
        self._patterns: dict[tuple[bytes, str], _Pattern] = {}

    def document(self, line: bytes, now_ns: int) -> Document | None:
        """The document of a line; None for one that has to go the long way."""
        message_at = line.find(_MESSAGE, _TIME_AT, _LONGEST)
        if message_at < 0 or line[:ID] != HEAD or line[ID_END:_AT] != RECEIVED or line[_AT_END:_TIME_AT] != TIME:
            return None
        time_end = line.find(b'"', _TIME_AT, _TIME_AT + _LONGEST_TIME)
        received, time = line[_AT:_AT_END], line[_TIME_AT:time_end]
        if not line[ID:ID_END].isalnum() or line[time_end : time_end + 2] != b'",' or line[-2:] != b'"}':
            return None
        try:
            text = exact.fast_loads(line[message_at + _TEXT_AT : -1])[1:]
            begins = beginning(text)
            pattern = self._patterns.get((line[time_end + 2 : message_at], begins))
            if pattern is None or not pattern.since_ns <= now_ns < pattern.until_ns:
                return None
            fields = exact.fast_loads(text)
            sent = received.decode()
            received_ns, stamp = timestamp.normalized(sent)
        except (ValueError, MessageError):
            return None
        if (stamp is not sent and not sent.isprintable()) or (time != received and not _is_time(time)):
            return None
        proven = prove(begins, text, fields, exact.fast_loads)
        if proven is None or proven[2] or not 0 <= proven[1] < MAX_NS:
            return None
        return _filled(pattern, fields, received_ns, stamp, proven)

    def learn(self, line: bytes, now_ns: int, found: Document) -> None:
        """Keep the document of a line that went the long way as the pattern of those that follow."""
        pattern = _pattern(found, now_ns)
        key = _key(line) if pattern is not None else None
        if pattern is None or key is None:
            return
        if len(self._patterns) >= _MANY:
            self._patterns.clear()
        self._patterns[key] = pattern
        if repr(self.document(line, now_ns)) != repr(found):
            del self._patterns[key]


def _filled(pattern: _Pattern, fields: dict[str, Any], received_ns: int, stamp: str, proven: Proven) -> Document | None:
    """The pattern's document with what is the message's own; None where the pattern has no place for all of it."""
    id_ends, time_ns, _, shown, last_ms = proven
    common, common_own, collector, normalizer, id_begins, _, _ = pattern
    clear, words = onward(shown) or readable(shown)
    at, partition = timestamp.dated(time_ns, received_ns)
    own = common_own.copy()
    lag = timestamp.lag_ms(time_ns, received_ns)
    if (lag is None) == ("lag_ms" in own):
        return None
    if lag is not None:
        own["lag_ms"] = lag
    own["partition"] = partition
    own["received"] = stamp
    own["out_bytes"] = size_of(shown)
    own["last_ms"] = last_ms
    own["words"] = words
    document = common.copy()
    document["@timestamp"] = at
    document["message"] = clear
    document["pipeline_metadata"] = {"collector": {**collector, "received_at": stamp}, "normalizer": normalizer}
    document["viaq_msg_id"] = id_begins + id_ends
    document["tlog"] = fields
    document["ttyscribe"] = own
    return cast("Document", document)


def _pattern(found: Any, now_ns: int) -> _Pattern | None:
    """What the document of a usual message of a recording gives to others; None for any other document."""
    own, way = found["ttyscribe"], found["pipeline_metadata"]
    if own["kind"] != "tlog" or own["resizes"] or own["in_bytes"] or "collector" not in way:
        return None
    until_ns = _ALWAYS if own["trust"] == "system" else now_ns + _PATIENCE_NS
    since_ns = 0 if own["trust"] == "system" else now_ns
    id_begins = found["viaq_msg_id"].rpartition(":")[0].rpartition(":")[0] + ":"
    # Copies: that document is on its way, and nobody promises what becomes of it.
    return _Pattern({**found}, {**own}, {**way["collector"]}, way["normalizer"], id_begins, since_ns, until_ns)


def _key(line: bytes) -> tuple[bytes, str] | None:
    """Where a line's pattern is kept; None where what stands in it before the message is not proven to be JSON."""
    message_at = line.find(_MESSAGE, _TIME_AT, _LONGEST)
    sender = line[line.find(b'"', _TIME_AT) + 2 : message_at]
    if message_at < 0 or not is_inside(sender):
        return None
    try:
        return sender, beginning(exact.fast_loads(line[message_at + _TEXT_AT : -1])[1:])
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _is_time(time: bytes) -> bool:
    try:
        text = time.decode()
        timestamp.parse(text)
    except (ValueError, MessageError):
        return False
    return text.isprintable()
