# SPDX-License-Identifier: Apache-2.0
"""The word rule: one rule at write and at query, so that every store finds the same.

NFKC, then casefold; a word is a maximal run of Unicode letters, marks, decimal digits and `_`, cut into pieces of 64
characters; all else separates. A query term that gives several words is a phrase.
"""

import re
import unicodedata
from collections.abc import Iterator

MAX_WORD = 64
SLICE = 16 << 10
"""Characters that `joined` works on at a time; one may become eighteen (U+FDFA), and words are costly to hold."""

ASCII_WORDS = bytes(code if chr(code).isalnum() or code == 0x5F else 0x20 for code in range(128)).lower() + b" " * 128
"""For bytes.translate: letters in lower case, digits and _ as they are, all else a blank."""
_UTF_8 = ASCII_WORDS[:128] + bytes(range(128, 256))
_LETTERS = bytes(0x20 if code == 0x20 else 0x77 for code in ASCII_WORDS)
_TOO_LONG = b"w" * (MAX_WORD + 1)
_TERM = re.compile(r'"([^"]*)"?|(\S+)')
_BLANK = " "


class _Separators(dict[int, str]):
    """For str.translate: everything that is not part of a word becomes a blank; learned character by character."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        kept = character if category[0] in "LM" or category == "Nd" or character == "_" else _BLANK
        self[code] = kept
        return kept


_separators = _Separators()


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    if text.isascii():
        return _cut(text.encode().translate(ASCII_WORDS).decode().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    # ASCII at speed, in which bytes of other characters stay; these are looked at only in the pieces that have them.
    found = folded.encode("utf-8", "surrogatepass").translate(_UTF_8).decode("utf-8", "surrogatepass").split()
    pieces = []
    for piece in found:
        if piece.isascii():
            pieces.append(piece)
        else:
            pieces += piece.translate(_separators).split()
    return _cut(pieces)


def _cut(pieces: list[str]) -> list[str]:
    if max(map(len, pieces), default=0) <= MAX_WORD:
        return pieces
    return [piece[i : i + MAX_WORD] for piece in pieces for i in range(0, len(piece), MAX_WORD)]


def joined(text: str) -> str:
    """The words of a text, joined by blanks: what stores index."""
    if text.isascii():
        return joined_ascii(text.encode())
    if len(text) <= SLICE:
        return _BLANK.join(words(text))
    parts = (_BLANK.join(words(part)) for part in _slices(unicodedata.normalize("NFKC", text)))
    return _BLANK.join(filter(None, parts))


def _slices(text: str) -> Iterator[str]:
    """Cut at blanks, where neither words nor normal forms go on; a stretch without any stays whole."""
    at = 0
    while at < len(text):
        end = at + SLICE
        if end < len(text):
            end = text.rfind(_BLANK, at, end) + 1 or text.find(_BLANK, end) + 1
        yield text[at : end or len(text)]
        at = end or len(text)


def joined_ascii(text: bytes) -> str:
    """The same of ASCII."""
    found = text.translate(ASCII_WORDS)
    if len(found) > MAX_WORD and _TOO_LONG in found.translate(_LETTERS):
        return _BLANK.join(_cut(found.decode().split()))
    return b" ".join(found.split()).decode()


def query_terms(text: str) -> list[list[str]]:
    """A person's words: blanks separate terms, quotes hold one together; each term as its list of words."""
    found = (match.group(1) or match.group(2) or "" for match in _TERM.finditer(text))
    return [term for term in map(words, found) if term]
