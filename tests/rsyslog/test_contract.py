# SPDX-License-Identifier: Apache-2.0
"""Every rule of docs/contracts/omprog.md is cited by a test, and no test cites one that is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
CONTRACT = HERE.parents[1] / "docs" / "contracts" / "omprog.md"
RULE = re.compile(r"\bOMP-\d+\b")


def cited() -> Iterator[tuple[str, str]]:
    """Each rule that a test's docstring cites, with the test's name."""
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for rule in RULE.findall(ast.get_docstring(node) or ""):
                    yield rule, f"{path.name}::{node.name}"


def test_every_rule_is_tested_and_every_citation_has_its_rule() -> None:
    rules = re.findall(r"^\| (OMP-\d+) \|", CONTRACT.read_text(), re.MULTILINE)
    assert len(rules) == len(set(rules)) > 10
    tests = dict(cited())
    assert set(rules) == set(tests), f"untested: {set(rules) - set(tests)}; unknown: {set(tests) - set(rules)}"


def test_rules_are_numbered_without_a_gap() -> None:
    rules = re.findall(r"^\| OMP-(\d+) \|", CONTRACT.read_text(), re.MULTILINE)
    assert [int(rule) for rule in rules] == list(range(1, len(rules) + 1))
