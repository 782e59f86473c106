# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe-normalize --profile viaq`, the real program on its protocols and into a store."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.samples import MESSAGE, line, text
from tests.store.samples import listed
from ttyscribe_normalizers import options
from ttyscribe_normalizers.viaq import load
from ttyscribe_store.base import Query, RecordingFilter
from ttyscribe_store.open import open_store

PROGRAM = str(Path(sys.executable).with_name("ttyscribe-normalize"))
ENTRY = {
    "__CURSOR": "s=1;i=2",
    "__REALTIME_TIMESTAMP": "1795521601000000",
    "_HOSTNAME": "web7.example.com",
    "PRIORITY": "6",
    "_UID": "0",
    "MESSAGE": "Accepted publickey for ada",
}


def run(lines: list[Any], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    fed = b"".join(one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in lines)
    command = [PROGRAM, "--protocol", "ndjson", "--profile", "viaq", *arguments]
    return subprocess.run(command, input=fed, capture_output=True, timeout=60)


def test_documents_on_standard_output_are_viaqs_own_with_their_id() -> None:
    done = run([ENTRY])
    (document,) = [json.loads(one) for one in done.stdout.splitlines()]
    received = document["pipeline_metadata"]["collector"].pop("received_at")
    assert received.endswith("+00:00")
    assert document == {
        "__CURSOR": "s=1;i=2",
        "systemd": {"t": {"UID": "0"}},
        "level": "info",
        "message": "Accepted publickey for ada",
        "hostname": "web7.example.com",
        "pipeline_metadata": {
            "collector": {
                "ipaddr4": "127.0.0.1",
                "inputname": "fluent-plugin-systemd",
                "name": "fluentd",
                "version": "unknown fluentd version unknown data version",
            }
        },
        "@timestamp": "2026-11-24T12:00:01.000000+00:00",
        "viaq_index_name": ".operations.2026.11.24",
        "viaq_msg_id": "journal:40f788c92906f5bc7e884fd79180c90d",
    }


def test_a_recording_is_complete_in_the_store_and_the_same_lines_are_stored_once(tmp_path: Path) -> None:
    lines = [text(id=number, pos=number).encode() + b"\n" for number in (1, 2, 3)]
    url = f"sqlite:{tmp_path}"
    assert run([*lines, ENTRY], "--output", url).returncode == 0
    again = run([*lines, ENTRY], "--output", url)
    assert b"4 already there" in again.stderr
    store = open_store(url)
    (recording,) = listed(store, RecordingFilter())
    assert (recording.messages, recording.distinct_ids) == (3, 3)
    stored = [message.tlog for message in store.messages(recording.recording)]
    assert stored == [MESSAGE | {"id": number, "pos": number} for number in (1, 2, 3)]
    (hit,) = store.search(Query([["publickey"]]))
    assert (hit.kind, hit.host, hit.trust) == ("syslog", "web7.example.com", "system")
    store.close()


def test_ids_are_those_of_the_other_profile(tmp_path: Path) -> None:
    lines = [text().encode() + b"\n", ENTRY, line("Accepted", program="sshd") + b"\n"]
    own = [json.loads(one)["viaq_msg_id"] for one in run(lines).stdout.splitlines()]
    other = subprocess.run(
        [PROGRAM, "--protocol", "ndjson", "--dead-letter", str(tmp_path / "dead")],
        input=b"".join(one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in lines),
        capture_output=True,
        timeout=60,
    )
    assert own == [json.loads(one)["viaq_msg_id"] for one in other.stdout.splitlines()]


def test_omprog_confirms_what_is_stored(tmp_path: Path) -> None:
    command = [PROGRAM, "--protocol", "omprog", "--profile", "viaq", "--output", f"sqlite:{tmp_path}"]
    done = subprocess.run(command, input=line("Accepted", program="sshd") + b"\n", capture_output=True, timeout=60)
    assert done.stdout == b"OK\nOK\n"
    store = open_store(f"sqlite:{tmp_path}")
    assert store.count() == 1
    store.close()


def test_what_is_nested_too_deep_to_be_written_goes_to_the_dead_letter(tmp_path: Path) -> None:
    dead = tmp_path / "dead.ndjson"
    deep = b'{"message":"x","a":' + b'{"a":' * 1000 + b"1" + b"}" * 1001 + b"\n"
    done = run([deep, ENTRY], "--dead-letter", str(dead))
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    (entry,) = [json.loads(one) for one in dead.read_text().splitlines()]
    assert entry["status"] in ("rejected", "unparsable")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("[[filter]\n", "viaq.toml: no TOML"),
        ("a = " + "[" * 2000, "viaq.toml: no TOML: nested too deep"),
        (
            '[[filter]]\ntype = "viaq_data_model"\n\nuse_undefined = 7\n',
            "viaq.toml:4: filter.use_undefined: 7 is neither",
        ),
        (
            '[[filter]]\ntype = "viaq_data_model"\nuse_undefined = true\nextra_keep_fields = "time,undefined"\n',
            "viaq.toml: undefined_name 'undefined' is in a list",
        ),
    ],
)
def test_a_wrong_configuration_is_refused_with_its_place(tmp_path: Path, broken: str, said: str) -> None:
    path = tmp_path / "viaq.toml"
    path.write_text(broken)
    for more in ([], ["--check-config"]):
        done = run([ENTRY], "--viaq-config", str(path), *more)
        assert (done.returncode, done.stdout) == (2, b"")
        assert f"{tmp_path}/{said}" in done.stderr.decode()


def test_a_configuration_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"# \xe4\n")
    assert b"can't read the configuration: No such file" in run([], "--viaq-config", str(tmp_path / "none")).stderr
    assert b"can't read the configuration: it is not UTF-8" in run([], "--viaq-config", str(tmp_path / "latin")).stderr


def test_a_configuration_for_the_other_profile_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options.parse(["--protocol", "ndjson", "--viaq-config", "x"], "")
    assert "--viaq-config is for --profile viaq" in capsys.readouterr().err


def test_the_environment_and_the_nodes_file_are_read_as_the_plugins_do(tmp_path: Path) -> None:
    variables = {"IPADDR4": "192.0.2.1", "IPADDR6": "", "NODE_NAME": "node1", "FLUENTD_VERSION": "1.7"}
    absent = str(tmp_path / "absent")
    assert load.surroundings(variables, absent) == ("192.0.2.1", "", "node1", "1.7 unknown data version")
    assert load.surroundings({}, absent).node_name is None
    named = tmp_path / "docker-hostname"
    named.write_text("node9.example.com \nmore\n")
    assert load.surroundings(variables, str(named)).node_name == "node9.example.com"
