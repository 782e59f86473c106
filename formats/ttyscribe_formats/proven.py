# SPDX-License-Identifier: Apache-2.0
"""Messages that are proven to stand in their encoder's own form, byte for byte: decoded at a third of the cost.

Proof: what the encoder would write of the values that were parsed equals the text that they were parsed from. Then no
key, type or value needs a look of its own, no value was rounded, no key came twice, and the text is what identity is
made from. Messages of one recording begin alike; a beginning that was proven once is known from then on.
"""

from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple

from ttyscribe_formats.tally import Loads, tally
from ttyscribe_formats.tlog import MAX_POS_MS, Message, canonical, escape

_MAX_ID = 2**63 - 1
_MANY = 4096
_LONG = 512
"""Recordings and characters beyond which nothing is remembered: nobody makes us keep much."""

_values = itemgetter("id", "pos", "time", "timing", "in_txt", "out_txt")


class Session(NamedTuple):
    """What the messages of one recording share."""

    host: str
    user: str
    recording: str


class Proven(NamedTuple):
    """One message of the usual kind: all bytes valid, all of them accounted for, the window named once at most."""

    session: Session
    document_id: str
    time_ms: int
    typed: str
    shown: str
    in_bytes: int
    out_bytes: int
    last_ms: int


class Prover:
    """Remembers how the messages of the recordings that it has seen begin."""

    def __init__(self, loads: Loads) -> None:
        self._loads = loads
        self._sessions: dict[str, Session] = {}

    def learn(self, text: str, message: Message, recording: str) -> None:
        """Remember the beginning of a message that was decoded the long way."""
        header = text[: text.find('"id":', 0, _LONG) + 5]
        if len(header) > 5 and text.encode("utf-8", "surrogatepass") == canonical(message):
            if len(self._sessions) >= _MANY:
                self._sessions.clear()
            self._sessions[header] = Session(message.host, message.user, recording)

    def prove(self, text: str, fields: Any) -> Proven | None:
        """The message of a text and of what was parsed from it; None where that is not proven or not usual."""
        header = text[: text.find('"id":', 0, _LONG) + 5]
        session = self._sessions.get(header)
        if session is None:
            return None
        try:
            number, pos, time, timing, typed, shown = _values(fields)
        except (KeyError, TypeError):
            return None
        if type(number) is not int or type(pos) is not int or type(time) is not float:
            return None
        time_ms = round(time * 1000)
        in_txt = escape(typed) if typed else '""'
        written = (
            f'{header}{number},"pos":{pos},"time":{time_ms // 1000}.{time_ms % 1000:03d},"timing":"{timing}",'
            f'"in_txt":{in_txt},"in_bin":[],"out_txt":{escape(shown)},"out_bin":[]}}'
        )
        if written != text or not (0 <= number <= _MAX_ID and 0 <= pos <= MAX_POS_MS and 0 <= time < MAX_POS_MS):
            return None
        sums = tally(timing, self._loads)
        if sums is None or sums[0] != len(typed) or sums[1] != len(shown):
            return None
        hashed = blake2b(text.encode(), digest_size=8).hexdigest()
        return tuple.__new__(
            Proven,
            (
                session,
                f"tlog:{session.recording}:{number}:{hashed}",
                time_ms,
                typed,
                shown,
                _size(typed),
                _size(shown),
                pos + sums[2],
            ),
        )


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
