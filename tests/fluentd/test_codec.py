# SPDX-License-Identifier: Apache-2.0
"""Records out of bytes, however these are cut, and bytes that Fluentd's readers survive."""

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_fluentd.codec import Bad, Codec, CodecError, Json, MessagePack, clean
from ttyscribe_fluentd.padding import BLOCK, Padding

ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()))
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | ANY_TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner), max_leaves=8)
RECORDS = st.dictionaries(ANY_TEXT, VALUES, max_size=4)


def fed(codec: Codec, data: bytes, size: int) -> list[Any]:
    """The values of data that comes in pieces."""
    found = [value for at in range(0, len(data), size) for value in codec.feed(data[at : at + size])]
    return found + codec.end()


@given(st.lists(RECORDS), st.integers(1, 50), st.sampled_from([Json, MessagePack]))
def test_what_is_encoded_is_strictly_valid_and_comes_back(
    records: list[Any], size: int, kind: type[Json] | type[MessagePack]
) -> None:
    """FLU-2: whatever texts and numbers are in it, however the bytes are cut."""
    data = b"".join(map(kind().encode, records))
    if kind is Json:
        rows = [json.loads(row) for row in data.decode("utf-8", "strict").split("\n") if row]
    else:
        unpacker = msgpack.Unpacker(raw=False, unicode_errors="strict", strict_map_key=False)
        unpacker.feed(data)
        rows = list(unpacker)
    assert len(rows) == len(records)
    assert fed(kind(), data, size) == rows
    for row, record in zip(rows, records, strict=True):
        if "\ufffd" not in json.dumps(clean(record), ensure_ascii=False) and kind is MessagePack:
            assert row == clean(record)


@given(st.binary(max_size=300), st.integers(1, 20))
def test_any_bytes_give_values_or_one_clean_error(data: bytes, size: int) -> None:
    assert all(isinstance(value, object) for value in fed(Json(), data, size))
    try:
        found = fed(MessagePack(), data, size)
    except CodecError:
        return
    assert len(found) <= len(data)


def test_bytes_that_are_not_utf_8_are_kept_until_they_go_out() -> None:
    for kind, raw in ((Json, b'{"a":"caf\xe9"}\n'), (MessagePack, b"\x81\xa1a\xa4caf\xe9")):
        codec = kind()
        (record,) = codec.feed(raw)
        assert record["a"].encode("utf-8", "surrogateescape") == b"caf\xe9"
        assert b"\xe9" not in codec.encode(record)


def test_a_line_that_is_no_json_comes_as_itself() -> None:
    """FLU-5."""
    found = Json().feed(b'{"a":1}\nrubbish\n\n[1]\n"x"\n{"a":\n')
    assert found == [{"a": 1}, Bad(b"rubbish"), [1], "x", Bad(b'{"a":')]
    assert isinstance(found[1], Bad)


@pytest.mark.parametrize("raw", [b"\xc1", b"\xd9\xff", b"\x81\xa1a\xc1"])
def test_broken_messagepack(raw: bytes) -> None:
    codec = MessagePack()
    try:
        found = codec.feed(raw)
    except CodecError:
        return
    assert found == []
    assert codec.partial == len(raw)


def test_event_times_and_unknown_extensions() -> None:
    time = msgpack.ExtType(0, (1700000000).to_bytes(4, "big") + (500_000_000).to_bytes(4, "big"))
    packed = msgpack.packb({"time": time, "odd": msgpack.ExtType(7, b"abc")})
    assert MessagePack().feed(packed) == [{"time": 1700000000.5, "odd": b"abc"}]


@given(st.lists(st.integers(0, 3 * BLOCK)))
def test_blanks_fill_the_block_and_no_more(sizes: list[int]) -> None:
    """FLU-3."""
    padding, total = Padding(), 0
    for size in sizes:
        padding.wrote(size)
        total += size
        if size % 2:
            blanks = padding.pad()
            assert len(blanks) < BLOCK
            assert not blanks.strip(b" ")
            total += len(blanks)
            assert total % BLOCK == 0
            assert padding.pad() == b""
