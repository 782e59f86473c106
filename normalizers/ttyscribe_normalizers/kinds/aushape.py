# SPDX-License-Identifier: Apache-2.0
"""Audit events as aushape and ttyscribe-audit write them: one by one, or several in a document.

::

    [{"serial":880,"time":"2026-11-24T12:00:00.771+00:00","data":{"syscall":{"syscall":["execve","59"],
     "success":["yes"],"pid":["1201"],"auid":["ada","1000"],"uid":["root","0"],"ses":["23"],"exe":["/usr/bin/ps"]},
     "cwd":{"cwd":["/root"]},"execve":["ps","-ef"]}},{"serial":881,...}]

becomes one document an event, `audit:web7:1795521600771:880:<hash>`, that holds it complete and exact under `aushape`,
what it says in typed fields (`process`, `user`, `file`, `source`, `destination`, `event`), and as `message` a sentence:
`ada ran ps -ef as root in /root: success`. A broken event becomes a document of kind syslog with the error, by itself.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, cast

from ttyscribe_formats import auditfacts, aushape, words
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.flat import MAX_VALUE, flat
from ttyscribe_normalizers import exact, origin, parts
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds import Context
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog

PROGRAMS = frozenset(("aushape", "ttyscribe-audit", ""))
"""Converters name themselves so; the empty name is that of a line from a converter's own file."""

_BOOT = re.compile(r"[0-9a-f]{32}")


class Kind:
    """Audit events."""

    name = "aushape"
    order = 20

    def __init__(self, context: Context) -> None:
        self._trust = context.trust
        self._normalizer = parts.normalizer(context.version, context.protocol)
        self._syslog = Syslog(context)

    def accepts(self, envelope: Envelope) -> bool:
        """Whether it is an event or a document, as a converter or a shipper behind it writes them."""
        text, program = envelope.text, envelope.program
        if aushape.looks_like(text):
            return program in PROGRAMS or aushape.begins_one(text)
        return text[:1] == "[" and program in PROGRAMS and aushape.is_empty(text)

    def normalize(self, envelope: Envelope) -> list[Document]:
        """One document an event. Raises MessageError where there is but one and it is broken."""
        found, exact_texts = _events(envelope)
        if len(found) == 1 and type(found[0]) is aushape.Broken:
            raise MessageError(found[0].reason)
        documents: list[Document] = []
        for number, piece in enumerate(found):
            if type(piece) is aushape.Broken:
                documents += self._broken(envelope, piece, number)
            else:
                event, raw = cast("aushape.Event", piece), b""
                document_id = aushape.document_id(event, envelope.host)
                if not exact_texts:
                    event, raw = _repaired(event)
                documents.append(self._document(envelope, event, document_id, raw))
        return documents

    def _broken(self, envelope: Envelope, piece: aushape.Broken, number: int) -> Sequence[Document]:
        """A piece of a document by itself; its identity is its place in the message, the same with each delivery."""
        text, raw = exact.repaired(piece.text)
        stamp = f"{envelope.stable_id}.{number}" if envelope.stable_id else ""
        return self._syslog.normalize(envelope._replace(text=text, raw=raw, stable_id=stamp), piece.reason)

    def _document(self, envelope: Envelope, event: aushape.Event, document_id: str, raw: bytes) -> Document:
        fields = event.fields
        known = auditfacts.facts(aushape.records(event))
        error = fields.get("error", "")
        message = _message(event, known.sentence)
        at, own = parts.begun("aushape", envelope, event.time_ns)
        own |= {
            "trust": self._trust.of(envelope.sender_uid),
            "words": words.joined("\n".join([message, known.searched, *(fields.get("text", []) if error else [])])),
        }
        parts.sender(own, envelope)
        parts.held(own, envelope, event.node)
        if boot := _boot(fields, envelope):
            own["boot_id"] = boot
        if known.session is not None:
            own["audit_session"] = known.session
        if raw:
            own["raw"] = b64encode(raw).decode()
        document = {
            "@timestamp": at,
            "hostname": envelope.host or event.node,
            "level": parts.level(envelope.severity),
            "message": message,
            "pipeline_metadata": parts.way(envelope, self._normalizer),
            "viaq_msg_id": document_id,
            "aushape": _stored(event, short=len(envelope.text) <= MAX_VALUE),
            **known.parts,
            "ttyscribe": own,
        }
        origin.add(document, own, envelope)
        return cast("Document", document)


def _events(envelope: Envelope) -> tuple[Sequence[aushape.Event | aushape.Broken], bool]:
    """Every event, exact, and whether their texts are known to be without lone surrogates.

    At speed where that is known to lose nothing.
    """
    text = envelope.text
    if envelope.raw:
        return aushape.read(envelope.raw.decode("utf-8", "surrogateescape")), False
    try:
        value = envelope.fields if envelope.fields is not None else exact.fast_loads(text)
    except ValueError:
        return aushape.read(text), False
    # The text of each event by itself is only needed where a value may be too long for the engines.
    if type(value) is dict:
        events = aushape.of_values([value], text)
        if events is not None:
            return [events[0]._replace(text=text)], True
    elif type(value) is list and len(text) <= MAX_VALUE:
        events = aushape.of_values(value, text)
        if events is not None:
            return events, True
    return aushape.read(text), False


def _message(event: aushape.Event, sentence: str) -> str:
    error = event.fields.get("error")
    if not error:
        return sentence or f"audit event {event.serial}"
    told = f"audit event {event.serial} was not converted: {auditfacts.clean(error)}"
    return f"{told}; {sentence}" if sentence else told


def _stored(event: aushape.Event, *, short: bool) -> dict[str, Any]:
    """The event as it is kept: its keys in order, and the original where the engines can't take all of it as it is.

    `short`: the message is no longer than a value may be; all else that engines refuse is no event.
    """
    fields = event.fields
    made = {key: fields[key] for key in aushape.KEYS if key in fields}
    kept, whole = len(made), True
    for key in () if short else ("data", "norm"):
        if key in made:
            made[key], same = flat(made[key])
            whole = whole and same
    if not whole:
        made["original"] = exact.repaired(event.text)[0]
    if len(fields) > kept:
        made["other"] = {key: value for key, value in fields.items() if key not in made}
    return made


def _boot(fields: dict[str, Any], envelope: Envelope) -> str:
    """The host's boot, as the converter or the journal says, the journal as far as it is believed."""
    own = fields.get("ttyscribe")
    if type(own) is not dict:
        return str(origin.session(envelope).get("boot_id", ""))
    boot = own.get("boot_id")
    return boot if type(boot) is str and _BOOT.fullmatch(boot) else ""


def _repaired(event: aushape.Event) -> tuple[aushape.Event, bytes]:
    """The event without lone surrogates, and its bytes where there were some."""
    fields = exact.without_surrogates(event.fields)
    if fields is event.fields:
        return event, b""
    text, raw = exact.repaired(event.text)
    return event._replace(fields=fields), raw or text.encode()
