# SPDX-License-Identifier: Apache-2.0
"""Events of a Kubernetes cluster, as it has them and as the event router logs them.

::

    {"verb":"ADDED","event":{"metadata":{"name":"app.14d8","namespace":"shop","uid":"d828ac69-…"},"type":"Warning",
     "involvedObject":{"kind":"Pod","name":"app-7d9c"},"reason":"BackOff","message":"Back-off restarting","count":3}}

becomes a document `event:<uid>:<hash of the event>` with its message as the text, and the event under
`kubernetes.event`. An event that happens again is another document; one that is delivered again is not.
"""

import json
from typing import Any

from ttyscribe_formats import identity, words
from ttyscribe_formats.document import Document
from ttyscribe_formats.flat import flat
from ttyscribe_normalizers import containers, origin
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog
from ttyscribe_store import jsontext

_SEARCHED = ("reason", "involvedObject", "source")


class Kind(Syslog):
    """What the cluster says of its objects."""

    name = "kubernetes-event"
    order = 690

    def accepts(self, envelope: Envelope) -> bool:
        """Whether a collector of events wrote it."""
        return envelope.tag == containers.EVENT_TAG and not envelope.collector and envelope.object is not None

    def normalize(self, envelope: Envelope, error: str = "") -> list[Document]:
        """One document."""
        record = envelope.object or {}
        event = containers.event_of(record) or {}
        kubernetes, docker, rest = containers.names(record)
        rest = {} if event is record else {name: value for name, value in rest.items() if value is not event}
        view, whole = flat(event)
        original = envelope.original if whole or envelope.original else jsontext.dumps(record).decode()
        made = envelope._replace(object=rest, tag="", original=original)
        document: Any = super().normalize(made, error)[0]
        beside = [rest.get(key) for key in containers.TEXT_KEYS]
        about = [document["message"], origin.texts([*(event.get(name) for name in _SEARCHED), *beside])]
        document["ttyscribe"]["words"] = words.joined("\n".join(about))
        document["viaq_msg_id"] = _id(event) or document["viaq_msg_id"]
        document["kubernetes"] = kubernetes | {"event": view}
        if docker:
            document["docker"] = docker
        return [document]


def _id(event: dict[str, Any]) -> str:
    """Of an event that has a uid, as all of a cluster have; empty for what a program may have put there of its own."""
    metadata = event.get("metadata")
    uid = metadata.get("uid") if type(metadata) is dict else None
    if type(uid) is not str or not uid:
        return ""
    text = json.dumps(event, sort_keys=True, separators=(",", ":"))
    return f"event:{identity.key(uid)}:{identity.digest(text.encode())}"
