# SPDX-License-Identifier: Apache-2.0
"""Lines as shippers write them, and a pipeline to feed them to."""

import json
from typing import Any

from ttyscribe_normalizers import envelope, golden, kinds, shapes
from ttyscribe_normalizers.golden import NAMES, NOW_NS, stamps
from ttyscribe_normalizers.pipeline import MAX_TEXT, Decode, Pipeline

__all__ = ["MESSAGE", "NAMES", "NOW_NS", "RECEIVED", "document", "line", "pipeline", "stamps", "text", "viaq_pipeline"]

RECEIVED = "2026-11-24T12:00:01.000000+00:00"
MESSAGE: dict[str, Any] = {
    "ver": "2.3",
    "host": "web7.example.com",
    "rec": "4113-13dda",
    "user": "ada",
    "term": "xterm",
    "session": 3,
    "id": 7,
    "pos": 4218,
    "time": 1795521604.218,
    "timing": "=80x24>3",
    "in_txt": "",
    "in_bin": [],
    "out_txt": "hi\n",
    "out_bin": [],
}
"""One message of a recording; its time is 2026-11-24T12:00:04.218."""


def text(**fields: Any) -> str:
    """A message of a recording as it is logged; `fields` replace those of MESSAGE."""
    return json.dumps(MESSAGE | fields, ensure_ascii=False, separators=(",", ":"))


def line(message: str, **fields: Any) -> bytes:
    """A line of rsyslog's template; `fields` replace values, None takes the key out."""
    made: dict[str, Any] = {
        "v": 1,
        "id": "E59101DB99164E47B6CAAF8A93598736",
        "received": RECEIVED,
        "time": RECEIVED,
        "host": "web7",
        "from": "127.0.0.1",
        "program": "ttyscribe",
        "tag": "ttyscribe:",
        "procid": "-",
        "facility": "10",
        "severity": "6",
        "input": "imuxsock",
        "uid": "0",
        "pid": "4113",
        "msg": f" {message}",
    }
    made |= fields
    kept = {key: value for key, value in made.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape")


def pipeline(
    decode: Decode = envelope.decode, *, max_text: int = MAX_TEXT, trusted: tuple[int, ...] = (0,)
) -> Pipeline:
    """A pipeline whose stamps are `stamp-1`, `stamp-2`..., and which knows three users."""
    protocol = "ndjson" if decode is shapes.decode else "omprog"
    return golden.pipeline(protocol, kinds.load, max_text, trusted)


def viaq_pipeline(protocol: str = "ndjson", *, stored: bool = True, config: str = "") -> Pipeline:
    """The same under the profile viaq, with the time now at NOW_NS; `config` is TOML, empty: the shipped one."""
    return golden.viaq_pipeline(protocol, config, stored=stored)


def document(raw: bytes, decode: Decode = envelope.decode) -> Any:
    """The only document of one line."""
    processed = pipeline(decode).process(raw, NOW_NS)
    assert processed.dead is None, processed.dead
    assert len(processed.documents) == 1
    return processed.documents[0]
