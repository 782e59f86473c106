# SPDX-License-Identifier: Apache-2.0
"""JSON with comments: what json-c takes, the lines of keys, and one clean error for everything else."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.jsonc import Entry, parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def plain(entry: Entry) -> Any:
    """The value without lines."""
    if isinstance(entry.value, dict):
        return {key: plain(value) for key, value in entry.value.items()}
    if isinstance(entry.value, list):
        return [plain(value) for value in entry.value]
    return entry.value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_it_reads_what_the_standard_library_writes(value: object, indent: int | None, ascii_only: bool) -> None:
    """Any value, in any layout."""
    assert plain(parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only), "f")) == value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet='{}[]",:\'\\/*\n 0123456789.-etrufalsnu"', max_size=60) | st.text(max_size=40))
def test_anything_parses_or_is_one_clean_error(text: str) -> None:
    """Never another exception, never a hang; the error names file and line."""
    try:
        parse(text, "f")
    except ConfigError as error:
        path, line, complaint = error.path, error.line, str(error)
        assert path == "f"
        assert 1 <= line <= text.count("\n") + 1
        assert "\n" not in complaint


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("/* a */ {// b\n'a': True, \"b\": nULL /**/ ,} // end", {"a": True, "b": None}),
        ('{"a": "// no comment", "b": "/* nor this */"}', {"a": "// no comment", "b": "/* nor this */"}),
        ("""{'a': 'it\\'s "x" \\" \\u0041'}""", {"a": 'it\'s "x" " A'}),
        ("[1, -2, 3.5, 1e3,]", [1, -2, 3.5, 1000.0]),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('"line\nbreak\ttab"', "line\nbreak\ttab"),
    ],
)
def test_what_else_is_taken(text: str, value: object) -> None:
    """As json-c does, so that a file which served tlog serves on."""
    assert plain(parse(text, "f")) == value


def test_lines_are_those_of_the_keys() -> None:
    """Comments and values over several lines count too."""
    found = parse('{\n/*\n*/ "a": 1,\n"b":\n{ "c": 1,\n\n"d": 2 } }', "f").value
    assert isinstance(found, dict)
    assert (found["a"].line, found["b"].line) == (3, 4)
    inner = found["b"].value
    assert isinstance(inner, dict)
    assert (inner["c"].line, inner["d"].line) == (5, 7)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "f:1: ends too early"),
        ("{\n", "f:2: a key in quotes or } is missing here"),
        ('{"a" 1}', "f:1: a colon is missing behind 'a'"),
        ('{"a": 1\n"b": 2}', "f:2: a comma or } is missing here"),
        ("[1 2]", "f:1: a comma or ] is missing here"),
        ("{} x", "f:1: 'x' stands behind the end"),
        ("\n/* x", "f:2: a comment does not end"),
        ('{"a": "x', "f:1: a text has no end, or a wrong escape"),
        ('"\\x"', "f:1: a text has no end, or a wrong escape"),
        ("yes", "f:1: 'yes' is no value"),
        ("1" * 30, None),
        ("[" * 100_000, "f:1: more than 32 values inside each other"),
    ],
)
def test_errors_name_the_line(text: str, complaint: str | None) -> None:
    """And say in one line what is wrong there."""
    if complaint is None:
        assert isinstance(parse(text, "f").value, float)
        return
    with pytest.raises(ConfigError) as caught:
        parse(text, "f")
    assert str(caught.value) == complaint
