# SPDX-License-Identifier: Apache-2.0
"""Targets: what audit converters, auditd and sudo log, on its way to documents that keep all of it."""

import re
from base64 import b64decode
from typing import Any

from tests.fuzz.lines import must_become_documents
from tests.normalizers import samples
from tests.normalizers.test_aushape import original
from ttyscribe_formats import aushape, flat, strictjson
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import envelope, exact
from ttyscribe_normalizers.pipeline import MAX_TEXT

_JOINS = re.compile(r"[\s,\[\]\ufeff]+")


def events(data: bytes) -> None:
    """aushape's JSON, however many events and whatever stands between them."""
    text = data.replace(b"\n", b" ").decode("utf-8", "surrogateescape")
    pieces = aushape.read(text)
    if "#01" not in text:  # else some of these were blanks
        assert _JOINS.sub("", "".join(piece.text for piece in pieces)) == _JOINS.sub("", text)
    documents = _documents(text, "aushape")
    if not aushape.looks_like(exact.repaired(text)[0]) or len(data) > MAX_TEXT:
        return
    assert len(documents) == len(pieces)
    for document, piece in zip(documents, pieces, strict=True):
        if isinstance(piece, aushape.Broken):
            assert document["ttyscribe"]["error"]
            assert len(pieces) == 1 or _kept(document) == _bytes(piece.text)
        else:
            assert flat.is_flat(document["aushape"].get("data", {}))
            raw = document["ttyscribe"].get("raw")
            assert original(document) == piece.fields or b64decode(raw) == _bytes(piece.text)
            assert document["viaq_msg_id"] == aushape.document_id(piece, "web7")
            assert document["message"].isprintable() or not document["message"].isascii()


def records(data: bytes) -> None:
    """A raw audit record."""
    text = data.replace(b"\n", b" ").decode("utf-8", "surrogateescape")
    for document in _documents(text, "audispd"):
        kind = document["ttyscribe"]["kind"]
        if kind in ("audit-line", "syslog"):
            assert _kept(document) == _bytes(text)
        if kind == "audit-line":
            assert flat.is_flat(document["audit"]["data"])


def sudo(data: bytes) -> None:
    """An entry of sudo's log, in JSON or of old."""
    text = data.replace(b"\n", b" ").decode("utf-8", "surrogateescape")
    for document in _documents(text, "sudo"):
        if document["ttyscribe"]["kind"] != "sudo" or "data" not in document["sudo"]:
            continue
        assert flat.is_flat(document["sudo"]["data"])
        body = document["sudo"].get("original") or text
        if "raw" not in document["ttyscribe"]:
            value = strictjson.loads(body.lstrip().removeprefix("@cee:").lstrip())
            inner = next(iter(value["sudo"].values())) if "sudo" in value else value
            assert "original" in document["sudo"] or document["sudo"]["data"] == inner


def _documents(text: str, program: str) -> list[Any]:
    """What becomes of a message of this program through rsyslog's template."""
    line = samples.line("", program=program, msg="XYZ")
    escaped = samples.line(text).partition(b'"msg":"')[2].removesuffix(b'"}')
    return must_become_documents(line.replace(b"XYZ", escaped), envelope.decode)


def _kept(document: Any) -> bytes:
    """The bytes of a message that its document keeps."""
    raw = document["ttyscribe"].get("raw")
    return b64decode(raw) if raw else document["message"].encode()


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise MessageError("no bytes") from None
