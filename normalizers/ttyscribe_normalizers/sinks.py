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
        """Write all lines in as few writes as the kernel takes."""
        dumps = jsontext.dumps
        rest = memoryview(b"".join([dumps(document) + b"\n" for document in documents]))
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        return [STORED] * len(documents)

    def check(self) -> None:
        """Always ready."""

    def close(self) -> None:
        """Leave the descriptor to its owner."""
