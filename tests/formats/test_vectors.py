# SPDX-License-Identifier: Apache-2.0
"""Messages that the real tlog-rec wrote come out of our chunker byte for byte (delays are wall time)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.packet import Output

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "data/tlog-vectors.json").read_bytes())[
    "vectors"
]
HEADER = Header("host", "rec", "user", "term", 1)
SECOND = 1_000_000_000


def tail(message: bytes) -> str:
    """From the timing field to the last bracket, delays made equal."""
    text = message.decode()
    return re.sub(r"\+\d+", "+N", text[text.index('"timing"') : text.rindex("]") + 1])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_same_messages_as_tlog(case: dict[str, Any]) -> None:
    """The same steps give the same messages, the latency timer included."""
    payload = next((int(o.removeprefix("--payload=")) for o in case["options"] if "payload" in o), 2048)
    latency = any("--latency=1" in option for option in case["options"])
    chunker = Chunker(HEADER, payload)
    now, messages = 0, []
    for step in case["steps"]:
        if "out_hex" in step:
            messages += chunker.feed(Output(now, bytes.fromhex(step["out_hex"])), 0)
        else:
            now += int(step["sleep_s"] * SECOND)
            messages += chunker.flush() if latency and step["sleep_s"] > 1 else []
    messages += chunker.cut()
    assert [tail(m) for m in messages] == [re.sub(r"\+\d+", "+N", m["tail"]) for m in case["messages"]]
    assert [json.loads(m)["id"] for m in messages] == [m["id"] for m in case["messages"]]
