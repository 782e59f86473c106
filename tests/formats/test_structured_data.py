# SPDX-License-Identifier: Apache-2.0
"""Structured data of RFC 5424: what was written comes out, and what is none is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats.structured_data import parse

NAME = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='="]\\['), min_size=1, max_size=8)
VALUES = st.lists(st.tuples(NAME, st.text(max_size=12)), max_size=4)


def escaped(text: str) -> str:
    """A value as the RFC wants it."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


@given(st.lists(st.tuples(NAME, VALUES), min_size=1, max_size=3))
def test_what_was_written_comes_out(elements: list[tuple[str, list[tuple[str, str]]]]) -> None:
    text = ""
    for name, values in elements:
        text += f"[{name}" + "".join(f' {key}="{escaped(value)}"' for key, value in values) + "]"
    wanted: dict[str, dict[str, list[str]]] = {}
    for name, values in elements:
        for key, value in values:
            wanted.setdefault(name, {}).setdefault(key, []).append(value)
        wanted.setdefault(name, {})
    found = parse(text)
    assert {
        name: {key: value if isinstance(value, list) else [value] for key, value in values.items()}
        for name, values in found.items()
    } == wanted


def test_repeated_parameters_and_elements_are_all_kept() -> None:
    found = parse('[a@1 x="1" x="2" y="3"][b@2][a@1 x="4"]')
    assert found == {"a@1": {"x": ["1", "2", "4"], "y": "3"}, "b@2": {}}


def test_a_backslash_before_another_character_is_one() -> None:
    assert parse(r'[a x="c:\temp\\ \"q\" \]"]') == {"a": {"x": 'c:\\temp\\ "q" ]'}}


@pytest.mark.parametrize(
    "text",
    ["-", "x", "[", "[]", "[a", '[a x="1"', '[a x="1]', '[a x="1"] tail', '[a x="]"]', "[a b]", "[ a]", '[a x="\\"]'],
)
def test_what_is_none_gives_none(text: str) -> None:
    assert parse(text) == {}


@given(st.text(alphabet='[]="\\ a@1-', max_size=30))
def test_any_text_has_an_answer(text: str) -> None:
    assert isinstance(parse(text), dict)


def test_a_long_text_takes_no_more_time_than_it_has_characters() -> None:
    assert parse("[a " + 'x="' + "\\" * 60_000) == {}
    assert parse("[a" + ' x="1"' * 20_000) == {}
    assert len(parse("".join(f'[a{number} x="1"]' for number in range(5_000)))) == 5_000
