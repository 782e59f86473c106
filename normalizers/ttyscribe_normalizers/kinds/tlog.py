# SPDX-License-Identifier: Apache-2.0
"""Messages of terminal recordings, as tlog and ttyscribe-rec write them.

::

    {"ver":"2.3","host":"web7","rec":"4113-13dda","user":"ada","term":"xterm","session":3,"id":7,"pos":4218,
     "time":1795521604.218,"timing":"=80x24>3","in_txt":"","in_bin":[],"out_txt":"hi\n","out_bin":[]}

becomes a document `tlog:4113-13dda:7:<hash>` that holds it complete and exact under `tlog`, with what was shown as
`message`, what was typed as `ttyscribe.typed`, and its numbers. The words of both are searched, and those of what was
hidden from the eye: written into control strings, or written over.
"""

import re
from typing import Any, cast

from ttyscribe_formats import identity
from ttyscribe_formats import tlog as codec
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.proven import Prover, Session
from ttyscribe_formats.readable import readable, size_of
from ttyscribe_formats.reading import measure
from ttyscribe_normalizers import exact, journal, origin, parts
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds import Context

PROGRAMS = frozenset(("ttyscribe", "tlog", "tlog-rec", "tlog-rec-session", ""))
"""Recorders name themselves so: an object from them with `ver` is a message, however little of it came.
The empty name is that of a line from a recorder's own file."""

_MS = 1_000_000
_MAX_ID = 2**63 - 1
_KEYS = frozenset(codec.KEYS)
_SAID = {"TLOG_REC": "rec", "TLOG_USER": "user", "TLOG_SESSION": "session", "TLOG_ID": "id"}
"""Fields that a recorder adds to its journal entries, and the message's keys that say the same."""
_BOOT = re.compile(r"([0-9a-f]{32})-")
"""How a recording's id begins."""
# A carriage return is the Enter key, and a backspace takes nothing back of what was typed.
_TYPED = {0x0D: "\n", 0x08: None}


class Kind:
    """Recordings' messages."""

    name = "tlog"
    order = 10

    def __init__(self, context: Context) -> None:
        self._trust = context.trust
        self._sharing = parts.Sharing(parts.normalizer(context.version, context.protocol))
        self._prover = Prover(exact.fast_loads)

    def accepts(self, envelope: Envelope) -> bool:
        """Whether it is an object with a recording's message's keys, as far as it came."""
        text = envelope.text
        return text[:1] == "{" and '"ver"' in text and ('"timing"' in text or envelope.program in PROGRAMS)

    def normalize(self, envelope: Envelope) -> list[Document]:
        """One document. Raises MessageError for a message that is broken, that is, can't be played back."""
        fields = envelope.fields
        if not envelope.raw:
            try:
                if fields is None:
                    fields = exact.fast_loads(envelope.text)
                found = self._prover.prove(envelope.text, fields)
            except ValueError:
                found = None
            if found is not None:
                session, (id_ends, time_ns, in_txt, out_txt, last_ms) = found
                document_id = f"tlog:{session.recording}:{id_ends}"
                sizes = size_of(in_txt), size_of(out_txt), last_ms, 0
                return self._document(envelope, fields, session, document_id, time_ns, in_txt, out_txt, *sizes)
        return self._checked(envelope)

    def _checked(self, envelope: Envelope) -> list[Document]:
        """The same for a message that is not as its recorder wrote it, or the first of its recording."""
        fields, message = checked(envelope)
        size = measure(message)
        session = Session(message.host, message.user, recording_of(message))
        document_id = identity.tlog_id(session.recording, message)
        self._prover.learn(envelope.text, message, session)
        time_ns = envelope.time_ns if message.time_ms is None else message.time_ms * _MS
        texts = message.in_txt, message.out_txt
        sizes = size.in_bytes, size.out_bytes, size.last_ms, size.resizes
        return self._document(envelope, fields, session, document_id, time_ns, *texts, *sizes)

    def _document(
        self,
        envelope: Envelope,
        fields: Any,
        session: Session,
        document_id: str,
        time_ns: int,
        in_txt: str,
        out_txt: str,
        in_bytes: int,
        out_bytes: int,
        last_ms: int,
        resizes: int,
    ) -> list[Document]:
        host, user, recording = session
        level, way, sender, systemd = self._sharing.of(envelope, host)
        clear, searched = readable(out_txt)
        at, own = parts.begun("tlog", envelope, time_ns)
        own["trust"] = self._trust.of(envelope.sender_uid, "" if envelope.relayed else user)
        own["recording"] = recording
        own["out_bytes"], own["in_bytes"] = out_bytes, in_bytes
        own["last_ms"], own["resizes"] = last_ms, resizes
        own.update(sender)
        if in_txt:
            typed, keys = readable(in_txt.translate(_TYPED))
            own["typed"] = typed
            searched = f"{searched} {keys}" if searched and keys else searched or keys
        own["words"] = searched
        document: dict[str, Any] = {
            "@timestamp": at,
            "hostname": host or envelope.host,
            "level": level,
            "message": clear,
            "pipeline_metadata": parts.received_way(way, envelope.received),
            "viaq_msg_id": document_id,
            "tlog": fields,
            "ttyscribe": own,
        }
        if envelope.journal is None and envelope.header is None:
            if systemd:
                document["systemd"] = systemd
        else:
            origin.add(document, own, envelope)
            own.update(origin.session(envelope))
            contradicted(own, envelope, fields)
        parts.held(own, envelope, host)
        return [cast("Document", document)]


