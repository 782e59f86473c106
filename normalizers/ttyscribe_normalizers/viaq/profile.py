# SPDX-License-Identifier: Apache-2.0
"""The profile: what a message's record becomes in the chain, with the identity that the message has in any profile."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

from ttyscribe_formats import timestamp
from ttyscribe_formats import tlog as codec
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.viaq import Record
from ttyscribe_formats.viaq.chain import Chain
from ttyscribe_formats.viaq.displaced import Displaced
from ttyscribe_formats.viaq.settings import Tags
from ttyscribe_normalizers import parts
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds import Context, syslog, tlog
from ttyscribe_normalizers.viaq import fitting, records
from ttyscribe_normalizers.viaq.recorded import Reader
from ttyscribe_normalizers.viaq.senders import Senders

_MS = 1_000_000


class Wanted(NamedTuple):
    """What the profile is made of."""

    chain: Chain
    tags: Tags
    node_name: str | None
    now_ns: Callable[[], int]
    stored: bool
    """Whether documents go to a store, which needs the namespace `ttyscribe`; else they are ViaQ's own."""
    keeps_collector: bool = False
    """Whether the chain leaves the collector's stamp to the collector."""


class Profile:
    """A kind that takes every message."""

    name = "viaq"
    order = 0

    def __init__(self, wanted: Wanted, context: Context) -> None:
        self._wanted = wanted
        self._stamp = context.stamp
        self._tlog, self._syslog = tlog.Kind(context), syslog.Kind(context)
        self._reader = Reader()
        self._senders = Senders(None if wanted.keeps_collector else wanted.chain.usual(wanted.tags.journal))

    def accepts(self, envelope: Envelope) -> bool:  # noqa: ARG002 - whatever it is
        """Everything."""
        return True

    def normalize(self, envelope: Envelope, error: str = "") -> list[Document]:
        """One document, whatever the message is."""
        if not error:
            made = self._quick(envelope)
            if made is not None:
                return [made]
            try:
                found = self._recording(envelope)
            except MessageError as broken:
                error = str(broken)
            else:
                if found is not None:
                    return [found]
        return [self._finished(envelope, error)]

    def _quick(self, envelope: Envelope) -> Document | None:
        """The document of a usual syslog message, where no store wants more; None for any other."""
        if self._wanted.stored or envelope.raw or not records.is_syslog(envelope):
            return None
        now_ns = self._wanted.now_ns()
        if not self._tlog.accepts(envelope):
            made = self._senders.made(envelope, envelope.host, envelope.text, envelope.time_ns // 1000, now_ns)
            if made is not None:
                made["viaq_msg_id"] = self._syslog.document_id(envelope)
            return cast("Document | None", made)
        found = self._reader.proven(envelope)
        if found is None or found.time_ms is None:
            return None
        host = found.host or envelope.host
        made = self._senders.made(envelope, host, found.shown, found.time_ms * 1000, now_ns)
        if made is not None:
            made["viaq_msg_id"] = found.document_id
            made["tlog"] = found.fields
        return cast("Document | None", made)

    def _recording(self, envelope: Envelope) -> Document | None:
        """The document of a recording's message; None for any other. Raises MessageError for one that is broken."""
        key = ""
        if not _is_shipped(envelope):
            key, text = records.recorder_text(envelope)
            if not key:
                return None
            envelope = envelope._replace(text=text, raw=b"")
        return self._recorded(envelope, key) if self._tlog.accepts(envelope) else None

    def _recorded(self, envelope: Envelope, key: str) -> Document:
        """A message of a recording: complete under `tlog`, what was shown as the message. Raises MessageError.

        `key`: where it stands in a record of another collector.
        """
        own: Any = None
        if self._wanted.stored:
            normal: Any = self._tlog.normalize(envelope)[0]
            own, fields = normal["ttyscribe"], normal["tlog"]
            shown, host, document_id = normal["message"], normal["hostname"], normal["viaq_msg_id"]
            time_ms = codec.from_fields(fields).time_ms
        else:
            fields, document_id, host, time_ms, shown = self._reader.read(envelope)
            host = host or envelope.host
        made = None
        if time_ms is not None and records.is_syslog(envelope):
            made = self._senders.made(envelope, host, shown, time_ms * 1000, self._wanted.now_ns())
        is_usual = made is not None
        if made is None:
            tag, record = records.record_of(envelope, self._wanted.tags, self._wanted.node_name)
            records.fill(record, key, shown, host, -1 if time_ms is None else time_ms * 1000)
            if key and time_ms is not None:
                envelope = envelope._replace(time_ns=time_ms * _MS)
            made = self._run(tag, record, envelope, host)
            if host and "kubernetes" in made:
                made["hostname"] = host  # where it was recorded; the node stands there
            _set_aside(made, ("ttyscribe",))
            if not _says_the_same(made.get("tlog", fields), fields):
                _set_aside(made, ("tlog",))
        made["viaq_msg_id"] = document_id
        if own is not None:
            self._store(made, own, envelope, is_usual=is_usual)
        made["tlog"] = fields
        return cast("Document", made)

    def _finished(self, envelope: Envelope, error: str) -> Document:
        """Any other message."""
        made = None
        if records.is_syslog(envelope):
            time_us = envelope.time_ns // 1000
            made = self._senders.made(envelope, envelope.host, envelope.text, time_us, self._wanted.now_ns())
        is_usual = made is not None
        if made is None:
            tag, record = records.record_of(envelope, self._wanted.tags, self._wanted.node_name)
            made = self._run(tag, record, envelope, "")
            _set_aside(made, ("ttyscribe",))
        made["viaq_msg_id"] = self._syslog.document_id(envelope)
        if self._wanted.stored:
            message = made.get("message")
            own = self._syslog.own(envelope, message if type(message) is str else envelope.text, error)
            self._store(made, own, envelope, is_usual=is_usual)
        elif envelope.raw or error:
            made["ttyscribe"] = {"raw": b64encode(envelope.raw).decode()} if envelope.raw else {}
            if error:
                made["ttyscribe"]["error"] = error
        return cast("Document", made)

    def _run(self, tag: str, record: Record, envelope: Envelope, host: str) -> Record:
        if self._wanted.keeps_collector and "pipeline_metadata" not in record:
            collector = parts.way(envelope, {}, host).get("collector")
            if collector:
                record["pipeline_metadata"] = {"collector": dict(collector)}
        return self._wanted.chain.step(tag)(record, envelope.time_ns, self._wanted.now_ns())

    def _store(self, made: Record, own: Any, envelope: Envelope, *, is_usual: bool) -> None:
        """Make it a document that every store takes: its time, host and message are what the stores order and show."""
        try:
            at_ns = timestamp.parse(made["@timestamp"])
        except (MessageError, KeyError, AttributeError, TypeError):
            at_ns = -1
        if not 0 <= at_ns < parts.MAX_NS:
            _set_aside(made, ("@timestamp",))
            made["@timestamp"] = envelope.received
        own.pop("lag_ms", None)  # by a time that the chain may have replaced
        own |= parts.begun(own["kind"], envelope, at_ns)[1]
        for name, text in (("hostname", envelope.host), ("message", envelope.text), ("level", "unknown")):
            if type(made.get(name)) is not str:
                if type(made.get(name)) is list and name == "message":
                    del made[name]  # the message's bytes, of which the text is made
                _set_aside(made, (name,))
                made[name] = text if name != "message" or _is_shipped(envelope) else ""
        if not is_usual:
            _keep(made, fitting.fit(made, fitting.tree(own["kind"])))
        made["ttyscribe"] = own


def _is_shipped(envelope: Envelope) -> bool:
    """Whether a shipper or the journal brought the message, and it is no record of another collector."""
    return envelope.record is None or envelope.record is envelope.journal


def _says_the_same(nested: Any, fields: Record) -> bool:
    """Whether an object that came nested says nothing that the message itself does not."""
    return type(nested) is dict and all(fields.get(key) == value for key, value in nested.items())


def _set_aside(made: Record, names: Iterable[str]) -> None:
    """Take fields away that are ours to fill or that a store can't take, and keep them among the undefined ones."""
    _keep(made, {name: made.pop(name) for name in names if name in made})


def _keep(made: Record, values: Record) -> None:
    if values:
        displaced = Displaced(lossless=True)
        for path, value in values.items():
            displaced.put(path, value)
        displaced.into(made, "undefined", as_text=False)
