# SPDX-License-Identifier: Apache-2.0
"""The common subset of regular expressions, against Python's own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_store.query import automaton
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
    assert Regex(source).matches(text) == bool(Regex(source).pattern.search(text)) == bool(theirs(source).search(text))


@given(ANCHORED, TEXTS)
def test_what_is_needed_is_in_every_match(source: str, text: str) -> None:
    regex = Regex(source)
    if theirs(source).search(text):
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
        ("(a{200}){200}", 0, "too large"),
        ("((a{9}){9}){13}", 0, "too large"),
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
        assert regex.matches("a01\n") == bool(theirs(source).search("a01\n"))


def test_equal_if_written_the_same() -> None:
    assert Regex("a") == Regex("a") != Regex("b")
    assert len({Regex("a"), Regex("a")}) == 1


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("(a+)+$", "a" * 8190 + "b"),
        ("(a|aa)+$", "a" * 8190 + "b"),
        ("(a|a)*b(a|a)*c", "ba" * 4095),
        ("a+b", "b" + "a" * 8190),
        (".*.*.*.*x.*y", "x" * 8191),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 8191),
        ("(.*a){20}", "b" * 8191),
        ("(a?){200}a{200}", "a" * 199),
        ("(a|b)*a(a|b){12}c", "abba" * 2000),
        ("[a-z]*é", "".join(map(chr, range(0x4E00, 0x4E00 + 8000)))),
    ],
)
def test_no_text_keeps_it_busy(source: str, text: str) -> None:
    """`re` would take until the test run is given up, for most of these."""
    assert not Regex(source).matches(text)


def test_what_it_remembers_is_bounded() -> None:
    regex = Regex("(a|b)*a(a|b|.){9}c$")
    for start in range(0, 100_000, 1000):
        regex.matches("".join(chr(0x100 + start % 50_000 + code) + "ab"[code % 3 == 0] for code in range(1000)))
    assert regex._automaton._transitions <= automaton._MOST_TRANSITIONS
    assert sum(map(len, regex._automaton._states.values())) <= 2 * automaton._MOST_TRANSITIONS
