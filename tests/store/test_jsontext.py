# SPDX-License-Identifier: Apache-2.0
"""JSON that keeps every value, with orjson and without."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ttyscribe_store import jsontext

SURROGATES = st.text(st.characters(categories=["Cs"], max_codepoint=0xDBFF), max_size=3)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text()
    | SURROGATES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def _typed(value: Any) -> Any:
    """The value with the type of each of its parts."""
    if isinstance(value, dict):
        return {name: _typed(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_typed(part) for part in value]
    return (type(value).__name__, repr(value))


@pytest.fixture(params=["orjson", "standard library"], autouse=True, scope="module")
def _library(request: pytest.FixtureRequest) -> Any:
    """Both ways, whatever is installed."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "orjson":
            pytest.importorskip("orjson")
        else:
            patch.setattr(jsontext, "orjson", None)
        yield


@given(VALUES)
@example([2**64, 2**63, -(2**63), -(2**63) - 1, 10**18, 10**30])
@example(["\ud800", "\udcff", "a\x00b", "\u2028", "\U0010ffff"])
@example([0.1, -0.0, 1e300, 5e-324, 1.0])
@example({"\ud800": "null", "0000000000000000000": None})
def test_what_is_written_is_read_again_exactly(value: Any) -> None:
    assert _typed(jsontext.loads(jsontext.dumps(value))) == _typed(value)


@given(VALUES)
def test_it_is_one_line_of_json_in_utf_8(value: Any) -> None:
    text = jsontext.dumps(value)
    assert b"\n" not in text
    assert _typed(json.loads(text.decode())) == _typed(value)
    assert _typed(jsontext.loads(text.decode())) == _typed(value)


@pytest.mark.parametrize("value", [math.inf, -math.inf, [1, {"a": (2, math.inf)}]])
def test_infinities_do_not_become_nothing(value: Any) -> None:
    assert repr(jsontext.loads(jsontext.dumps(value))) == repr(value).replace("(", "[").replace(")", "]")


def test_what_is_no_number_stays_so_beside_nothing() -> None:
    back = jsontext.loads(jsontext.dumps([None, {"a": math.nan}, "null"]))
    assert back[0] is None
    assert math.isnan(back[1]["a"])


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [object(), {1}, b"bytes", _nested(100_000)], ids=["object", "set", "bytes", "deep"])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        jsontext.dumps(value)


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b"\xff", b'"\xc3"', b"[" * 100_000, "nul", b"\xed"])
def test_what_is_no_json_is_refused(text: bytes | str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        jsontext.loads(text)
