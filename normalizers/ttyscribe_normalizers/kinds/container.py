# SPDX-License-Identifier: Apache-2.0
"""Output of containers: docker's json-file and journald, the CRI, Fluentd's kubernetes_metadata.

::

    {"log":"GET / 200\n","stream":"stdout","time":"2026-11-24T12:00:00.123456789Z","docker":{"container_id":"4f1c…"},
     "kubernetes":{"namespace_name":"shop","pod_name":"app-7d9c","labels":{"app.kubernetes.io/name":"shop"}}}
    2026-11-24T12:00:00.123456789Z stdout F GET / 200

becomes a document with the text as it was printed, the names under `kubernetes` and `docker`, labels by their own names
and all else under `structured`. A part of a line is a document of its own, `ttyscribe.partial` says that it goes on.
"""

from typing import Any

from ttyscribe_formats.document import Document
from ttyscribe_formats.flat import is_flat
from ttyscribe_normalizers import containers
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog
from ttyscribe_store import jsontext


class Kind(Syslog):
    """Lines that containers print."""

    name = "container"
    order = 700

    def accepts(self, envelope: Envelope) -> bool:
        """Whether a collector of containers' output wrote it, into the journal or not."""
        if envelope.journal is not None:
            return containers.is_entry(envelope.journal)
        return envelope.tag == containers.TAG and not envelope.collector and envelope.object is not None

    def normalize(self, envelope: Envelope, error: str = "") -> list[Document]:
        """One document."""
        if envelope.journal is not None:
            kubernetes, docker = containers.names_of_entry(envelope.journal)
            partial = containers.partial_entry(envelope.journal)
            document: Any = super().normalize(envelope, error)[0]
        else:
            record = envelope.object or {}
            key = envelope.program
            kubernetes, docker, rest = containers.names(record)
            partial = containers.partial(record | {key: ""}, envelope.text)
            original = envelope.original if envelope.original or is_flat(rest) else jsontext.dumps(record).decode()
            made = envelope._replace(object=rest, program="", tag="", original=original)
            document = super().normalize(made, error)[0]
            document["ttyscribe"]["text_key"] = key
        for name, found in (("kubernetes", kubernetes), ("docker", docker)):
            if found:
                document[name] = found
        if partial:
            document["ttyscribe"]["partial"] = partial
        return [document]
