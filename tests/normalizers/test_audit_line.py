# SPDX-License-Identifier: Apache-2.0
"""What kind audit-line makes of raw audit records, whoever hands them over."""

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

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = jsonschema.Draft202012Validator(schema.schema(declared.load(ROOT).kinds["audit-line"]))
HEAD = "msg=audit(1795521600.771:880):"
SYSCALL = (
    f"type=SYSCALL {HEAD} arch=c000003e syscall=257 success=no exit=-13 ppid=1200 pid=1201 auid=1000 uid=0 euid=0"
    ' tty=pts0 ses=23 comm="cat" exe="/usr/bin/cat" key="shadow"'
)
ENRICHED = '\x1dARCH=x86_64 SYSCALL=openat AUID="ada" UID="root" EUID="root"'


def checked(processed: Any) -> Any:
    """The only document."""
    assert processed.dead is None
    (document,) = processed.documents
    if document["ttyscribe"]["kind"] == "audit-line":
        SCHEMA.validate(document)
    return document


def made(text: str, **envelope: Any) -> Any:
    """The document of one line of an auditd plugin, through rsyslog."""
    return checked(pipeline().process(line(text, **({"program": "audispd"} | envelope)), NOW_NS))


def bare(text: str) -> Any:
    """The document of one line of auditd's own file."""
    return checked(pipeline(shapes.decode).process(text.encode("utf-8", "surrogateescape"), NOW_NS))


def test_a_record_has_what_it_says_in_typed_fields() -> None:
    document = made(SYSCALL)
    assert document["@timestamp"] == "2026-11-24T12:00:00.771000+00:00"
    assert document["message"] == SYSCALL
    assert document["audit"]["type"] == "SYSCALL"
    assert document["audit"]["serial"] == 880
    assert document["audit"]["data"]["exe"] == ["/usr/bin/cat", '"/usr/bin/cat"']
    assert document["process"] == {
        "pid": 1201, "parent": {"pid": 1200}, "executable": "/usr/bin/cat", "name": "cat", "tty": "pts0",
    }  # fmt: skip
    assert document["user"] == {"id": "0", "effective": {"id": "0"}, "audit": {"id": "1000"}}
    assert document["event"] == {"action": "openat", "outcome": "failure"}
    assert document["ttyscribe"]["audit_session"] == 23
    assert document["viaq_msg_id"] == "log:E59101DB99164E47B6CAAF8A93598736"


@pytest.mark.parametrize("shipped", ["\x1d", "#035"])
def test_what_auditd_knew_gives_names(shipped: str) -> None:
    text = SYSCALL + ENRICHED.replace("\x1d", shipped)
    document = made(text) if shipped == "#035" else bare(text)
    assert document["user"]["audit"] == {"id": "1000", "name": "ada"}
    assert document["user"]["name"] == "root"
    assert document["audit"]["data"]["auid"] == ["ada", "1000"]
    assert document["message"] == SYSCALL + ENRICHED.replace("\x1d", "#035")


def test_a_process_cannot_hide_behind_the_mark_by_its_name() -> None:
    text = f'type=SYSCALL {HEAD} pid=1 auid=1000 comm="x#035AUID=root" exe="/tmp/evil" key=(null)#035AUID="ada"'
    document = made(text)
    assert document["process"]["name"] == "x#035AUID=root"
    assert document["process"]["executable"] == "/tmp/evil"
    assert document["user"]["audit"] == {"id": "1000", "name": "ada"}


