# SPDX-License-Identifier: Apache-2.0
"""Reading our own key: what the recorder wrote comes back typed, what a forger wrote is bounded or ignored."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.own import NOTHING, STREAMS, Lost, Mask, Own, Skip, read_object, read_own
from ttyscribe_formats.packet import Output
from ttyscribe_formats.reading import measure, message_packets

MS = 1_000_000
DIGEST = "0123456789abcdef" * 2


def with_key(value: object) -> dict[str, Any]:
    """The fields of a message that carries this key."""
    chunker = Chunker(Header("h", "r", "u", "xterm", 7))
    chunker.feed(Output(0, b"0123456789"), 0)
    return tlog.to_fields(tlog.decode(chunker.flush()[0])) | {"ttyscribe": value}


def test_what_the_recorder_writes_comes_back() -> None:
    """Every part of it."""
    chunker = Chunker(Header("h", "r", "u", "xterm", 7), marks=True)
    chunker.feed(Output(0, b"out", "stdout"), 0)
    chunker.feed(Output(0, b"err", "stderr"), 0)
    chunker.mask(1 * MS, 5 * MS)
    chunker.skip(7 * MS, "stdin", 2**40, DIGEST)
    chunker.lost(3, 9, 'a "reason"')
    (line,) = chunker.end(143, 9 * MS)
    own = read_own(tlog.decode(line))
    losses = (Lost(3, 9, "a ?reason?"),)
    assert own == Own(143, (Mask(1, 5),), (Skip(7, "stdin", 2**40, DIGEST),), losses, ((3, 6),))
    assert read_object(json.loads(line)["ttyscribe"]) == own
    assert read_own(tlog.decode(line)._replace(extra=b"")) == NOTHING


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"end": 0},
        {"end": {"status": True}},
        {"end": {"status": -1}},
        {"end": {"status": 256}},
        {"end": {"status": "0"}},
        {"mask": [[5, 1], [1], [1, 2, 3], ["1", "2"], [1, 2.5], [True, True], [-1, 2], [0, 2**60], 7, None]},
        {"mask": {"0": [1, 2]}},
        {"skip": [{"ms": 1, "stream": "tty\x1b[31m", "bytes": 1, "digest": DIGEST}]},
        {"skip": [{"ms": 1, "stream": "stdout", "bytes": -1, "digest": DIGEST}]},
        {"skip": [{"ms": 1, "stream": "stdout", "bytes": 1, "digest": DIGEST.upper()}]},
        {"skip": [{"ms": 1, "stream": "stdout", "bytes": 1}]},
        {"lost": [{"from": 3, "to": 1, "why": ""}, {"from": 0, "to": 1, "why": ""}, {"from": 1, "to": 2}]},
        {"err": [[1, 0], [-1, 5], [1, "2"]]},
        {"mask": [[1, 2]], "x": "x" * 1024},
    ],
    ids=str,
)
def test_what_has_another_shape_is_ignored(value: dict[str, Any]) -> None:
    """Item by item; a key that is too long as a whole."""
    assert read_object(value) == NOTHING
    assert read_own(tlog.from_fields(with_key(value))) == NOTHING


def test_good_items_beside_bad_ones_count() -> None:
    """A forger of one item hides no other; a later version may add parts."""
    value = {"v": 2, "mask": [None, [1, 2]], "new": {"x": [1]}, "lost": [7, {"from": 1, "to": 1, "why": "\x1b]2;\xe9"}]}
    assert read_object(value) == Own(masks=(Mask(1, 2),), losses=(Lost(1, 1, "?]2;?"),))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(DIGEST),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["v", "end", "mask", "skip", "lost", "err", "status", "ms", "stream", "bytes", "digest", "from"]
            )
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=400, deadline=None)
@given(anything)
def test_a_forged_key_is_read_or_refused_in_one_clean_way(value: object) -> None:
    """Of any shape: a MessageError for what is no object, else numbers within bounds and printable text."""
    read_object(value)
    try:
        message = tlog.from_fields(with_key(value))
    except MessageError:
        assert not isinstance(value, dict)
        return
    own = read_own(message)
    assert all(0 <= mask.start_ms <= mask.end_ms for mask in own.masks)
    assert all(skip.stream in STREAMS and skip.size >= 0 for skip in own.skips)
    assert all(1 <= loss.first <= loss.last and loss.why.isascii() for loss in own.losses)
    assert own.status is None or 0 <= own.status <= 255
    data = b"".join(packet.data for packet in message_packets(message) if isinstance(packet, Output))
    assert data == b"0123456789"
    assert measure(message).out_bytes == 10


def test_deep_and_endless_keys_end() -> None:
    """Nesting beyond what the interpreter takes, and numbers without end, are one clean error or nothing."""
    deep: object = []
    for _ in range(100_000):
        deep = [deep]
    assert read_object({"mask": deep}) == NOTHING
    line = json.dumps(with_key({}))[:-3]
    for text in ('{"mask":' + "[" * 100_000 + "]" * 100_000 + "}}", '{"end":{"status":' + "9" * 10_000 + "}}}"):
        with pytest.raises(MessageError):
            tlog.decode(line + text)