def contradicted(own: dict[str, Any], envelope: Envelope, fields: dict[str, Any]) -> None:
    """Take trust away from a message that its journal entry contradicts, and what they differ in.

    The message is what is played, the entry's `TLOG_...` fields come from the same sender: an honest one writes the
    same into both. `_AUDIT_SESSION` and `_BOOT_ID` are journald's own, but those of whoever sends, perhaps again, what
    another recorded.
    """
    entry = envelope.journal or {}
    said = {name: journal.word(entry[name]) for name in _SAID if name in entry}
    wanted = {name: str(fields.get(key, "")) for name, key in _SAID.items()}
    differing = [name for name, text in said.items() if text != wanted[name] or type(entry[name]) is not str]
    if (session := own.get("audit_session")) is not None and session != fields["session"]:
        differing.append("_AUDIT_SESSION")
        del own["audit_session"]
    boot = _BOOT.match(str(fields.get("rec", "")))
    if boot is not None and own.get("boot_id", boot[1]) != boot[1]:
        differing.append("_BOOT_ID")
        del own["boot_id"]
    if differing:
        own["trust"] = "none"
        own["doubt"] = f"the journal entry contradicts the message: {', '.join(differing)}"


def recording_of(message: codec.Message) -> str:
    """The key of the recording that a message belongs to."""
    return identity.recording_key(message.rec, message.host, message.user, message.session, message.term)


def checked(envelope: Envelope) -> tuple[dict[str, Any], codec.Message]:
    """A message's fields, complete and exact, and the message. Raises MessageError for what can't be one."""
    if envelope.raw:
        raise MessageError("the message is not UTF-8")
    fields, message = _decoded(envelope)
    if message.id > _MAX_ID:
        raise MessageError('Message has invalid "id" field value: beyond 63 bit')
    return fields if _is_exact(fields, message) else codec.to_fields(message), message


def _decoded(envelope: Envelope) -> tuple[dict[str, Any], codec.Message]:
    """The message's fields as parsed, and the message; exact where the fast parser is not."""
    try:
        fields = envelope.fields if envelope.fields is not None else exact.fast_loads(envelope.text)
        if type(fields) is dict and codec.OWN_KEY not in fields:
            return fields, codec.from_fields(fields)
    except (ValueError, MessageError):
        pass
    fields = exact.loads(envelope.text.encode("utf-8", "surrogatepass"))
    if type(fields) is not dict:
        raise MessageError("not a JSON object")
    return fields, codec.from_fields(fields)


def _is_exact(fields: dict[str, Any], message: codec.Message) -> bool:
    """Tell whether the parsed fields are what the message would be written as: nothing else, nothing rounded."""
    return (
        fields.keys() == _KEYS
        and fields["ver"] == message.ver
        and message.time_ms is not None
        and fields["time"] == message.time_ms / 1000
        and type(fields["time"]) is float
        and not message.in_bin  # true and false are numbers to Python
        and not message.out_bin
    )
