# SPDX-License-Identifier: Apache-2.0
"""What kind sudo makes of sudo's log, and what nobody can make it believe."""

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.normalizers.samples import NOW_NS, RECEIVED, line, pipeline
from tools.generators import fields as declared
from tools.generators import schema
from ttyscribe_formats import flat
from ttyscribe_normalizers import shapes

MODEL = declared.load(Path(__file__).resolve().parents[2])
SCHEMA = jsonschema.Draft202012Validator(schema.schema(MODEL.kinds["sudo"]))
ACCEPT: dict[str, Any] = {
    "uuid": "812b8117b3-dd40-4f8d-6432-45bf89444d",
    "server_time": {"seconds": 1795521600, "nanoseconds": 912913250, "iso8601": "20261124120000Z"},
    "submit_time": {"seconds": 1795521600, "nanoseconds": 911692279, "iso8601": "20261124120000Z"},
    "submituser": "ada",
    "command": "/bin/ls",
    "runuser": "root",
    "runcwd": "/home/ada",
    "ttyname": "/dev/pts/0",
    "submithost": "web7",
    "runuid": 0,
    "runargv": ["ls", "-l"],
    "runenv": ["PATH=/usr/bin"],
}


def event(name: str = "accept", **fields: Any) -> str:
    """An event as sudo writes it."""
    return json.dumps({"sudo": {name: ACCEPT | fields}}, ensure_ascii=False, separators=(",", ":"))


def made(text: str, **envelope: Any) -> Any:
    """The only document of a message of sudo."""
    processed = pipeline().process(line(text, **({"program": "sudo"} | envelope)), NOW_NS)
    assert processed.dead is None
    (document,) = processed.documents
    if document["ttyscribe"]["kind"] == "sudo":
        SCHEMA.validate(document)
    return document


@pytest.mark.parametrize("prefix", ["@cee:", "@cee: ", "", " "])
@pytest.mark.parametrize("program", ["sudo", "sudo_logsrvd", "relay"])
def test_events_are_taken_with_and_without_the_cookie(prefix: str, program: str) -> None:
    document = made(prefix + event(), program=program)
    assert document["ttyscribe"]["kind"] == "sudo"
    assert document["message"] == "ada ran ls -l as root in /home/ada on /dev/pts/0"
    assert document["@timestamp"] == "2026-11-24T12:00:00.911692+00:00"
    assert document["user"] == {"name": "ada", "effective": {"id": "0", "name": "root"}}
    assert document["event"] == {"action": "accept", "outcome": "success"}
    assert document["sudo"]["data"] == ACCEPT
    assert document["viaq_msg_id"] == "log:E59101DB99164E47B6CAAF8A93598736"


def test_the_same_in_a_line_of_old_and_in_json() -> None:
    old = made("     ada : TTY=pts/0 ; PWD=/home/ada ; USER=root ; COMMAND=/bin/ls -l")
    new = made("@cee:" + event())
    for document in (old, new):
        assert document["user"]["name"] == "ada"
        assert document["user"]["effective"]["name"] == "root"
        assert document["process"]["executable"] == "/bin/ls"
        assert document["process"]["working_directory"] == "/home/ada"
        assert document["event"] == {"action": "accept", "outcome": "success"}


def test_what_is_refused_is_a_failure_with_its_reason() -> None:
    for document in (
        made(event("reject", reason="command not allowed")),
        made("ada : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls"),
    ):
        assert document["event"] == {"action": "reject", "outcome": "failure"}
        assert document["sudo"]["reason"] == "command not allowed"


REASONS = {
    "user NOT in sudoers": "bob : user NOT in sudoers ; TTY=pts/1 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/su -",
    "3 incorrect password attempts": "ada : 3 incorrect password attempts ; TTY=unknown ; USER=root ; COMMAND=x",
    "a password is required": "ada : a password is required ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    "unable to open /etc/x: No such file": "root : unable to open /etc/x: No such file ; TTY=pts/0 ; PWD=/ ; USER=root",
}


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_old_is_read(reason: str) -> None:
    document = made(REASONS[reason])
    assert document["sudo"]["reason"].rstrip(" ;") == reason
    assert document["event"]["outcome"] == "failure"
    assert document["process"].get("tty") in (None, "pts/0", "pts/1")


def test_a_session_that_sudo_recorded_itself_is_named() -> None:
    assert made("ada : TTY=pts/0 ; PWD=/ ; USER=root ; TSID=00000A ; COMMAND=/bin/sh")["sudo"]["iolog_path"] == "00000A"
    assert made(event(iolog_path="/var/log/sudo-io/00/00/01"))["sudo"]["iolog_path"] == "/var/log/sudo-io/00/00/01"


@pytest.mark.parametrize(
    ("status", "signal", "outcome"), [(0, None, "success"), (3, None, "failure"), (143, "TERM", "failure")]
)
def test_how_a_command_ended(status: int, signal: str | None, outcome: str) -> None:
    more = {"signal": signal} if signal else {}
    new = made(json.dumps({"sudo": {"exit": {"uuid": "u", "exit_value": status, **more}}}))
    tail = f" ; SIGNAL={signal} ; EXIT={status}" if signal else f" ; EXIT={status}"
    old = made(f"ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh -c x{tail}")
    for document in (new, old):
        assert document["event"] == {"action": "exit", "outcome": outcome}
        assert document["process"]["exit_code"] == status
    assert old["process"]["command_line"] == "/bin/sh -c x"


