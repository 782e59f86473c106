# SPDX-License-Identifier: Apache-2.0
"""The sink that is no store: documents as JSON Lines on a descriptor."""

import os
from collections.abc import Sequence

from ttyscribe_formats.document import Document
from ttyscribe_store import jsontext
from ttyscribe_store.base import STORED, Outcome


class JsonLines:
    """`-`: writes each document as one line; OSError where the reader has gone or the disk is full."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, documents: Sequence[Document]) -> list[Outcome]:
        """Write all lines in as few writes as the kernel takes; a document that is no JSON is rejected."""
        try:
            lines, outcomes = [jsontext.dumps(document) + b"\n" for document in documents], [STORED] * len(documents)
        except (TypeError, ValueError, RecursionError):
            lines, outcomes = _one_by_one(documents)
        rest = memoryview(b"".join(lines))
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        return outcomes

    def check(self) -> None:
        """Always ready."""

    def close(self) -> None:
        """Leave the descriptor to its owner."""


def _one_by_one(documents: Sequence[Document]) -> tuple[list[bytes], list[Outcome]]:
    lines, outcomes = [], []
    for document in documents:
        try:
            lines.append(jsontext.dumps(document) + b"\n")
        except (TypeError, ValueError, RecursionError) as error:
            outcomes.append(Outcome("rejected", f"can't be written: {error}"))
        else:
            outcomes.append(STORED)
    return lines, outcomes
