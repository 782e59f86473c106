# SPDX-License-Identifier: Apache-2.0
"""Any other log message, by the rules of ViaQ's model; the kind that takes everything.

::

    <29>Nov 24 12:00:00 web7 sshd[77]: Accepted publickey for ada

becomes a document `log:<id that the shipper stamped>` with `message`, `level` and the sender under `systemd`. A
journal entry's id is `journal:<hash of its cursor>`. What has neither gets a new id: it is stored at least once.
"""

import re
from base64 import b64encode
from typing import Any, cast

from ttyscribe_formats import identity, words
from ttyscribe_formats.document import Document
from ttyscribe_normalizers import origin, parts
from ttyscribe_normalizers.envelope import JOURNALD, REST, Envelope
from ttyscribe_normalizers.kinds import Context

_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")
_ESCAPE = re.compile("#([0-3][0-7][0-7])")
"""How rsyslog writes a control character; and what a sender may have written itself, so it is never taken back."""
_MAX_ERROR = 1000


class Kind:
    """Everything else."""

    name = "syslog"
    order = 1000

    def __init__(self, context: Context) -> None:
        self._trust = context.trust
        self._stamp = context.stamp
        self._sharing = parts.Sharing(parts.normalizer(context.version, context.protocol))

    def accepts(self, envelope: Envelope) -> bool:  # noqa: ARG002 - whatever it is
        """Everything."""
        return True

    def normalize(self, envelope: Envelope, error: str = "") -> list[Document]:
        """One document; `error` says why a message of another kind could not be understood."""
        text, raw = envelope.text, envelope.raw
        if not text.isprintable() and _CONTROL.search(text):
            raw = raw or text.encode()
            text = _CONTROL.sub(lambda match: f"#{ord(match[0]):03o}", text)
        level, way, sender, systemd = self._sharing.of(envelope)
        at, own = self._own(envelope, text, error, sender)
        if raw:
            own["raw"] = b64encode(raw).decode()
        document: dict[str, Any] = {
            "@timestamp": at,
            "hostname": envelope.host,
            "level": level,
            "message": text,
            "pipeline_metadata": parts.received_way(way, envelope.received),
            "viaq_msg_id": self.document_id(envelope),
            "ttyscribe": own,
        }
        values: tuple[Any, ...] = envelope
        if any(values[REST]):
            origin.add(document, own, envelope)
            if more := origin.searched(envelope):
                own["words"] = f"{own['words']} {words.joined(more)}".strip()
        elif systemd:
            document["systemd"] = systemd
        return [cast("Document", document)]

    def own(self, envelope: Envelope, text: str, error: str = "") -> dict[str, Any]:
        """`ttyscribe` of a message with this text."""
        own = self._own(envelope, text, error, self._sharing.of(envelope).sender)[1]
        if envelope.raw:
            own["raw"] = b64encode(envelope.raw).decode()
        return own

    def _own(self, envelope: Envelope, text: str, error: str, sender: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        at, own = parts.begun(self.name, envelope, envelope.time_ns)
        own["trust"] = self._trust.of(envelope.sender_uid)
        # Blanks around escapes: the words before and behind a tab or a line's end are found as words.
        own["words"] = words.joined(_ESCAPE.sub(r" \1 ", text) if "#" in text else text)
        own.update(sender)
        if envelope.journal is not None:
            own.update(origin.session(envelope))
        if error:
            own["error"] = error[:_MAX_ERROR]
        return at, own

    def document_id(self, envelope: Envelope) -> str:
        """Of what its shipper or the journal stamped; else a new one."""
        if not envelope.stable_id:
            return identity.log_id(self._stamp())
        if envelope.collector == JOURNALD:  # an entry that rsyslog brought has rsyslog's id
            return identity.journal_id(envelope.stable_id)
        return identity.log_id(envelope.stable_id)
