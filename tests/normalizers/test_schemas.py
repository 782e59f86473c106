# SPDX-License-Identifier: Apache-2.0
"""Everything that is emitted fits its JSON Schema, which is generated; `--validate` checks it on live traffic."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.normalizers.process import PROGRAM, Running, run
from tests.normalizers.samples import line, text
from tests.normalizers.test_watch import taken
from tools.generators import fields
from ttyscribe_normalizers import kinds, schemas
from ttyscribe_normalizers.deadletter import Entry, encode
from ttyscribe_normalizers.pipeline import Dead
from ttyscribe_normalizers.trust import Trust
from ttyscribe_normalizers.watch import snapshot

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.rglob("*.in.json"))
MODEL = fields.load(ROOT)


def check(name: str, value: Any) -> None:
    jsonschema.validate(value, schemas.load(name))


def emitted(case: Path) -> Iterator[tuple[str, Any]]:
    """What a golden case emits, with the name of the schema that it should fit."""
    wanted = json.loads(case.read_text())
    made = json.loads(case.with_name(case.name.replace(".in.json", ".out.json")).read_text())
    for document in made["documents"]:
        yield "viaq" if wanted.get("profile") == "viaq" else document["ttyscribe"]["kind"], document
    for dead in made["dead"]:
        yield "dead-letter", json.loads(encode(Entry(b"x", Dead(*dead)), "2026-11-24T12:00:05.000000+00:00"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: str(path.relative_to(GOLDEN)).removesuffix(".in.json"))
def test_all_golden_outputs_fit(case: Path) -> None:
    for name, value in emitted(case):
        check(name, value)


def test_there_is_a_schema_of_every_kind_and_of_what_else_is_emitted() -> None:
    loaded = kinds.load(kinds.Context(Trust((0,), lambda uid: ""), lambda: "stamp"))
    assert {kind.name for kind in loaded} | {"viaq", "dead-letter", "status"} <= set(schemas.names())
    for name in schemas.names():
        jsonschema.Draft202012Validator.check_schema(schemas.load(name))


def test_the_golden_cases_meet_every_schema_of_documents() -> None:
    met = {name for case in CASES for name, _ in emitted(case)}
    made_of_messages = {name for name, kind in MODEL.kinds.items() if not kind.derived}
    assert met >= {*made_of_messages, "viaq", "dead-letter"}


def test_the_status_file_fits() -> None:
    check("status", json.loads(snapshot.status(taken(kinds={"tlog": 3}))))


def test_a_refused_document_in_the_dead_letter_fits() -> None:
    document: Any = {"viaq_msg_id": "x"}
    entry = Entry(b"\xff\x00", Dead("rejected", "why", "2026-11-24T12:00:01.000000+00:00"), document)
    check("dead-letter", json.loads(encode(entry, "2026-11-24T12:00:05.000000+00:00")))


@pytest.mark.parametrize("what", MODEL.emitted.values(), ids=MODEL.emitted)
def test_the_examples_fit(what: fields.Emitted) -> None:
    made: dict[str, Any] = {}
    for field in what.fields:
        node = made
        for part in field.path[:-1]:
            node = node.setdefault(part, {})
        node[field.path[-1]] = field.example
    check(what.name, made)


def test_ours_are_closed_and_viaqs_is_open() -> None:
    for name in ("tlog", "syslog", "dead-letter", "status"):
        assert schemas.load(name)["additionalProperties"] is False
    for own in ({"kind": "syslog"}, {"kind": "syslog", "other": 1}):
        with pytest.raises(jsonschema.ValidationError):
            check("viaq", {"viaq_msg_id": "x", "ttyscribe": own})
    check("viaq", {"viaq_msg_id": "x", "anything": {"else": 1}})


# ---- --validate


def test_live_traffic_that_fits_is_not_talked_about(tmp_path: Path) -> None:
    lines = [line(text()), line("x", program="app"), b'{"MESSAGE":"a"}']
    done = run(tmp_path, b"\n".join(lines), "--protocol", "ndjson", "--validate")
    assert done.stderr.decode() == "ttyscribe-normalize: 3 lines: 3 stored\n"
    assert done.stdout.count(b"\n") == 3


BAD = b'{"message":"%d\\u001b[2J","kubernetes":{"pod_name":5}}'


def test_what_does_not_fit_is_counted_told_and_stored(tmp_path: Path) -> None:
    arguments = ("--protocol", "ndjson", "--profile", "viaq", "--validate", "--status-file", "status")
    data = b"\n".join([*(BAD % number for number in range(50)), b'{"message":"good"}'])
    done = run(tmp_path, data, *arguments, "--output", "sqlite:store")
    told = done.stderr.decode().splitlines()
    assert len(told) == 2  # fifty times would fill a log
    assert "stored, but invalid (1 so far): log:" in told[0]
    assert told[0].endswith("viaq: kubernetes.pod_name: 5 is not of type 'string'")
    assert "51 lines: 51 stored, 50 not as their schema says, but stored" in told[1]
    status = json.loads((tmp_path / "status").read_text())
    check("status", status)
    assert (status["invalid"], status["documents"]["stored"]) == (50, 51)
    assert not (tmp_path / "store/dead-letter.ndjson").exists()


def test_a_hostile_value_reaches_the_log_as_text(tmp_path: Path) -> None:
    data = b'{"message":"a","viaq_index_name":"x","kubernetes":{"pod_name":["\\u001b]0;owned\\u0007\\n"]}}'
    done = run(tmp_path, data, "--protocol", "ndjson", "--profile", "viaq", "--validate")
    assert b"pod_name" in done.stderr
    assert b"\x1b" not in done.stderr
    assert b"\x07" not in done.stderr


@pytest.mark.parametrize("protocol", ["fluentd-json", "omprog"])
def test_it_is_for_every_protocol(tmp_path: Path, protocol: str) -> None:
    output = () if protocol == "fluentd-json" else ("--output", "memory:")
    with Running(
        tmp_path, "--protocol", protocol, *output, "--validate", "--profile", "viaq", "--log-file", "log"
    ) as running:
        message = BAD % 1 if protocol == "fluentd-json" else line("x", kubernetes={"pod_name": 5})
        if protocol == "omprog":
            assert running.answer() == b"OK\n"
        assert running.ask(message) != b""
        assert running.finish() == 0
    assert ("invalid" in (tmp_path / "log").read_text()) == (protocol == "fluentd-json")


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "jsonschema.py").write_text("raise ImportError\n")
    for arguments, status in ((("--validate",), 2), ((), 0)):
        done = subprocess.run(
            [*PROGRAM, "--protocol", "ndjson", *arguments],
            input=b'{"message":"a"}',
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )
        assert done.returncode == status
        assert (b"install ttyscribe[schema]" in done.stderr) == (status == 2)
