# SPDX-License-Identifier: Apache-2.0
"""Targets: what an engine, or whatever stands in front of one, answers to us."""

import json

from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.base import STORED, Outcome
from ttyscribe_store.elastic_write import understood
from ttyscribe_store.jsontext import shown
from ttyscribe_store.transport import Answer

_LONGEST = 1200
"""Characters of a reason: a part of the answer, and what it is about."""


def bulk(data: bytes) -> None:
    """`STATUS COUNT`, a line break and an answer: an outcome for each document, refused whole, or nothing is known."""
    head, _, body = data.partition(b"\n")
    status, _, sent = head.partition(b" ")
    code = int(status[:3]) if status[:3].isdigit() else 200
    count = int(sent[:2]) if sent[:2].isdigit() else 1
    try:
        found = understood(Answer(code, body, 0.0), count, "http://e:9200", lambda part: shown(part, 300))
    except Unavailable as error:
        _is_short_line(str(error))
        return
    if isinstance(found, str):
        assert code in (400, 413)
        _is_short_line(found)
        return
    assert code == 200
    assert len(found) == count
    for outcome in found:
        _is_outcome(outcome)
    items = json.loads(body.decode("utf-8", "surrogatepass"))["items"]
    wanted = [200 <= next(iter(item.values()))["status"] < 300 for item in items]
    assert [outcome == STORED for outcome in found] == wanted, "what is not said to be stored is not taken for stored"


def _is_outcome(outcome: Outcome) -> None:
    assert outcome.status in ("stored", "duplicate", "rejected", "retry")
    assert bool(outcome.reason) == (outcome.status in ("rejected", "retry"))
    assert len(outcome.reason) <= _LONGEST


def _is_short_line(text: str) -> None:
    assert 0 < len(text) <= _LONGEST
