# SPDX-License-Identifier: Apache-2.0
"""The subset of KQL that panels may use."""

from typing import Any

import pytest

from ttyscribe_kibana import kql

NONE = {"match_phrase": {"t": "none"}}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"match_all": {}}),
        ("  ", {"match_all": {}}),
        ('t : "none"', NONE),
        ('t:"none"', NONE),
        (r't : "a \"b\" \\"', {"match_phrase": {"t": 'a "b" \\'}}),
        ("tlog.id : 1", {"match": {"tlog.id": "1"}}),
        ("t : *", {"exists": {"field": "t"}}),
        ("n >= 5", {"range": {"n": {"gte": "5"}}}),
        ('not t : "none"', {"bool": {"must_not": [NONE]}}),
        ("a : 1 and b : 2", {"bool": {"filter": [{"match": {"a": "1"}}, {"match": {"b": "2"}}]}}),
        (
            "a : 1 and b : 2 or NOT c : 3",
            {
                "bool": {
                    "should": [
                        {"bool": {"filter": [{"match": {"a": "1"}}, {"match": {"b": "2"}}]}},
                        {"bool": {"must_not": [{"match": {"c": "3"}}]}},
                    ],
                    "minimum_should_match": 1,
                }
            },
        ),
        (
            "a : 1 and (b : 2 or c < 3)",
            {
                "bool": {
                    "filter": [
                        {"match": {"a": "1"}},
                        {
                            "bool": {
                                "should": [{"match": {"b": "2"}}, {"range": {"c": {"lt": "3"}}}],
                                "minimum_should_match": 1,
                            }
                        },
                    ]
                }
            },
        ),
    ],
)
def test_a_query_means_what_the_user_interfaces_make_of_it(query: str, expected: dict[str, Any]) -> None:
    assert kql.translate(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "word",
        "a :",
        "a : 1 b : 2",
        "(a : 1",
        "a : 1)",
        "and : 1",
        "a* : 1",
        "a : b*",
        'a : "x',
        "a : (b or c)",
        "a = 1",
    ],
)
def test_what_is_outside_the_subset_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="KQL"):
        kql.translate(query)


def test_the_fields_of_a_query_are_found_at_any_depth() -> None:
    assert kql.fields('not (a : 1 or b > 2) and c : * and d : "x"') == {"a", "b", "c", "d"}
    assert kql.fields("") == set()
