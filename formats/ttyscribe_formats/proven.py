# SPDX-License-Identifier: Apache-2.0
"""Messages that are proven to stand in their encoder's own form, byte for byte: decoded at a third of the cost.

Proof: what the encoder would write of the values that were parsed equals the text that they were parsed from. Then no
key, type or value needs a look of its own, no value was rounded, no key came twice, and the text is what identity is
made from. Messages of one recording begin alike, and a beginning that is known (up to `"id":`) is taken as it is.
"""

from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple

from ttyscribe_formats.tally import Loads, tally
from ttyscribe_formats.tlog import MAX_POS_MS, Message, canonical, escape

_MS = 1_000_000
_MAX_ID = 2**63 - 1
_MANY = 4096
_LONG = 512
"""Recordings and characters beyond which nothing is remembered: nobody makes us keep much."""

_values = itemgetter("id", "pos", "time", "timing", "in_txt", "out_txt")

Proven = tuple[str, int, str, str, int]
"""End of the document id (`id:hash`), nanoseconds since the epoch, text typed and shown, and milliseconds from the
recording's start to the last event; of a message whose bytes are all valid and accounted for, and that names its window
once at most."""


def beginning(text: str) -> str:
    """What all messages of a recording begin with; something that is none for what is no message."""
    return text[: text.find('"id":', 0, _LONG) + 5]


def prove(begins: str, text: str, fields: Any, loads: Loads) -> Proven | None:
    """The message of a text that begins so, and of what was parsed from it; None where that is not proven or unusual.

    That the beginning is the encoder's is for the caller to know.
    """
    try:
        number, pos, time, timing, typed, shown = _values(fields)
    except (KeyError, TypeError):
        return None
    if type(number) is not int or type(pos) is not int or type(time) is not float:
        return None
    in_txt = escape(typed) if typed else '""'
    written = (
        f'{begins}{number},"pos":{pos},"time":{time:.3f},"timing":"{timing}",'
        f'"in_txt":{in_txt},"in_bin":[],"out_txt":{escape(shown)},"out_bin":[]}}'
    )
    if written != text or not (0 <= number <= _MAX_ID and 0 <= pos <= MAX_POS_MS and 0 <= time < MAX_POS_MS):
        return None
    delayed = tally(timing, len(typed), len(shown), loads)
    if delayed is None:
        return None
    hashed = blake2b(text.encode(), digest_size=8).hexdigest()
    return f"{number}:{hashed}", round(time * 1000) * _MS, typed, shown, pos + delayed


class Session(NamedTuple):
    """What the messages of one recording share."""

    host: str
    user: str
    recording: str


class Prover:
    """Remembers how the messages of the recordings that it has seen begin."""

    def __init__(self, loads: Loads) -> None:
        self._loads = loads
        self._sessions: dict[str, Session] = {}

    def learn(self, text: str, message: Message, session: Session) -> None:
        """Remember the beginning of a message that was decoded the long way."""
        begins = beginning(text)
        if len(begins) > 5 and text.encode("utf-8", "surrogatepass") == canonical(message):
            if len(self._sessions) >= _MANY:
                self._sessions.clear()
            self._sessions[begins] = session

    def prove(self, text: str, fields: Any) -> tuple[Session, Proven] | None:
        """The message of a text and of what was parsed from it; None where that is not proven or not usual."""
        begins = beginning(text)
        session = self._sessions.get(begins)
        found = prove(begins, text, fields, self._loads) if session is not None else None
        return None if found is None or session is None else (session, found)
