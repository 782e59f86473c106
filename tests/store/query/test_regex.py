# SPDX-License-Identifier: Apache-2.0
"""The common subset of regular expressions, against Python's own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_store.query.regex import BadRegex, Regex


def _repeat(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    marks = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}"])
    return st.tuples(inner, marks).map("".join)


ATOMS = st.sampled_from(
    ["a", "b", "c", "é", ".", "\\.", "\\d", "\\W", "\\s", "[ab]", "[^a]", "[a-c_]", "[\\d-]", "#", "\\-", " ", "\\n"]
)
EXPRESSIONS = st.recursive(
    _repeat(ATOMS),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map("".join)
        | _repeat(st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"))
    ),
    max_leaves=6,
)
ANCHORED = st.tuples(st.sampled_from(["", "^"]), EXPRESSIONS, st.sampled_from(["", "$"])).map("".join)
TEXTS = st.text(alphabet="abcxé.01_- #\n", max_size=12)


def theirs(source: str) -> re.Pattern[str]:
    """The same expression as Python reads it; its `$` also stands before a last line end, ours does not."""
    return re.compile(source.removesuffix("$") + "\\Z" * source.endswith("$"), re.DOTALL | re.ASCII)


@given(ANCHORED, TEXTS)
def test_it_finds_what_python_finds(source: str, text: str) -> None:
    assert bool(Regex(source).pattern.search(text)) == bool(theirs(source).search(text))


@given(ANCHORED, TEXTS)
def test_what_is_needed_is_in_every_match(source: str, text: str) -> None:
    regex = Regex(source)
    if regex.pattern.search(text):
        assert all(needed in text for needed in regex.needed)


@pytest.mark.parametrize(
    ("source", "needed", "lucene"),
    [
        ("shadow", ("shadow",), ".*(shadow).*"),
        ("^/etc/shadow$", ("/etc/shadow",), "(\\/etc\\/shadow)"),
        ("ab.cd", ("ab", "cd"), ".*(ab.cd).*"),
        ("abc+d", ("ab", "c", "d"), ".*(ab(c)+d).*"),
        ("(abc|abx)e", ("e",), ".*((abc|abx)e).*"),
        ("(abc)+", ("abc",), ".*(((abc))+).*"),
        ("a?b{0,2}", (), ".*((a)?(b){0,2}).*"),
        ("[a-c]\\d", (), ".*([a-c][0-9]).*"),
        ('say "#1 <x>@&~"', ('say "#1 <x>@&~"',), '.*(say\\ \\"\\#1\\ \\<x\\>\\@\\&\\~\\").*'),
        ("", (), ".*.*"),
        ("^$", (), ""),
        ("(a|)b", ("b",), ".*((a|())b).*"),
    ],
)
def test_as_the_engines_read_it(source: str, needed: tuple[str, ...], lucene: str) -> None:
    regex = Regex(source)
    assert (regex.needed, regex.lucene) == (needed, lucene)


@pytest.mark.parametrize(
    ("source", "at", "what"),
    [
        ("a(b", 1, "never closed"),
        ("ab)", 2, "closes nothing"),
        ("a[b", 1, "never closed"),
        ("a[]", 1, "without members"),
        ("a[[:alpha:]]", 2, "by name"),
        ("a[c-b]", 4, "backwards"),
        ("*a", 0, "something before it"),
        ("a|+", 2, "something before it"),
        ("a*?", 2, "lazy"),
        ("a{2}{3}", 2, "lazy"),
        ("a{x", 1, "begin a count"),
        ("a{3,2}", 1, "small to large"),
        ("a{300}", 1, "up to 255"),
        ("a^b", 1, "beginning only"),
        ("a$b", 1, "end only"),
        ("(^a)", 1, "beginning only"),
        ("(a$)", 2, "end only"),
        ("^a|b", 2, "parentheses"),
        ("(?i)a", 0, "(?"),
        ("(?=a)", 0, "(?"),
        ("\\bfoo", 0, "not known"),
        ("(a)\\1", 3, "not known"),
        ("a\\", 1, "not known"),
        ("a]", 1, "write \\]"),
        ("(" * 21 + "a" + ")" * 21, 20, "at most 20 deep"),
        ("a" * 501, 500, "at most 500"),
    ],
)
def test_what_is_outside_is_told_with_its_place(source: str, at: int, what: str) -> None:
    with pytest.raises(BadRegex) as caught:
        Regex(source)
    assert what in str(caught.value)
    assert caught.value.at == at


@given(st.text(alphabet="ab()[]{}*+?|^$\\.-,01dwsnx\n", max_size=15))
def test_any_text_is_an_expression_or_an_error_in_it(source: str) -> None:
    try:
        regex = Regex(source)
    except BadRegex as error:
        assert 0 <= error.at <= len(source)  # noqa: PT017 - it is what is looked at
    else:
        assert bool(regex.pattern.search("a01\n")) == bool(theirs(source).search("a01\n"))


def test_equal_if_written_the_same() -> None:
    assert Regex("a") == Regex("a") != Regex("b")
    assert len({Regex("a"), Regex("a")}) == 1
