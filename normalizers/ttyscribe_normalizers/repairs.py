# SPDX-License-Identifier: Apache-2.0
"""Says of a document what had to be repaired in it, so that such documents are found and counted; pure.

What was there before stands beside the repair, not indexed: `ttyscribe.raw`, `ttyscribe.bytes`, and `original`.
"""

from collections.abc import Sequence
from typing import Any

from ttyscribe_formats.document import Document
from ttyscribe_normalizers.envelope import Envelope

BYTES = "bytes"
"""Bytes that are no UTF-8, or halves of a pair, of the message or of a field of the journal."""
CHARACTERS = "characters"
"""Control characters, in a message that has no such bytes."""
VALUES = "values"
"""Of an object: too long, no text, numbers that readers round, or standing twice."""
_WITH_ORIGINAL = ("aushape", "sudo")
"""Kinds that keep the whole of an event below their own names."""


def tell(documents: Sequence[Document], envelope: Envelope) -> None:
    """Add the reasons to those of the message's documents that were repaired."""
    document: Any
    for document in documents:
        own = document.get("ttyscribe")
        if own is None or "kind" not in own:  # ViaQ's own document, which no store takes
            continue
        kind = own["kind"]
        if "raw" in own or "original" in own or "bytes" in own or kind in _WITH_ORIGINAL:
            found = _reasons(document, own, kind, envelope)
            if found:
                own["repaired"] = found


def _reasons(document: Any, own: Any, kind: str, envelope: Envelope) -> list[str]:
    found = []
    if "raw" in own:
        found.append(BYTES if envelope.raw or kind == "aushape" else CHARACTERS)
    if "bytes" in own and BYTES not in found:
        found.append(BYTES)
    if "original" in own or (kind in _WITH_ORIGINAL and "original" in document[kind]):
        found.append(VALUES)
    return found
