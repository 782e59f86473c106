# SPDX-License-Identifier: Apache-2.0
"""Queries as people write them, and what is wrong with some."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_store.query.fields import FIELDS
from ttyscribe_store.query.lexer import QueryError
from ttyscribe_store.query.nodes import (
    And,
    Everything,
    Exact,
    Network,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    Phrase,
    Since,
    Until,
    Wild,
)
from ttyscribe_store.query.parser import described, parse
from ttyscribe_store.query.regex import Regex


def read_time(text: str) -> int:
    """Times of these tests are numbers."""
    if not text.isdecimal():
        raise ValueError(f"{text} is no time")
    return int(text)


def tree(query: str) -> Node:
    """A query's tree."""
    return parse(query, read_time)


def word(text: str) -> Phrase:
    """A phrase of these words."""
    return Phrase(tuple(text.split()))


A, B, C = word("a"), word("b"), word("c")
ADA = Exact("user", "ada")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", Everything()),
        ("  \t\n", Everything()),
        ("a", A),
        ("A", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a and b", And((A, word("and"), B))),
        ("a OR b", Or((A, B))),
        ("a OR b c", Or((A, And((B, C))))),
        ("a b OR c", Or((And((A, B)), C))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a(b)c", And((A, B, C))),
        ("((a))", A),
        ("!a", Not(A)),
        ("-a", A),
        ("NOT a", Not(A)),
        ("NOT !a", Not(Not(A))),
        ("a !(b OR c)", And((A, Not(Or((B, C)))))),
        ("a-b", word("a b")),
        ('"AND"', word("and")),
        ('"permission denied"', word("permission denied")),
        ("/etc/shadow", word("etc shadow")),
        ('a"b c"d', And((A, word("b c"), word("d")))),
        (r'"a \"b\" \\ c\d"', word("a b c d")),
        ("Straße", word("strasse")),
        ("user:ada", ADA),
        ("USER:ada", ADA),
        ("user: ada", None),
        ('user:"ada l"', Exact("user", "ada l")),
        ('user:"a*"', Exact("user", "a*")),
        ("user:a*", Wild("user", ("a", ""))),
        ("user:*", Wild("user", ("", ""))),
        ("path:/etc/*/x**y", Wild("path", ("/etc/", "/x", "y"))),
        ("!host:web7", Not(Exact("host", "web7"))),
        ("level:WARNING", Exact("level", "warning")),
        ("session:7", Number("session", 7)),
        ("ip:10.1.2.3", Network("ip", ip_network("10.1.2.3"))),
        ("ip:10.1.2.3/8", Network("ip", ip_network("10.0.0.0/8"))),
        ("ip:fe80::/10", Network("ip", ip_network("fe80::/10"))),
        ("cmd:ls", And((Exact("kind", "command"), word("ls")))),
        ('cmd:"rm -rf"', And((Exact("kind", "command"), word("rm rf")))),
        ("cmd:*", Exact("kind", "command")),
        ("cmd:*shadow*", Wild("cmd", ("", "shadow", ""))),
        ('cmd:"sudo su*"', Wild("cmd", ("sudo su", ""))),
        ('"*b c d*"', Wild("line", ("", "b c d", ""))),
        ('"rm -rf *"', word("rm rf")),
        ("line:sudo*", Wild("line", ("sudo", ""))),
        ("*shadow*", Wild("line", ("", "shadow", ""))),
        ('line~"ro+t"', Pattern("line", Regex("ro+t"))),
        ("path~^/etc/", Pattern("path", Regex("^/etc/"))),
        ("since:5 until:9", And((Since(5), Until(9)))),
    ],
)
def test_a_query_and_its_tree(query: str, expected: Node | None) -> None:
    if expected is None:
        with pytest.raises(QueryError):
            tree(query)
    else:
        assert tree(query) == expected


@pytest.mark.parametrize(
    ("query", "column", "what"),
    [
        ("a (b", 3, "this ( is never closed"),
        ("a) b", 2, "this ) closes nothing"),
        ("()", 2, "a term is missing before )"),
        ("a OR", 5, "a term is missing here"),
        ("OR a", 1, "a term is missing before OR"),
        ("a AND OR b", 7, "a term is missing before OR"),
        ("NOT", 4, "a term is missing here"),
        ('a "b', 3, "this quote is never closed"),
        ('a "b\\"', 3, "this quote is never closed"),
        ("a !!", 4, "there is no word in it"),
        ("a ++", 3, "there is no word in it"),
        ('a ""', 3, "there is no word in it"),
        ("user:", 6, "a value is missing here"),
        ("user: a", 6, "a value is missing here"),
        ('user:""', 6, "a value is missing here"),
        ("usr:ada", 1, "there is no field usr"),
        ("see http://x", 5, "put quotes around it"),
        ("shad*", 1, "a word is whole"),
        ("*", 1, "a word is whole"),
        ("*ab*", 1, "3 characters"),
        ("cmd:*ab*", 5, "3 characters"),
        ("level:loud", 7, "level is one of emerg"),
        ("trust:root", 7, "trust is one of system"),
        ("session:x", 9, "session is a number"),
        ("session:99999999999999999999", 9, "session is a number"),
        ("ip:300.1.1.1", 4, "ip is an address"),
        ("since:tomorrow", 7, "tomorrow is no time"),
        ("ip~1", 1, "ip takes no regular expression"),
        ("level~err", 1, "level takes no regular expression"),
        ('line~"a(b"', 8, "this ( is never closed"),
        ("line~a*+", 8, "lazy, possessive"),
        ("a" * 10_001, 10_000, "at most 10000 characters"),
        ("!" * 60 + "a", 13, "at most 12 deep"),
        ("(" * 13 + "a", 13, "at most 12 deep"),
        ("user:a" + "*b" * 16, 6, "at most 15 *"),
        ('cmd:"abc' + "*b" * 16 + '"', 5, "at most 15 *"),
        ("a " * 501, 1001, "at most 500 terms"),
    ],
)
def test_what_is_wrong_is_told_with_its_column(query: str, column: int, what: str) -> None:
    with pytest.raises(QueryError) as caught:
        tree(query)
    assert what in str(caught.value)
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column}: ")


PIECES = st.sampled_from(
    [
        "a",
        "b",
        '"',
        "(",
        ")",
        "!",
        " ",
        "OR",
        "NOT ",
        "AND ",
        ":",
        "~",
        "user:",
        "line~",
        "*",
        "\\",
        "since:",
        "ip:",
        "[",
    ]
)


@given(st.lists(PIECES, max_size=15).map("".join) | st.text(max_size=40))
def test_any_text_is_a_query_or_an_error_with_a_column_in_it(query: str) -> None:
    try:
        tree(query)
    except QueryError as error:
        assert 1 <= error.column <= len(query) + 1  # noqa: PT017 - it is what is looked at


def test_the_fields_are_described() -> None:
    lines = list(described())
    assert [line.split()[0] for line in lines] == list(FIELDS)
    assert any("how urgent: emerg, alert" in line for line in lines)
