# SPDX-License-Identifier: Apache-2.0
"""Syslog messages that hold a JSON object behind the cookie `@cee:`.

::

    <29>Nov 24 12:00:00 web7 shop[77]: @cee: {"msg":"order taken","order":{"id":12345678901234567890},"took":0.25}

becomes a document like that of any syslog message or journal entry, with `msg` (or `message`) as its text and all else
under `structured`, exactly. What is no JSON object behind the cookie is kind syslog, with the text as it is.
"""

from typing import Any

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog
from ttyscribe_store import jsontext

COOKIE = "@cee:"
TEXT_KEYS = ("msg", "message")


class Kind(Syslog):
    """Objects behind the cookie."""

    name = "cee"
    order = 800

    def accepts(self, envelope: Envelope) -> bool:
        """Whether the message begins with the cookie."""
        return envelope.text.lstrip().startswith(COOKIE)

    def normalize(self, envelope: Envelope, error: str = "") -> list[Document]:
        """One document. Raises MessageError where there is no JSON object behind the cookie."""
        raw = envelope.raw or envelope.text.encode("utf-8", "surrogatepass")
        payload = raw.lstrip().removeprefix(COOKIE.encode()).strip()
        fields, more = parsed(payload)
        if type(fields) is not dict:
            raise MessageError("what stands behind @cee: is no JSON object")
        key = next((key for key in TEXT_KEYS if type(fields.get(key)) is str), None)
        rest = {name: value for name, value in fields.items() if name != key}
        text = payload.decode("utf-8", "replace") if key is None else fields[key]
        original = envelope.original
        if more and not original:
            original = _text(payload) if envelope.journal is None else jsontext.dumps(envelope.journal).decode()
        document: Any = super().normalize(envelope._replace(text=text, object=rest, original=original), error)[0]
        if key is not None:
            document["ttyscribe"]["text_key"] = key
        return [document]


def parsed(payload: bytes) -> tuple[Any, bytes]:
    """The payload's value without lone surrogates, and the payload where it says more. Raises MessageError."""
    try:
        fields, more = exact.whole(payload, exact.fast_loads(payload))
    except ValueError:
        fields, more = exact.read_whole(payload)
    clean = exact.without_surrogates(fields)
    return clean, more if clean is fields else payload


def _text(payload: bytes) -> str:
    """The payload as text; empty where it is not UTF-8: then the message's bytes are kept."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return ""
