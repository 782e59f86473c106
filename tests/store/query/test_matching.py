# SPDX-License-Identifier: Apache-2.0
"""What a query means for one document."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_store.query.matching import holds, wild
from ttyscribe_store.query.parser import parse

DOCUMENT: dict[str, Any] = {
    "@timestamp": "2026-11-02T10:00:00.000000+00:00",
    "hostname": "web7",
    "level": "info",
    "tlog": {"user": "ada", "session": 7},
    "file": {"path": ["/etc/shadow", "/home/ada/.ssh/id"]},
    "source": {"ip": "10.1.2.3"},
    "destination": {"ip": "fe80::1"},
    "process": {"executable": "/usr/bin/cat"},
    "line": {"text": "root:x:0:0\nfoot"},
    "ttyscribe": {"kind": "line", "trust": "system", "words": "permission denied on etc shadow", "audit_session": 9},
}
AT_NS = 1_793_613_600_000_000_000


def fits(query: str, document: dict[str, Any] = DOCUMENT) -> bool:
    """Whether a query holds."""
    return holds(parse(query, int), document)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", True),
        ("denied", True),
        ("den", False),
        ('"permission denied"', True),
        ('"denied permission"', False),
        ("denied OR granted", True),
        ("denied granted", False),
        ("denied !granted", True),
        ("!(denied granted)", True),
        ("user:ada", True),
        ("user:Ada", False),
        ("user:a*", True),
        ("user:*d*", True),
        ("user:b*", False),
        ("rec:x", False),
        ("!rec:x", True),
        ("session:7 session:9", True),
        ("session:8", False),
        ("path:/etc/shadow", True),
        ("path:/etc", False),
        ("path:/home/*/.ssh/*", True),
        ('path~"\\.ssh/id$"', True),
        ('path~"^shadow"', False),
        ("exe:*/cat", True),
        ("ip:10.0.0.0/8 ip:fe80::/10", True),
        ("ip:11.0.0.0/8", False),
        ("line:shadow", True),
        ("cmd:shadow", False),
        ("*x:0:*", True),
        ("line:foot*", False),
        ('line~"0.foot$"', True),
        (f"since:{AT_NS} until:{AT_NS + 1}", True),
        (f"since:{AT_NS + 1}", False),
        (f"until:{AT_NS}", False),
        ("trust:system level:info kind:line host:web7", True),
    ],
)
def test_a_query_and_a_document(query: str, expected: bool) -> None:
    assert fits(query) is expected


def test_a_value_that_is_too_long_is_not_found_by_its_field() -> None:
    document = {**DOCUMENT, "file": {"path": "/" + "a" * 8191}}
    assert not fits("path:/a*", document)
    assert fits("!path:/a*", document)


@given(st.lists(st.text(alphabet="ab", max_size=3), min_size=2, max_size=4), st.text(alphabet="ab", max_size=10))
def test_parts_stand_as_a_regular_expression_would_find_them(parts: list[str], value: str) -> None:
    assert wild(tuple(parts), value) == bool(re.fullmatch(".*".join(map(re.escape, parts)), value, re.DOTALL))
