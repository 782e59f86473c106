# SPDX-License-Identifier: Apache-2.0
"""Captured lines become exactly the documents that are kept beside them.

`golden/<kind>/<case>.in.json` holds the lines, where they are from and how they came; `.out.json` what they become;
`golden/viaq/` those of the profile of that name.
Outputs are written by `--write-golden` only, and read in the diff.
"""

import json
import shutil
from pathlib import Path

import pytest

from tests.normalizers.process import run
from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers import golden, kinds
from ttyscribe_normalizers.trust import Trust

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.rglob("*.in.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(GOLDEN)).removesuffix(".in.json"))
def test_captured_lines_become_what_is_kept_beside_them(path: Path, write_golden: bool) -> None:
    case = golden.read(path, kinds.load)
    if write_golden:
        case.path.write_text(case.text)
        case = golden.read(path, kinds.load)
    assert case.before is not None
    assert json.loads(case.text) == json.loads(case.before)


def test_every_kind_has_golden_cases_of_its_own() -> None:
    context = kinds.Context(Trust((0,), lambda uid: ""), lambda: "stamp")
    loaded = kinds.load(context)
    assert [kind.name for kind in loaded] == [
        "tlog",
        "aushape",
        "audit-line",
        "sudo",
        "kubernetes-event",
        "container",
        "cee",
        "journal",
        "syslog",
    ]
    for kind in loaded:
        found = {
            document["ttyscribe"]["kind"]
            for path in (GOLDEN / kind.name).glob("*.out.json")
            for document in json.loads(path.read_text())["documents"]
        }
        assert kind.name in found


# ---- the same for makers of kinds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cases of ours."""
    shutil.copytree(GOLDEN / "tlog", tmp_path / "cases/tlog", ignore=lambda _, names: [n for n in names if "resi" in n])
    shutil.copytree(GOLDEN / "viaq", tmp_path / "cases/viaq", ignore=lambda _, names: [n for n in names if "au" in n])
    return tmp_path / "cases"


def test_what_is_missing_is_written_and_what_is_as_it_was_stays(folder: Path, tmp_path: Path) -> None:
    kept = {path: path.read_text() for path in folder.rglob("*.out.json")}
    for path in list(kept)[::2]:
        path.unlink()
    done = run(tmp_path, b"", "--write-golden", str(folder))
    assert {path: path.read_text() for path in folder.rglob("*.out.json")} == kept
    assert f"{len(kept)} cases: {len(kept) // 2} as they were, 0 differ" in done.stdout.decode()


def test_what_differs_is_shown_and_left_unless_somebody_says_yes(folder: Path, tmp_path: Path) -> None:
    path = folder / "tlog/typed.out.json"
    before = path.read_text().replace('"level": "', '"level": "\x9b2J')
    path.write_text(before)
    done = run(tmp_path, b"y\n", "--write-golden", str(folder), status=1)
    out = done.stdout.decode()
    assert '\n-   "level": "\\u009b2J' in out
    assert '\n+   "level": "' in out
    assert f"left as it is: {path}; remove it" in out
    assert path.read_text() == before
    said: list[str] = []
    assert golden.write(folder, kinds.load, said.append, lambda question: question == f"write {path}?") == 0
    assert path.read_text() != before


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "KeyError: 'origin'"),
        ("[", "JSONDecodeError"),
        ('{"origin":"","protocol":"ndjson","lines":[]}', "say in `origin` where the lines are from"),
        ('{"origin":"x","protocol":"smtp","lines":[]}', "KeyError: 'smtp'"),
        ('{"origin":"x","protocol":"ndjson","lines":[5]}', "TypeError"),
        ("5", "TypeError"),
    ],
)
def test_what_is_no_case_is_said_and_nothing_is_written(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "a.in.json").write_text(json.dumps({"origin": "x", "protocol": "ndjson", "lines": ["{}"]}))
    (tmp_path / "b.in.json").write_text(text)
    with pytest.raises(ConfigError, match=r"b\.in\.json") as raised:
        golden.write(tmp_path, kinds.load, print, lambda question: True)
    assert problem in str(raised.value)
    assert not list(tmp_path.glob("*.out.json"))


def test_a_folder_without_cases_is_an_error(tmp_path: Path) -> None:
    done = run(tmp_path, b"", "--write-golden", ".", status=2)
    assert b"there is no *.in.json in it" in done.stderr
