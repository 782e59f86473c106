# SPDX-License-Identifier: Apache-2.0
"""What an engine would refuse is taken out of a document, and nothing else; nothing is lost by that."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_normalizers.vectors_lost import lost_values
from ttyscribe_normalizers.viaq.fitting import fit, tree

TREE = {"word": "keyword", "at": {"id": "keyword", "any": "object"}, "flat": "flattened", "host": {"name": "alias"}}
NAMES = st.sampled_from(
    ("word", "at", "flat", "host", "id", "name", "any", "at.id", "at.id.x", "word.x", "at.new", ".a")
)
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("made", "taken"),
    [
        ({"word": "x", "other": {"a": 1}, "more": [{}]}, {}),
        ({"word": ["x", 1]}, {}),
        ({"word": {"a": 1}}, {"word": {"a": 1}}),
        ({"word": ["x", [{"a": 1}]]}, {"word": ["x", [{"a": 1}]]}),
        ({"at": "x"}, {"at": "x"}),
        ({"at": None}, {}),
        ({"at": [{"id": "x"}]}, {"at": [{"id": "x"}]}),
        ({"at": {"id": {"a": 1}, "new": {"b": 2}, "any": 7}}, {"at.id": {"a": 1}}),
        ({"flat": {"a": {"b": 1}}}, {}),
        ({"flat": "x"}, {"flat": "x"}),
        ({"host": "web7"}, {"host": "web7"}),
        ({"host": {"name": "web7", "ip": "x"}}, {"host.name": "web7"}),
        ({"word.x": 1}, {"word.x": 1}),
        ({"at.id": "x", "at.new": 1, "new.x": {"a": 1}}, {}),
        ({"at.id": {"a": 1}}, {"at.id": {"a": 1}}),
        (
            {".a": 1, "a.": 2, "a..b": 3, "": 4, " ": 5, "a. .b": 6},
            {".a": 1, "a.": 2, "a..b": 3, "": 4, " ": 5, "a. .b": 6},
        ),
        ({"_id": 1, "_UID": 2}, {"_id": 1}),
    ],
)
def test_what_is_taken(made: dict[str, Any], taken: dict[str, Any]) -> None:
    rest = copy.deepcopy(made)
    assert fit(rest, TREE) == taken
    assert fit(copy.deepcopy(rest), TREE) == {}


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_nothing_is_lost(made: dict[str, Any]) -> None:
    rest = copy.deepcopy(made)
    taken = fit(rest, TREE)
    assert lost_values(made, {"rest": rest, "taken": taken}) == ""
    assert fit(rest, TREE) == {}


def test_the_trees_are_those_of_the_index_templates() -> None:
    syslog = tree("syslog")
    assert syslog["viaq_index_name"] == "keyword"
    assert syslog["host"]["name"] == "alias"
    assert syslog["kubernetes"]["labels"] == "flattened"
    assert syslog["undefined"] == "object"
    assert tree("tlog")["tlog"]["rec"] == "keyword"
