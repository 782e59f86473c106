# SPDX-License-Identifier: Apache-2.0
"""The parts of a line, and how to put other values in their places; pure."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact

Path = tuple[str, ...]

_MOST_WORDS = 40
_MONTH = 40 * 86400
"""Seconds after which it is another month."""
_PAYLOADS = ("msg", "MESSAGE", "message", "log")
"""Keys whose text may be JSON of its own."""
_WORD = re.compile(r"[A-Za-z0-9_.:/-]+")


class Part(NamedTuple):
    """A part of a line, and how to put others in its place."""

    name: str
    value: Any
    put: Callable[[Any], bytes]
    whole: str = ""
    """Of a word the name of the text that it stands in."""


def of(line: bytes, most: int) -> Iterator[Part]:
    """The parts of a line: of an object its values, of a text in it that is an object its values, else its words."""
    return islice(_parts(line), most)


def _parts(line: bytes) -> Iterator[Part]:
    try:
        whole = exact.loads(line)
    except MessageError:
        whole = None
    if not isinstance(whole, dict):
        text = line.decode("utf-8", "surrogateescape")
        yield from _words(text, "the line", lambda new: new.encode("utf-8", "surrogateescape"))
        return
    for path, value in _paths(whole):

        def put(new: Any, path: Path = path) -> bytes:
            return _encoded(_replaced(whole, path, new))

        inner = _payload(path, value)
        if inner is not None:
            for below, held in _paths(inner):

                def put_inner(
                    new: Any, below: Path = below, inner: Any = inner, put: Callable[[Any], bytes] = put
                ) -> bytes:
                    return put(_text(_replaced(inner, below, new)))

                yield Part(".".join((*path, *below)), held, put_inner)
        elif path[-1] in _PAYLOADS and isinstance(value, str) and " " in value.strip():
            yield Part(".".join(path), value.removeprefix(" "), put)
            yield from _words(value, ".".join(path), put)
        else:
            yield Part(".".join(path), value, put)


def _payload(path: Path, value: Any) -> Any:
    """The object that a text is; none where it is none."""
    if path[-1] not in _PAYLOADS or not isinstance(value, str) or value.strip()[:1] != "{":
        return None
    try:
        found = exact.loads(value.encode("utf-8", "surrogateescape"))
    except (MessageError, UnicodeEncodeError):
        return None
    return found if isinstance(found, dict) else None


def _words(text: str, name: str, put: Callable[[Any], bytes]) -> Iterator[Part]:
    """The words of a text, as parts."""
    for match in list(_WORD.finditer(text))[:_MOST_WORDS]:

        def put_word(new: Any, start: int = match.start(), end: int = match.end()) -> bytes:
            return put(f"{text[:start]}{new}{text[end:]}")

        yield Part(f"{name} “{match[0][:40]}”", match[0], put_word, name)


def _paths(value: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        above, found = waiting.pop()
        if isinstance(found, dict) and (found or not above):
            waiting += [((*above, key), found[key]) for key in reversed(found)]
        else:
            yield above, found


def _replaced(value: Any, path: Path, new: Any) -> Any:
    """A copy of an object with another value at a path."""
    copied = node = dict(value)
    for key in path[:-1]:
        node[key] = dict(node[key])
        node = node[key]
    node[path[-1]] = new
    return copied


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _encoded(value: Any) -> bytes:
    try:
        return _text(value).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a sender wrote \\ud800
        return json.dumps(value, separators=(",", ":")).encode()


def others(part: Part) -> list[Any]:
    """Other values in place of a part, of its own form as far as that can be told."""
    found = _others(part.value)
    return [other for other in found if other] if part.whole else found  # a word less would move all others


def _others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value + _MONTH]
    if isinstance(value, float):
        return [value + 1.0, value + _MONTH]
    if isinstance(value, list):
        return [[*value[:-1], _others(value[-1])[0]]] if value else [["x"], [65]]
    if not isinstance(value, str):
        return ["x"]
    if value.isascii() and value.isdecimal():
        return [str(int(value[:18]) + 1), str(int(value[:18]) + _MONTH * 1_000_000)]
    try:
        when = timestamp.parse(value)
        return [timestamp.to_text(when + _MONTH * 10**9), timestamp.to_text(when + 10**9)]
    except MessageError:
        return [_swapped(value, str.isalpha), _swapped(value, str.isdecimal), f"{value}x", ""]


def _swapped(text: str, of_class: Callable[[str], bool]) -> str:
    """The text with its last sign of a class changed for another one of it: as long, and of the same form."""
    for number in range(len(text) - 1, -1, -1):
        if of_class(text[number]) and text[number].isascii():
            other = {"z": "y", "Z": "Y", "9": "8"}.get(text[number], chr(ord(text[number]) + 1))
            return text[:number] + other + text[number + 1 :]
    return text
