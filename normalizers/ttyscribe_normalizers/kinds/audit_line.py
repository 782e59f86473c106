# SPDX-License-Identifier: Apache-2.0
"""Raw records of the kernel's audit log, one line one document: from auditd's plugins, the kernel's log, the journal.

::

    type=SYSCALL msg=audit(1795521600.771:880): arch=c000003e syscall=59 success=yes auid=1000 ses=23 exe="/bin/ps"

becomes a document `log:<id that the shipper stamped>`, at the record's own time, with the line as `message`, its fields
under `audit.data`, each with what it says and, where that differs, with what stands there, and in typed fields what one
record can say. Records of one event have the same `audit.serial`; joining them is `ttyscribe-audit`'s.
"""

import re
from typing import Any

from ttyscribe_formats import auditfacts, auditline, words
from ttyscribe_formats.auditrecord import decoded, from_line
from ttyscribe_formats.document import Document
from ttyscribe_formats.flat import flat
from ttyscribe_normalizers import parts
from ttyscribe_normalizers.envelope import NOBODY, Envelope
from ttyscribe_normalizers.kinds import Context
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog

_JOURNAL = "audit"
"""Transport of entries that journald reads from the kernel itself, and the program that it gives them."""
_KERNEL = 0
"""Who speaks for the kernel."""
_BODY = re.compile(r"[A-Z][A-Z0-9_]+(?:\[[0-9]+\])? \S*=")
_SERIAL = re.compile(r"[0-9]{1,20}")


class Kind:
    """Raw audit records."""

    name = "audit-line"
    order = 30

    def __init__(self, context: Context) -> None:
        self._trust = context.trust
        self._syslog = Syslog(context)

    def accepts(self, envelope: Envelope) -> bool:
        """Whether it begins as a record does."""
        if envelope.input == _JOURNAL or envelope.program == _JOURNAL:
            return _BODY.match(envelope.text) is not None or auditline.looks_like(envelope.text)
        return auditline.looks_like(envelope.text)

    def normalize(self, envelope: Envelope) -> list[Document]:
        """One document. Raises MessageError where the head is none."""
        line = _line(envelope)
        time_ns = envelope.time_ns if line.time_ns < 0 else line.time_ns
        (document,) = self._syslog.normalize(_from_kernel(envelope)._replace(time_ns=time_ns))
        made: Any = document
        known = auditfacts.facts([from_line(line)])
        own = made["ttyscribe"]
        own["kind"] = self.name
        own["words"] = words.joined(f"{own['words']}\n{known.sentence}\n{known.searched}")
        own.pop("audit_session", None)  # the sender's
        if known.session is not None:
            own["audit_session"] = known.session
        if _is_from_kernel(envelope):
            own["trust"] = self._trust.of(_KERNEL)
        parts.held(own, envelope, line.node)
        made |= known.parts | {"audit": _stored(line)}
        return [document]


def _is_from_kernel(envelope: Envelope) -> bool:
    """Whether journald read it from the kernel; its uid and pid are then those of whom the record is about."""
    return envelope.journal is not None and envelope.input == _JOURNAL and not envelope.doubt


def _from_kernel(envelope: Envelope) -> Envelope:
    return envelope._replace(sender_uid=NOBODY, sender_pid=NOBODY) if _is_from_kernel(envelope) else envelope


def _line(envelope: Envelope) -> auditline.Line:
    if auditline.looks_like(envelope.text):
        return auditline.parse(envelope.text, shipped=envelope.collector == "rsyslog")
    journal = envelope.journal or {}
    kind, serial = journal.get("_AUDIT_TYPE_NAME"), journal.get("_AUDIT_ID")
    line = auditline.parse_body(envelope.text, kind if type(kind) is str else "")
    return line._replace(serial=_number(serial))


def _number(text: Any) -> int:
    """A serial number that the journal gives; -1 for what is none."""
    if not isinstance(text, str) or not _SERIAL.fullmatch(text) or int(text) > auditline.MAX_SERIAL:
        return -1
    return int(text)


def _stored(line: auditline.Line) -> dict[str, Any]:
    """The record's parts; of a name that stands more than once a list of its values."""
    found: dict[str, list[list[str]]] = {}
    for name, raw in line.fields:
        shown = line.enriched.get(name.upper()) or decoded(name, raw)
        found.setdefault(name, []).append([shown, raw] if shown != raw else [raw])
    data, _ = flat({name: values if len(values) > 1 else values[0] for name, values in found.items()})
    made: dict[str, Any] = {"type": line.type, "data": data}
    if line.serial >= 0:
        made["serial"] = line.serial
    if line.node:
        made["node"] = line.node
    return made
