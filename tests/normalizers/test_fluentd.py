# SPDX-License-Identifier: Apache-2.0
"""The real program under Fluentd: as its filter, as the command of a chunk, and with a Fluentd behind it."""

import base64
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import msgpack
import pytest

from tests.fluentd.exec_filter import ExecFilter
from tests.fluentd.in_forward import in_forward
from tests.normalizers.process import PATIENCE, PROGRAM, run, wait_for
from tests.normalizers.samples import MESSAGE, line, text
from tests.store.stand_in import answer, standing_in
from ttyscribe_store.base import Query
from ttyscribe_store.open import open_store

JOURNAL: dict[str, Any] = {
    "MESSAGE": "from the journal",
    "_HOSTNAME": "web7",
    "PRIORITY": "6",
    "_UID": "0",
    "SYSLOG_IDENTIFIER": "sshd",
}
FORMS = pytest.mark.parametrize("form", ["json", "msgpack"])


def messages(folder: Path) -> list[str]:
    """What is stored, in order."""
    store = open_store(f"sqlite:{folder}/store")
    try:
        return [hit.message for hit in store.search(Query([], limit=10_000))]
    finally:
        store.close()


@FORMS
def test_records_come_back_as_documents_with_fluentds_own_keys(form: str, tmp_path: Path) -> None:
    """FLU-6, FLU-7: a journal record, a recording's message, another program's record, and one that is none."""
    keys = {"fluentd_tag": "journal", "fluentd_time": 1795521604.5}
    with ExecFilter([*PROGRAM, "--protocol", f"fluentd-{form}"], form, tmp_path) as fluentd:
        fluentd.send(JOURNAL | keys, MESSAGE | keys, {"message": "plain", "host": "web8", "id": "7"} | keys, keys)
        journal, tlog, plain, dead = fluentd.wait(4)
        assert fluentd.stop() == 0
        assert not fluentd.dead_reader
    for one in (journal, tlog, plain, dead):
        assert {key: one[key] for key in keys} == keys
    assert (journal["message"], journal["hostname"]) == ("from the journal", "web7")
    assert journal["@timestamp"] == "2026-11-24T12:00:04.500000+00:00"
    assert (tlog["ttyscribe"]["kind"], tlog["tlog"]) == ("tlog", MESSAGE)
    assert (plain["message"], plain["hostname"]) == ("plain", "web8")
    assert plain["@timestamp"] == "2026-11-24T12:00:04.500000+00:00"
    assert plain["viaq_msg_id"] != "log:7"
    assert dead["status"] == "unparsable"
    assert json.loads(base64.b64decode(dead["raw"])) == {}
    assert not any("fluentd" in str(one.get("ttyscribe", "")) for one in (journal, tlog, plain))


@pytest.mark.parametrize(
    ("form", "raw"), [("json", b'{"MESSAGE":"caf\xe9"}\n'), ("msgpack", b"\x81\xa7MESSAGE\xa4caf\xe9")]
)
def test_bytes_that_are_not_utf_8_are_kept(form: str, raw: bytes, tmp_path: Path) -> None:
    with ExecFilter([*PROGRAM, "--protocol", f"fluentd-{form}"], form, tmp_path) as fluentd:
        fluentd.send_raw(raw)
        (found,) = fluentd.wait(1)
        assert fluentd.stop() == 0
    assert found["message"] == "caf\ufffd"
    assert base64.b64decode(found["ttyscribe"]["raw"]) == b"caf\xe9"


def chunk(folder: Path, *records: Any, form: str = "json") -> None:
    """Write a chunk file."""
    if form == "json":
        data = b"".join(json.dumps(one).encode() + b"\n" for one in records)
    else:
        data = b"".join(map(msgpack.packb, records))
    (folder / "chunk").write_bytes(data)


def deliver(folder: Path, status: int = 0, output: str = "", *more: str) -> str:
    """Deliver the chunk; what the program said. It must be silent on standard output (FLU-9)."""
    output = output or f"sqlite:{folder}/store"
    more = ("--dead-letter", str(folder / "dead"), *more)
    done = run(folder, b"", "--protocol", "fluentd-chunk", "--output", output, *more, "chunk", status=status)
    assert done.stdout == b""
    return done.stderr.decode()


@FORMS
def test_a_chunk_that_comes_again_is_stored_once(form: str, tmp_path: Path) -> None:
    """FLU-8: equal records in it are two all the same."""
    plain = {"message": "equal", "fluentd_time": 1795521604.5}
    chunk(tmp_path, JOURNAL, MESSAGE, plain, plain, form=form)
    for _ in range(3):
        deliver(tmp_path)
    assert sorted(messages(tmp_path)) == ["equal", "equal", "from the journal", "hi\n"]
    assert not (tmp_path / "dead").exists()


