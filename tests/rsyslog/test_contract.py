# SPDX-License-Identifier: Apache-2.0
"""Every rule of the protocols' contracts is cited by a test, and no test cites one that is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "tests" / name for name in ("rsyslog", "normalizers", "e2e")]
CONTRACTS = ROOT / "docs" / "contracts"
PAGES = [("omprog.md", "OMP"), ("mmexternal.md", "MME"), ("mmexternal-documents.md", "MMN")]
contracts = pytest.mark.parametrize(("page", "prefix"), PAGES)


def cited(prefix: str) -> Iterator[str]:
    """Each rule that a test's docstring cites."""
    for path in (path for folder in FOLDERS for path in folder.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield from re.findall(rf"\b{prefix}-\d+\b", ast.get_docstring(node) or "")


def rules(page: str, prefix: str) -> list[str]:
    """The rules of a page, in its order."""
    return re.findall(rf"^\| ({prefix}-\d+) \|", (CONTRACTS / page).read_text(), re.MULTILINE)


@contracts
def test_every_rule_is_tested_and_every_citation_has_its_rule(page: str, prefix: str) -> None:
    there, tested = set(rules(page, prefix)), set(cited(prefix))
    assert len(there) == len(rules(page, prefix)) > 8
    assert there == tested, f"untested: {there - tested}; unknown: {tested - there}"


@contracts
def test_rules_are_numbered_without_a_gap(page: str, prefix: str) -> None:
    numbers = sorted(int(rule.partition("-")[2]) for rule in rules(page, prefix))
    assert numbers == list(range(1, len(numbers) + 1))
