# SPDX-License-Identifier: Apache-2.0
"""Texts on their way into SQLite and back; pure. Lone surrogates, which SQLite's own binding refuses, are kept."""


def text(value: str) -> bytes:
    """A text as it is bound where SQL says `CAST(? AS TEXT)`."""
    return value.encode("utf-8", "surrogatepass")


def text_back(data: bytes) -> str:
    """What `text` was made of."""
    return data.decode("utf-8", "surrogatepass")