FORMS = {
    "of auditd": SYSCALL,
    "with a node": f"node=web7.example.com {SYSCALL}",
    "of the kernel": SYSCALL.replace("type=SYSCALL msg=", "audit: type=1300 "),
    "of the kernel, with its clock": "[   12.345678] " + SYSCALL.replace("type=SYSCALL msg=", "audit: type=1300 "),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("program", ["audispd", "audit", "kernel", "auditd", "relay"])
def test_records_are_taken_in_every_form(text: str, program: str) -> None:
    document = made(text, program=program)
    assert document["ttyscribe"]["kind"] == "audit-line"
    assert (document["audit"]["type"], document["audit"]["serial"]) == ("SYSCALL", 880)
    assert document["process"]["pid"] == 1201
    assert document["audit"].get("node", "") == ("web7.example.com" if text.startswith("node") else "")


def test_the_journals_own_records_are_taken() -> None:
    entry = {
        "MESSAGE": "SYSCALL " + SYSCALL.partition(": ")[2],
        "_TRANSPORT": "audit",
        "_AUDIT_TYPE_NAME": "SYSCALL",
        "_AUDIT_TYPE": "1300",
        "_AUDIT_ID": "880",
        "_SOURCE_REALTIME_TIMESTAMP": "1795521600771000",
        "__REALTIME_TIMESTAMP": "1795521601000000",
        "__CURSOR": "s=1",
        "_HOSTNAME": "web7",
    }
    document = bare(json.dumps(entry))
    assert document["audit"]["serial"] == 880
    assert document["@timestamp"] == "2026-11-24T12:00:00.771000+00:00"
    assert document["event"] == {"action": "openat", "outcome": "failure"}
    assert document["viaq_msg_id"].startswith("journal:")
    # Its uid and pid are those of whom the record is about: the kernel itself vouches for it.
    by_user = bare(json.dumps(entry | {"_UID": "1000", "_PID": "1201", "_AUDIT_SESSION": "9"}))
    assert by_user["ttyscribe"]["trust"] == "system"
    assert "sender_uid" not in by_user["ttyscribe"]
    assert by_user["ttyscribe"]["audit_session"] == 23
    for strange in ("x", "-1", "9" * 30, 880, None):
        assert "serial" not in bare(json.dumps(entry | {"_AUDIT_ID": strange}))["audit"]


def test_through_rsyslog_without_the_journals_fields_they_have_no_serial() -> None:
    document = made(
        "SERVICE_START pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=ssh res=success'", program="audit"
    )
    assert document["audit"]["type"] == "SERVICE_START"
    assert "serial" not in document["audit"]
    assert document["event"] == {"action": "service_start", "outcome": "success"}
    assert "audit_session" not in document["ttyscribe"]
    assert document["@timestamp"] == RECEIVED


MALFORMED = {
    "a time that is none": "type=SYSCALL msg=audit(abc:def): a=b",
    "no type": f"type= {HEAD} a=b",
    "a type in small letters": f"type=syscall {HEAD} a=b",
    "a serial beyond 64 bit": "type=CWD msg=audit(1795521600.771:99999999999999999999): a=b",
    "a time beyond all bounds": "type=CWD msg=audit(9999999999999.771:1): a=b",
    "cut in its head": "type=CWD msg=audit(1795521600.7",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_record_is_kept_with_the_error(text: str) -> None:
    for document in (made(text), bare(text)):
        assert document["ttyscribe"]["kind"] == "syslog"
        assert "no audit record" in document["ttyscribe"]["error"]
        assert document["message"] == text


def test_other_lines_are_left_alone() -> None:
    for text in (
        "type=note about audit",
        "node=web7 is up",
        "audit: backlog limit exceeded",
        "kauditd hold queue overflow",
    ):
        document = made(text, program="app")
        assert document["ttyscribe"]["kind"] == "syslog"
        assert "error" not in document["ttyscribe"]


@pytest.mark.parametrize("path", sorted((ROOT / "tests/data/audit-lines").glob("*.log")), ids=lambda path: path.stem)
def test_recorded_lines_are_kept_whole(path: Path) -> None:
    for raw in path.read_bytes().splitlines():
        for processed in (
            pipeline().process(line(raw.decode("utf-8", "surrogateescape"), program="audispd"), NOW_NS),
            pipeline(shapes.decode).process(raw, NOW_NS),
        ):
            if processed.dead is not None:
                assert b"audit(" not in raw or not raw.startswith((b"type=", b"node=")), "an NDJSON line that is none"
                continue
            for document in processed.documents:
                kept = document["ttyscribe"].get("raw")
                assert (base64.b64decode(kept) if kept else document["message"].encode()).strip() == raw.strip()


def test_values_are_decoded_and_searched() -> None:
    hexed = "sh -c caf\u00e9".encode().hex().upper()
    document = made(f'type=EXECVE {HEAD} argc=2 a0="sh" a1={hexed} a2="{"x" * 9000}"')
    assert document["process"]["args"] == ["sh", "sh -c caf\u00e9", "x" * 9000]
    assert " caf\u00e9 " in f" {document['ttyscribe']['words']} "
    assert flat.is_flat(document["audit"]["data"])


def test_an_argument_in_pieces_is_joined() -> None:
    document = made(f'type=EXECVE {HEAD} argc=2 a0="sh" a1_len=8 a1[0]="abcd" a1[1]=65666768')
    assert document["process"]["args"] == ["sh", "abcdefgh"]


def test_a_name_that_stands_twice_keeps_both_values_and_the_kernels_own_counts() -> None:
    document = made(
        f"type=USER_LOGIN {HEAD} pid=9 uid=0 auid=1000 ses=3 msg='op=login uid=1001 acct=\"eve\" res=failed'"
    )
    assert document["audit"]["data"]["uid"] == [["0"], ["1001"]]
    assert document["user"] == {"id": "0", "audit": {"id": "1000"}, "target": {"name": "eve"}}
    assert document["event"]["outcome"] == "failure"


def test_a_sockets_record_by_itself_does_not_say_which_side_it_is() -> None:
    document = made(f"type=SOCKADDR {HEAD} saddr=02000016C0A8010A0000000000000000")
    assert "destination" not in document
    assert "source" not in document
    assert "192 168 1 10" in document["ttyscribe"]["words"]


def test_a_forged_time_makes_no_index() -> None:
    assert made('type=CWD msg=audit(1.000:1): cwd="/"')["ttyscribe"]["partition"] == "implausible-time"
