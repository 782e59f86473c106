# SPDX-License-Identifier: Apache-2.0
"""Journal export: every form of a field, cut anywhere; and what is none."""

import contextlib
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats import journalfile
from ttyscribe_formats.errors import MessageError

FIELDS = st.dictionaries(
    st.text("ABCXYZ_019", min_size=1, max_size=9), st.lists(st.binary(max_size=30), min_size=1, max_size=3), min_size=1
)


def decode(data: bytes) -> list[dict[str, Any]]:
    """All entries."""
    file = io.BytesIO(data)
    return list(journalfile.decode(file.read, file.readline))


def encode(fields: dict[str, list[bytes]]) -> bytes:
    """As journalctl does it."""
    parts = []
    for name, values in fields.items():
        for value in values:
            if b"\n" in value or not value.isascii() or any(byte < 32 for byte in value):
                parts.append(name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n")
            else:
                parts.append(name.encode() + b"=" + value + b"\n")
    return b"".join(parts) + b"\n"


def shown(value: bytes) -> Any:
    """As JSON has it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return list(value)


@given(st.lists(FIELDS, max_size=4))
def test_what_is_written_is_read(entries: list[dict[str, list[bytes]]]) -> None:
    found = decode(b"".join(map(encode, entries)))
    wanted = [
        {name: shown(values[0]) if len(values) == 1 else list(map(shown, values)) for name, values in fields.items()}
        for fields in entries
    ]
    assert found == wanted


@given(st.lists(FIELDS, min_size=1, max_size=3), st.data())
def test_what_is_cut_off_is_told_or_shorter(entries: list[dict[str, list[bytes]]], data: st.DataObject) -> None:
    text = b"".join(map(encode, entries))
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with contextlib.suppress(MessageError):
        assert len(decode(cut)) <= len(entries)


@pytest.mark.parametrize(
    "data",
    [b"=x\n", b"A=x", b"A\n\x05\0\0\0\0\0\0\0ab\n", b"A\n" + b"\xff" * 8, b"A\n\x01\0\0\0\0\0\0\0abc", b"\x1b[m=x\n\n",
     b"A" * 300 + b"=x\n", b"A\n\x01"],
)  # fmt: skip
def test_what_is_no_export_is_told(data: bytes) -> None:
    with pytest.raises(MessageError, match="entry 1: "):
        decode(data)


def test_an_entry_that_would_fill_the_memory_is_refused() -> None:
    line = b"A=" + b"x" * (1 << 20) + b"\n"
    with pytest.raises(MessageError, match="longer than 64 MiB"):
        decode(line * 65)
