# SPDX-License-Identifier: Apache-2.0
"""Changes inputs as an attacker would: JSON stays JSON, sequences stay sequences, and the depths are reached."""

import json
from random import Random
from typing import Any

_NUMBERS = (0, 1, -1, 2, 7, 80, 255, 256, 65535, 65536, 2**31, 2**32 - 1, 2**53 + 1, 2**63 - 1, 2**64, 10**30)
_STRANGE: tuple[Any, ...] = (True, False, None, 0.5, -0.0, 1e300, 1.5e9, "", [], {}, [255], [256], [True], {"a": [1]})
_ATOMS = (
    "=80x24 =0x0 =65535x65535 >1 >2 <1 ]1/1 ]1/3 [1/2 +500 +2147483647999 >9999999999 ]0/0 2.3 2 3.0 1.99 \u00e9 "
    "\u65e5 \ud800 \udcff \ufffd \u202e \x1b[ \x1b] \x1b[1;31m \x1b[?1049h \x1b]0;t\x07 \x9b \x18 \x07 \x7f \x00 \r \b "
    "\x1b[2J \x1b[3;3H \x1b[999b \x1b[r \x1bc \x1b[6n \x1b[c rec-1 rec-2 yes no true 1e400 Infinity NaN 1-2 O I S H "
    "SIGWINCH ROWS=24 COLS=80 0.5 - -- = @ : . / * // /* */ ' \" \\ \\u0000 \\ud83d , { } [ ] \n \n\n"
)
_WORDS = _ATOMS.split(" ")
_NAMES = (
    "ver host rec user term session id pos time timing in_txt in_bin out_txt out_bin ttyscribe msg v MESSAGE message "
    "received uid pid procid program __CURSOR _HOSTNAME err version width height timestamp env"
)
_KEYS = _NAMES.split(" ")


def mutate(data: bytes, random: Random) -> bytes:
    """A changed input."""
    for _ in range(random.choice((1, 1, 2, 4))):
        data = random.choice((_line, _line, _insert, _cut, _copy, _flip))(data, random)
    return data


def _line(data: bytes, random: Random) -> bytes:
    """Change a value in a line that is JSON."""
    lines = data.split(b"\n")
    number = random.randrange(len(lines))
    try:
        value = json.loads(lines[number])
        changed = json.dumps(_value(value, random), ensure_ascii=random.random() < 0.5, separators=(",", ":"))
    except (ValueError, RecursionError):
        return _insert(data, random)
    lines[number] = changed.encode("utf-8", "surrogatepass")
    return b"\n".join(lines)


def _value(value: Any, random: Random) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        changed = dict(value)
        what = random.random()
        if what < 0.1:
            del changed[key]
        elif what < 0.2:
            changed[random.choice(_KEYS)] = changed.pop(key)
        elif what < 0.25:
            changed[random.choice(_KEYS)] = value[key]
        else:
            changed[key] = _value(value[key], random)
        return changed
    if isinstance(value, list) and value and random.random() < 0.8:
        place = random.randrange(len(value))
        return [*value[:place], _value(value[place], random), *value[place + random.choice((0, 1, 1)) :]]
    if isinstance(value, str) and random.random() < 0.8:
        return _text(value, random)
    if isinstance(value, int | float) and random.random() < 0.5:
        return random.choice(_NUMBERS) * random.choice((1, 1, 1, -1))
    return random.choice(_STRANGE)


def _text(text: str, random: Random) -> str:
    """A changed text; what is JSON itself stays so."""
    if text.lstrip().startswith("{"):
        inner = _line(text.encode("utf-8", "surrogatepass"), random)
        return inner.decode("utf-8", "replace")
    first = random.randrange(len(text) + 1)
    last = first + random.choice((0, 0, 0, 1, 5))
    return text[:first] + random.choice(_WORDS) * random.choice((1, 1, 1, 3, 20)) + text[last:]


def _insert(data: bytes, random: Random) -> bytes:
    first = random.randrange(len(data) + 1)
    word = random.choice(_WORDS).encode("utf-8", "surrogatepass") * random.choice((1, 1, 1, 2, 17))
    return data[:first] + word + data[first + random.choice((0, 0, 1, 4)) :]


def _cut(data: bytes, random: Random) -> bytes:
    first = random.randrange(len(data) + 1)
    return data[:first] + data[first + random.choice((1, 2, 9, 100)) :]


def _copy(data: bytes, random: Random) -> bytes:
    first = random.randrange(len(data) + 1)
    piece = data[first : first + random.choice((1, 4, 30, 200))]
    place = random.randrange(len(data) + 1)
    return data[:place] + piece * random.choice((1, 1, 2, 8)) + data[place:]


def _flip(data: bytes, random: Random) -> bytes:
    if not data:
        return bytes([random.randrange(256)])
    place = random.randrange(len(data))
    return data[:place] + bytes([random.choice((random.randrange(256), data[place] ^ 1, 0, 0x1B))]) + data[place + 1 :]
