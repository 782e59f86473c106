# SPDX-License-Identifier: Apache-2.0
"""Captured lines become exactly the documents that are kept beside them.

`golden/<kind>/<case>.in.json` holds the lines, where they are from and how they came; `.out.json` what they become;
`golden/viaq/` those of the profile of that name.
Outputs are written by `--write-golden` only, and read in the diff.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.samples import NOW_NS, pipeline, viaq_pipeline
from ttyscribe_normalizers import envelope, kinds, shapes
from ttyscribe_normalizers.trust import Trust

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.rglob("*.in.json"))
DECODERS = {"omprog": envelope.decode, "ndjson": shapes.decode}


def _bytes(line: str | dict[str, str]) -> bytes:
    return line.encode() if isinstance(line, str) else base64.b64decode(line["base64"])


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(GOLDEN)).removesuffix(".in.json"))
def test_captured_lines_become_what_is_kept_beside_them(path: Path, write_golden: bool) -> None:
    case = json.loads(path.read_text())
    assert case["origin"]
    if case.get("profile") == "viaq":
        subject = viaq_pipeline(case["protocol"], stored=case["stored"], config=case.get("config", ""))
    else:
        subject = pipeline(DECODERS[case["protocol"]])
    made: dict[str, Any] = {"documents": [], "dead": []}
    for line in case["lines"]:
        processed = subject.process(_bytes(line), NOW_NS)
        made["documents"] += processed.documents
        made["dead"] += [list(processed.dead)] if processed.dead else []
    expected = path.with_name(path.name.replace(".in.json", ".out.json"))
    if write_golden:
        expected.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n")
    assert made == json.loads(expected.read_text())


def test_every_kind_has_golden_cases_of_its_own() -> None:
    context = kinds.Context(Trust((0,), lambda uid: ""), lambda: "stamp")
    loaded = kinds.load(context)
    assert [kind.name for kind in loaded] == ["tlog", "syslog"]
    for kind in loaded:
        found = {
            document["ttyscribe"]["kind"]
            for path in (GOLDEN / kind.name).glob("*.out.json")
            for document in json.loads(path.read_text())["documents"]
        }
        assert kind.name in found
