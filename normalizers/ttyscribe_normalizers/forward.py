# SPDX-License-Identifier: Apache-2.0
"""The sink that is a Fluentd or Fluent Bit: `fluent://HOST[:PORT]`, `fluents://` for TLS.

A document counts as stored once its chunk is acknowledged. The receiver knows no ids: a chunk whose acknowledgement
was lost comes twice there (at least once); `viaq_msg_id` tells.
"""

import os
import re
from collections.abc import Sequence

from ttyscribe_fluentd.forward import PORT, Event, Forward, ForwardError
from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.access import read_secret, verified_tls
from ttyscribe_store.base import STORED, Outcome

KEY = "TTYSCRIBE_FLUENTD_SHARED_KEY"
KEY_FILE = "TTYSCRIBE_FLUENTD_SHARED_KEY_FILE"
CA_FILE = "TTYSCRIBE_FLUENTD_CA"
TAG = "ttyscribe"
_URL = re.compile(r"(fluents?)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?/?")


class FluentdSink:
    """Sends documents with the tag `ttyscribe.<kind>`."""

    def __init__(self, link: Forward) -> None:
        self._link = link

    def write(self, documents: Sequence[Document]) -> list[Outcome]:
        """One chunk for each kind; where one is not acknowledged its documents are to be sent again."""
        by_kind: dict[str, list[int]] = {}
        for number, document in enumerate(documents):
            by_kind.setdefault(str(document["ttyscribe"]["kind"]), []).append(number)
        outcomes = [STORED] * len(documents)
        for kind, numbers in by_kind.items():
            events = [_event(documents[number]) for number in numbers]
            try:
                self._link.send(f"{TAG}.{kind}", events)
            except ForwardError as error:
                if len(by_kind) == 1:
                    raise Unavailable(str(error)) from error
                for number in numbers:
                    outcomes[number] = Outcome("retry", str(error))
        return outcomes

    def check(self) -> None:
        """Connect. Raises Unavailable."""
        try:
            self._link.check()
        except ForwardError as error:
            raise Unavailable(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._link.close()


def _event(document: Document) -> Event:
    return Event(timestamp.parse(document["@timestamp"]), {**document})


def open_fluentd(url: str) -> FluentdSink:
    """The sink of a URL; shared key and CA come from the environment. Raises ConfigError."""
    found = _URL.fullmatch(url)
    if found is None or int(found[3] or 1) > 65535:
        raise ConfigError(f"{url!r}: say fluent://HOST:PORT, or fluents:// for TLS; keys go into {KEY_FILE}")
    context = verified_tls(os.environ.get(CA_FILE, "")) if found[1] == "fluents" else None
    host = found[2].removeprefix("[").removesuffix("]")
    return FluentdSink(Forward(host, int(found[3] or PORT), shared_key=_shared_key(), tls=context))


def _shared_key() -> str:
    path = os.environ.get(KEY_FILE)
    return read_secret(path) if path else os.environ.get(KEY, "")
