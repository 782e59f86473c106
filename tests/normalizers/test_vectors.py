# SPDX-License-Identifier: Apache-2.0
"""What the real Ruby plugins made of records, and what we make of them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ttyscribe_normalizers import vectors
from ttyscribe_normalizers.vectors_lost import lost_values

DATA = Path(__file__).resolve().parents[1] / "data"
RECORDED = DATA / "viaq-vectors.json"
DERIVED = sorted((DATA / "viaq").glob("*.json"))
RULES = DATA.parents[1] / "docs/formats/viaq.md"
CASE: dict[str, Any] = {
    "id": "one",
    "suite": "empties",
    "tag": "t",
    "time": [1519437284, 771123456],
    "now": [1767323045, 678901000],
    "env": {},
    "config": "bare",
    "in": {"a": 1, "b": ""},
}
METADATA = {
    "collector": {
        "ipaddr4": "127.0.0.1",
        "inputname": "fluent-plugin-systemd",
        "name": "fluentd",
        "received_at": "2026-01-02T03:04:05.678901+00:00",
        "version": "unknown fluentd version unknown data version",
    }
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ttyscribe_normalizers.vectors", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def problems(**changes: Any) -> dict[str, str]:
    return dict(vectors.problems({"configs": {"bare": {}}, "cases": [CASE | changes]}))


def test_every_recorded_case_passes() -> None:
    done = run(str(RECORDED))
    assert (done.returncode, done.stdout, done.stderr) == (0, "144 passed, 0 failed\n", "")


@pytest.mark.parametrize("path", DERIVED, ids=lambda path: str(path.stem))
def test_every_derived_case_passes_and_cites_its_rule(path: Path) -> None:
    document = json.loads(path.read_text())
    failed = {case: problem for case, problem in vectors.problems(document) if problem}
    assert failed == {}
    headings = {line[3:] for line in RULES.read_text().splitlines() if line.startswith("## ")}
    assert {case["section"] for case in document["cases"]} <= headings


def test_the_derived_cases_reach_every_rule() -> None:
    cases = [case for path in DERIVED for case in json.loads(path.read_text())["cases"]]
    headings = {line[3:] for line in RULES.read_text().splitlines() if line.startswith("## ")}
    assert headings - {case["section"] for case in cases} == {"Configuration", "Documents"}
    assert len(cases) > 400


def test_a_case_that_differs_is_named_and_the_status_tells(tmp_path: Path) -> None:
    cases = json.loads(RECORDED.read_text())
    changed = next(case for case in cases["cases"] if case["id"] == "journal-errno")
    changed["out"]["level"] = "crit"
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(cases))
    done = run(str(path))
    assert (done.returncode, done.stdout) == (1, "143 passed, 1 failed\njournal-errno\n")
    assert '"level": "err"' in run("--verbose", str(path)).stdout


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cases":[{}],"configs":{}}', '{"cases":1,"configs":{}}'])
def test_a_file_that_holds_no_cases_is_a_fault_of_the_caller(tmp_path: Path, text: str) -> None:
    path = tmp_path / "none.json"
    path.write_text(text)
    done = run(str(path))
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}: no file of cases: ")
    assert run(str(tmp_path / "absent")).returncode == 2


@pytest.mark.parametrize("value", [1.0, True, "1"])
def test_types_count(value: Any) -> None:
    out = {"a": 1, "pipeline_metadata": METADATA}
    assert problems(out=out) == {"one": ""}
    assert problems(out=out | {"a": value})["one"].startswith("made {")


def test_a_wanted_error_that_does_not_come_is_a_failure() -> None:
    assert problems(error="TypeError") == {"one": "wanted an error, TypeError"}
    assert problems(error="Fluent::ConfigError") == {"one": "the configuration is not refused"}


def test_a_flagged_case_passes_only_if_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(flag="crash", error="TypeError") == {"one": ""}
    monkeypatch.setattr(vectors, "lost_values", lambda record, made: lost_values(record, {}))
    assert problems(flag="crash", error="TypeError") == {"one": "lost a: 1"}


@pytest.mark.parametrize(
    ("record", "made", "lost"),
    [
        ({"a": "x"}, {"b": {"c": ["x"]}}, ""),
        ({"a": "x"}, {"b": "y"}, "lost a: 'x'"),
        ({"a": {"b": ["", "x"]}}, {"undefined": '{"a":{"b":["","x"]}}'}, ""),
        ({"a": ["x", ""]}, {"a": ["x"]}, 'a list lost its places: ["x", ""]'),
        ({"a": 'say "hi"'}, {"b": '{"a":"say \\"hi\\""}'}, ""),
        ({"a": None, "b": "", "PRIORITY": "6"}, {}, ""),
    ],
)
def test_what_counts_as_lost(record: Any, made: Any, lost: str) -> None:
    assert lost_values(record, made) == lost


def test_the_default_differs_from_the_plugins_in_one_case_that_they_have_no_flag_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second pass of a record: the plugin takes its message and its host name away, we do not."""
    exact = vectors._filter
    monkeypatch.setattr(vectors, "_filter", lambda table, *, lossless: exact(table, lossless=True))
    failed = {case for case, problem in vectors.problems(json.loads(RECORDED.read_text())) if problem}
    assert failed == {"journal-collector-then-normalizer"}
