# SPDX-License-Identifier: Apache-2.0
"""mmexternal's lines and replies as values."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrsyslog_omprog.fulljson import NONE, Changes, decode, encode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
ANY_TEXT = st.text(st.characters())  # lone surrogates too


def test_a_message_as_rsyslog_sends_it() -> None:
    """MME-7: bytes that are not UTF-8 are kept; without variables rsyslog sends null."""
    message = decode(b'{ "msg": " caf\xe9", "pri": "86", "uuid": null, "$!": null }')
    assert message == {"msg": " caf\udce9", "pri": "86", "uuid": None, "$!": {}}
    assert decode(b'{ "$!": { "uid": 0 } }')["$!"] == {"uid": 0}


@pytest.mark.parametrize("line", [b"", b"text", b"[]", b"null", b'"x"', b"1", b"{", b"[" * 100_000, b'{"a":' * 99_999])
def test_what_is_no_message_is_an_error(line: bytes) -> None:
    """MME-7."""
    with pytest.raises(ValueError, match=r"."):
        decode(line)


@pytest.mark.parametrize("changes", [None, {}])
def test_no_change_is_an_empty_object(changes: Changes | None) -> None:
    """MME-4."""
    assert encode(changes) == NONE == b"{}\n"


@given(
    st.fixed_dictionaries({}, optional={"msg": ANY_TEXT, "hostname": ANY_TEXT, "$!": st.dictionaries(ANY_TEXT, VALUES)})
)
def test_a_reply_is_one_line_of_ascii_that_holds_the_changes(changes: Any) -> None:
    """MME-2, MME-6."""
    reply = encode(changes)
    assert reply.isascii()
    assert reply.count(b"\n") == 1
    assert reply.endswith(b"\n")
    assert json.loads(reply) == changes


NESTED: list[Any] = []
for _ in range(5000):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    "changes",
    [
        {"timereported": "x"},
        {"$": {}},
        {"$!": "x"},
        {"$!": None},
        {"msg": 1},
        {"msg": b"x"},
        {"pri": None},
        {"$!": {"x": float("nan")}},
        {"$!": {"x": float("inf")}},
        {"$!": {"x": b""}},
        {"$!": {1j: 1}},
        {"$!": {"x": NESTED}},
    ],
)
def test_what_rsyslog_would_not_take_is_an_error(changes: Any) -> None:
    """MME-5."""
    with pytest.raises((ValueError, TypeError)):
        encode(changes)
