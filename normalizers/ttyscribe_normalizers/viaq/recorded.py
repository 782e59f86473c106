# SPDX-License-Identifier: Apache-2.0
"""A recording's message for a record of ViaQ's, without what only a store needs."""

from typing import Any, NamedTuple

from ttyscribe_formats import identity
from ttyscribe_formats.plain import plain_text
from ttyscribe_formats.proven import Prover, Session
from ttyscribe_normalizers import exact
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds import tlog

_MS = 1_000_000


class Recorded(NamedTuple):
    """What a record takes of the message."""

    fields: dict[str, Any]
    """Complete and exact."""
    document_id: str
    host: str
    time_ms: int | None
    shown: str
    """Clear text of the output."""


class Reader:
    """Reads messages; those as their recorder wrote them at speed."""

    def __init__(self) -> None:
        self._prover = Prover(exact.fast_loads)

    def read(self, envelope: Envelope) -> Recorded:
        """What the message holds. Raises MessageError for one that is broken."""
        return self.proven(envelope) or self._checked(envelope)

    def proven(self, envelope: Envelope) -> Recorded | None:
        """The same at speed, for a message that is as its recorder wrote it; None for any other."""
        text, fields = envelope.text, envelope.fields
        if fields is None:
            try:
                fields = exact.fast_loads(text)
            except ValueError:
                return None
        found = None if envelope.raw else self._prover.prove(text, fields)
        if found is None:
            return None
        session, (id_ends, time_ns, _, out_txt, _) = found
        document_id = f"tlog:{session.recording}:{id_ends}"
        return tuple.__new__(Recorded, (fields, document_id, session.host, time_ns // _MS, plain_text(out_txt)))

    def _checked(self, envelope: Envelope) -> Recorded:
        fields, message = tlog.checked(envelope)
        recording = tlog.recording_of(message)
        self._prover.learn(envelope.text, message, Session(message.host, message.user, recording))
        document_id = identity.tlog_id(recording, message)
        return Recorded(fields, document_id, message.host, message.time_ms, plain_text(message.out_txt))