def test_a_chunk_that_comes_again_is_stored_once_under_viaq_too(tmp_path: Path) -> None:
    plain = {"message": "equal", "fluentd_time": 1795521604.5}
    chunk(tmp_path, JOURNAL, MESSAGE, plain, plain, {"other": 1})
    for _ in range(2):
        deliver(tmp_path, 0, "", "--profile", "viaq")
    assert len(messages(tmp_path)) == 5


def test_a_filter_can_be_checked(tmp_path: Path) -> None:
    """Without waiting for Fluentd."""
    done = run(tmp_path, b"", "--protocol", "fluentd-json", "--check-config")
    assert done.stdout.startswith(b"in order: fluentd-json to -")


def test_a_chunk_is_fluentds_until_all_of_it_is_durable(tmp_path: Path) -> None:
    chunk(tmp_path, *[{"message": f"number {number}"} for number in range(2500)])
    with standing_in() as engine:
        engine.script += [answer(503)] * 10
        assert "Fluentd sends the chunk again" in deliver(tmp_path, 1, engine.url)
    deliver(tmp_path)
    deliver(tmp_path)
    assert len(messages(tmp_path)) == 2500


def test_signals_in_the_midst_of_a_chunk_lose_nothing(tmp_path: Path) -> None:
    """SIGHUP ends nothing; SIGTERM does, and the status says that the chunk is not delivered: it comes again."""
    chunk(tmp_path, *[{"message": f"number {number}"} for number in range(6000)])
    arguments = ["--protocol", "fluentd-chunk", "--output", "sqlite:store"]
    for number, statuses in ((signal.SIGTERM, (0, -signal.SIGTERM)), (signal.SIGHUP, (0,))):
        log = tmp_path / f"log.{number}"  # is there once signals can come
        with subprocess.Popen([*PROGRAM, *arguments, "--log-file", str(log), "chunk"], cwd=tmp_path) as process:
            wait_for(lambda: log.exists() and [*tmp_path.glob("store/*")], "its store")  # noqa: B023
            process.send_signal(number)
            assert process.wait(PATIENCE) in statuses
    deliver(tmp_path)
    found = messages(tmp_path)
    assert (len(found), len(set(found))) == (6000, 6000)


def test_damage_is_dead_and_the_rest_is_delivered(tmp_path: Path) -> None:
    """FLU-10."""
    whole = msgpack.packb({"message": "whole"})
    (tmp_path / "chunk").write_bytes(whole + whole[:-2])
    assert "the beginning is in the dead letter" in deliver(tmp_path)
    assert messages(tmp_path) == ["whole"]
    (entry,) = [json.loads(row) for row in (tmp_path / "dead").read_bytes().splitlines()]
    assert (entry["status"], base64.b64decode(entry["raw"])) == ("damaged", whole + whole[:-2])
    (tmp_path / "chunk").write_bytes(b"a\tb\n")
    assert "neither JSON" in deliver(tmp_path)
    os.unlink(tmp_path / "chunk")
    assert "No such file" in deliver(tmp_path, 1)


def test_documents_reach_a_fluentd_and_are_acknowledged(tmp_path: Path) -> None:
    """FLU-11: what is not acknowledged is sent again."""
    lines = b"".join(one + b"\n" for one in (line(text(id=1)), line("plain"), line(text(id=2))))
    with in_forward("close", "ack", "other") as server:
        run(tmp_path, lines, "--protocol", "ndjson", "--output", f"fluent://127.0.0.1:{server.port}")
        found = {(tag, record["viaq_msg_id"]) for tag, _, record in server.events}
    assert {tag for tag, _ in found} == {"ttyscribe.tlog", "ttyscribe.syslog"}
    assert len(found) == 3


def test_a_shared_key_comes_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("secret\n")
    monkeypatch.setenv("TTYSCRIBE_FLUENTD_SHARED_KEY_FILE", str(tmp_path / "key"))
    with in_forward(shared_key="secret") as server:
        run(tmp_path, line("x"), "--protocol", "ndjson", "--output", f"fluent://127.0.0.1:{server.port}")
        assert len(server.events) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--protocol", "fluentd-chunk"), "needs --output"),
        (("--protocol", "fluentd-chunk", "--output", "sqlite:x"), "takes one CHUNK file"),
        (("--protocol", "fluentd-json", "--output", "sqlite:x"), "leave --output out"),
        (("--protocol", "ndjson", "what"), "unrecognized argument"),
        (("--protocol", "ndjson", "--output", "fluent://user:secret@host"), "say fluent://HOST:PORT"),
        (("--protocol", "ndjson", "--output", "fluent://host:99999"), "say fluent://HOST:PORT"),
    ],
)
def test_what_does_not_go_together_is_said(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    error = run(tmp_path, b"", *arguments, status=2).stderr.decode()
    assert said in error
    assert "Traceback" not in error
