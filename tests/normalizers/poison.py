# SPDX-License-Identifier: Apache-2.0
"""Hostile lines with what becomes of each by the design's table, for every protocol and for a real rsyslogd."""

import json
from typing import NamedTuple

from tests.normalizers.samples import line, text

_ID = b"E59101DB99164E47B6CAAF8A93598736"
STORED, BROKEN, DEAD, EMPTY = "stored", "broken", "dead", "empty"
"""Broken: kept as kind syslog with the error."""


class Poison(NamedTuple):
    """One hostile line."""

    raw: bytes
    """As it comes on a pipe, without its LF; for rsyslog's template and NDJSON alike."""
    becomes: str
    message: str = ""
    """What is stored as message; empty: not looked at."""
    on_pipe: str = ""
    """What becomes of it under NDJSON, where that is something else: a pipe takes more shapes."""


def _tlog(**fields: object) -> bytes:
    return line(text(**fields))


def _deep(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


MESSAGES = {
    "truncated JSON": (text()[:90], BROKEN),
    "60 KB": ("long " + "word " * 12_000, STORED),
    "a recording's message of 60 KB": (text(timing=">60000", out_txt="x" * 60_000), STORED),
    "an array": ("[1,2,3]", STORED),
    "an array of messages": (f"[{text()},{text()}]", STORED),
    "nested deep": (_deep(3000), STORED),
    "a recording's message nested deep": (text(ttyscribe=1).replace(":1}", f":{_deep(3000)}}}"), BROKEN),
    "NaN": ('{"a":NaN,"b":-Infinity}', STORED),
    "a recording's time that is NaN": (text().replace("1795521604.218", "NaN"), BROKEN),
    "an integer beyond 64 bits": ('{"a":340282366920938463463374607431768211456}', STORED),
    "a recording's id beyond 64 bits": (text(id=2**70), BROKEN),
    "a lone surrogate, escaped": (r'{"a":"\ud800"}', STORED),
    "a key that occurs twice": ('{"a":1,"a":2}', STORED),
    "a recording's key that occurs twice": (text()[:-1] + ',"id":"8"}', BROKEN),
    "octal escapes": ("a#000b#012c#033[1m", STORED),
    "an unfinished string": ('{"ver":"2.3","timing":"', BROKEN),
    "brackets without end": ("[" * 50_000, STORED),
    "a number without end": ("1" * 50_000, STORED),
    "a key without end": ('{"' + "k" * 50_000, STORED),
}
"""Messages that go through any shipper as they are: name, text, what becomes of it."""

_LINES = {
    name: Poison(line(message), becomes, "" if "ver" in message else message)
    for name, (message, becomes) in MESSAGES.items()
} | {
    "latin-1 in the message": Poison(line("caf\udce9"), STORED, "caf\ufffd"),
    "latin-1 in a recording's message": Poison(_tlog(out_txt="caf\udce9\n"), BROKEN),
    "NUL in the message": Poison(line("a\0b\tc"), STORED, "a#000b\tc"),
    "a lone surrogate in the message": Poison(line("X").replace(b"X", rb"a\udfff"), STORED, "a\ufffd\ufffd\ufffd"),
    "a bare surrogate's bytes": Poison(line("X").replace(b"X", b"a\xed\xa0\x80"), STORED),
    "1 MB of message": Poison(line("x" * 1_000_000), DEAD),
    "a line cut short": Poison(line("x")[:60], DEAD),
    "a line that is an array": Poison(b"[1,2]", DEAD),
    "a line that is a number": Poison(b"7", DEAD),
    "a line that is NaN": Poison(b"NaN", DEAD),
    "a line of an integer beyond 64 bits": Poison(b"9" * 5000, DEAD),
    "a line of NUL": Poison(b"\0\0", DEAD),
    "a line of latin-1": Poison(b"caf\xe9", DEAD),
    "a line of 1 MB": Poison(b"x" * 1_000_000, DEAD),
    "a line of 2.5 MB": Poison(b"y" * 2_500_000, DEAD),
    "a line nested beyond any stack": Poison(b"[" * 500_000, DEAD),
    "a line of objects nested beyond any stack": Poison(b'{"v":1,"msg":' * 50_000, DEAD),
    "an envelope with a deep value": Poison(
        json.dumps({"v": 1, "msg": "m"}).encode()[:-1] + b',"x":' + b"[" * 3000 + b"]" * 3000 + b"}", DEAD
    ),
    "an envelope whose message is an array": Poison(b'{"v":1,"msg":[1]}', DEAD),
    "an empty line": Poison(b"", EMPTY),
    "a line of blanks": Poison(b" \t ", EMPTY),
    "an empty message": Poison(line(""), EMPTY),
    "a message that occurs twice": Poison(line("first")[:-1] + b',"msg":"second"}', STORED, "second"),
    "a version that is an integer beyond 64 bits": Poison(line("x", v=2**80), DEAD, on_pipe=STORED),
    "a BOM": Poison(b"\xef\xbb\xbf" + line("x"), DEAD, on_pipe=STORED),
}
LINES = {
    name: poison._replace(raw=poison.raw.replace(_ID, b"poison-%d" % number))
    for number, (name, poison) in enumerate(_LINES.items())
}
"""All of them, each under an id of its own."""