def test_the_log_servers_entries_say_where_it_happened() -> None:
    document = made(event(peeraddr="192.0.2.9", submithost="db1"))
    assert document["hostname"] == "db1"
    assert document["source"] == {"ip": "192.0.2.9"}
    assert document["pipeline_metadata"]["collector"]["hostname"] == "web7"
    assert made(event(submithost="db1"))["hostname"] == "web7"


def test_what_sudos_login_modules_say_is_left_alone() -> None:
    for text in (
        "pam_unix(sudo:session): session opened for user root(uid=0) by ada(uid=1000)",
        "pam_unix(sudo:auth): authentication failure; logname=ada uid=1000 euid=0 tty=/dev/pts/0 rhost=  user=ada",
    ):
        assert made(text)["ttyscribe"]["kind"] == "syslog"
        assert "error" not in made(text)["ttyscribe"]


def test_other_programs_lines_are_left_alone() -> None:
    assert made("ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls", program="app")["ttyscribe"]["kind"] == "syslog"
    assert made('{"submituser":"ada","command":"x"}', program="app")["ttyscribe"]["kind"] == "syslog"


# ---- who is attacked


FORGED = {
    "by a folder": "eve : TTY=pts/0 ; PWD=/tmp/a ; USER=ada ; COMMAND=/bin/true ; USER=root ; COMMAND=/bin/evil",
    "by a folder, the user alone": "eve : TTY=pts/0 ; PWD=/tmp/a ; USER=ada ; USER=root ; COMMAND=/bin/evil",
    "by an argument": "eve : TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/bin/evil ; COMMAND=/bin/true",
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED)
def test_what_can_be_read_in_two_ways_is_not_believed(text: str) -> None:
    document = made(text)
    assert document["sudo"]["ambiguous"] == "yes"
    assert document["user"] == {"name": "eve"}
    assert "process" not in document
    assert document["message"] == text


def test_an_argument_is_not_taken_for_a_field() -> None:
    document = made("ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/echo 'x ; USER=eve'")
    assert document["user"]["effective"] == {"name": "root"}
    assert document["process"]["command_line"] == "/bin/echo 'x ; USER=eve'"


def test_only_root_vouches_for_an_entry() -> None:
    assert made(event())["ttyscribe"]["trust"] == "system"
    assert made(event(), uid="1000")["ttyscribe"]["trust"] == "none"


BROKEN = {
    "not JSON": '@cee:{"sudo":{"accept":{"submituser":"ada"',
    "an event of another name": '{"sudo":{"allow":{}}}',
    "two events": '{"sudo":{"accept":{},"reject":{}}}',
    "a list": '{"sudo":[]}',
    "more beside it": '{"sudo":{"accept":{}},"x":1}',
    "a name twice": '{"sudo":{"accept":{"submituser":"ada","submituser":"eve"}}}',
    "NaN": '{"sudo":{"accept":{"runuid":NaN}}}',
    "nested too deep": '{"sudo":{"accept":{"x":' + "[" * 99 + "]" * 99 + "}}}",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_entry_is_kept_with_the_error(text: str) -> None:
    document = made(text)
    assert document["ttyscribe"]["kind"] == "syslog"
    assert document["ttyscribe"]["error"]
    assert document["message"] == text


STRANGE: dict[str, Any] = {
    "types that are none of sudo's": {
        "submituser": 5,
        "runargv": "ls",
        "runuid": "0",
        "submit_time": "now",
        "command": None,
    },
    "numbers of any size": {"runuid": 2**64, "lines": 10**30, "exit_value": -1, "submit_time": {"seconds": 2**70}},
    "control characters": {"runargv": ["a\x1b[2Jb", "c\nd"], "submituser": "a\x07da"},
    "names of any kind": {"x" * 500: 1, "": 2, "a.b": 3, "n\0l": 4},
    "a long argument": {"runargv": ["x " * 50_000]},
}


@pytest.mark.parametrize("fields", STRANGE.values(), ids=STRANGE)
def test_strange_values_are_kept_and_break_nothing(fields: dict[str, Any]) -> None:
    text = event(**fields)
    document = made(text)
    assert document["ttyscribe"]["kind"] == "sudo"
    kept = document["sudo"]
    given = json.loads(kept["original"])["sudo"]["accept"] if "original" in kept else kept["data"]
    assert given == ACCEPT | fields
    assert flat.is_flat(kept["data"])
    assert document["message"].isprintable()


def test_bytes_that_are_not_utf_8_are_kept() -> None:
    document = made(event(runargv=["caf\udce9"]))
    assert document["process"]["args"] == ["caf\ufffd"]
    assert base64.b64decode(document["ttyscribe"]["raw"]) == event(runargv=["caf\udce9"]).encode(
        "utf-8", "surrogateescape"
    )
    escaped = event().replace('"-l"', '"\\udc00"')
    assert base64.b64decode(made(escaped)["ttyscribe"]["raw"]).decode() == escaped


def test_an_entry_without_a_time_has_that_of_its_message() -> None:
    assert made(json.dumps({"sudo": {"exit": {"exit_value": 0}}}))["@timestamp"] == RECEIVED


def test_files_of_json_lines_are_read() -> None:
    recording = json.dumps({"timestamp": {"seconds": 1795521600}, **ACCEPT})
    found = [pipeline(shapes.decode).process(text.encode(), NOW_NS).documents[0] for text in (event(), recording)]
    assert [document["ttyscribe"]["kind"] for document in found] == ["sudo", "sudo"]
    assert [document["ttyscribe"]["trust"] for document in found] == ["none", "none"]
    assert [document["hostname"] for document in found] == ["", "web7"]
    assert found[1]["event"] == {"action": "iolog"}
