# SPDX-License-Identifier: Apache-2.0
"""The normalizer as mmexternal's filter (docs/contracts/mmexternal-documents.md), without rsyslogd."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.normalizers.process import PATIENCE, PROGRAM, Running, run
from tests.normalizers.samples import NOW_NS, line, pipeline, text
from ttyscribe_formats.document import Document
from ttyscribe_normalizers import envelope, fulljson, mmexternal
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.pipeline import Pipeline

STAMP = "E59101DB99164E47B6CAAF8A93598736"
NAMES = {
    "time": "timereported",
    "host": "hostname",
    "from": "fromhost-ip",
    "program": "programname",
    "tag": "syslogtag",
    "procid": "procid",
    "facility": "syslogfacility",
    "severity": "syslogseverity",
    "input": "inputname",
    "msg": "msg",
}
STAMPS = ("id", "received", "uid", "pid")


def full(raw: bytes) -> bytes:
    """A line of the template as mmexternal would write the same message."""
    fields = json.loads(raw.decode("utf-8", "surrogateescape"))
    made: dict[str, Any] = {NAMES[key]: value for key, value in fields.items() if key in NAMES}
    made |= {
        "rawmsg": "<86>...",
        "uuid": None,
        "$!": {"ttyscribe": {key: fields[key] for key in STAMPS if key in fields}},
    }
    return json.dumps(made, ensure_ascii=False).encode("utf-8", "surrogateescape")


def stamping(stamped: mmexternal.Stamped, **options: Any) -> Pipeline:
    """A pipeline for mmexternal's lines."""
    made = pipeline(**options)
    made.parts = made.parts._replace(decode=stamped.around(fulljson.decode))
    return made


def filtering(made: Pipeline, stamped: mmexternal.Stamped) -> mmexternal.Normalizer:
    """A filter around a pipeline."""
    return mmexternal.Normalizer(made, stamped, lambda: NOW_NS, lambda _: None)


def own(raw: bytes, **options: Any) -> dict[str, Any]:
    """What the filter sets for one line."""
    stamped = mmexternal.Stamped()
    changes = filtering(stamping(stamped, **options), stamped).line(raw)
    assert changes.keys() == {"$!"}
    assert changes["$!"].keys() == {"normalized"}
    found: dict[str, Any] = changes["$!"]["normalized"]
    return found


MESSAGES = [
    line("hello"),
    line('ü 😀 \\ " / \t'),
    line(text()),
    line(text()[:-20]),
    line("x", uid="", pid="", procid="77", severity="3"),
    line("caf\udce9"),
    line("no time", time="x", received="x"),
    line(text(id=2**62, session=2**31)),
]


@pytest.mark.parametrize("raw", MESSAGES)
def test_a_document_is_what_omprogs_way_stores(raw: bytes) -> None:
    """MMN-1, MMN-2, MMN-3."""
    (wanted,) = pipeline(envelope.decode).process(raw, NOW_NS).documents
    found = own(full(raw))
    assert json.loads(found["document"]) == json.loads(json.dumps(wanted))
    kind, partition = wanted["ttyscribe"]["kind"], wanted["ttyscribe"]["partition"]
    assert (found["passed"], found["id"], found["kind"]) == (STAMP, wanted["viaq_msg_id"], kind)
    assert found["index"] == f"ttyscribe-{kind}-{partition}"
    assert found.keys() == {"passed", "document", "index", "id", "kind"}


def test_numbers_that_rsyslog_copied_are_as_good_as_text() -> None:
    """MMN-1: `set $.uid = $!uid` copies a number."""
    raw = full(line("hello", uid=1000, pid=77))
    document = json.loads(own(raw)["document"])
    assert (document["ttyscribe"]["sender_uid"], document["ttyscribe"]["sender_pid"]) == (1000, 77)


@pytest.mark.parametrize("raw", MESSAGES)
def test_a_whole_line_stands_in_place_of_the_properties(raw: bytes) -> None:
    """MMN-1, MMN-3: as a journal's entry or another host's line needs it; the stamp is the ruleset's own."""
    (wanted,) = pipeline(envelope.decode).process(raw, NOW_NS).documents
    tree = {"ttyscribe": {"id": "mine", "line": raw.decode("utf-8", "surrogateescape")}}
    found = own(json.dumps({"msg": "", "$!": tree}, ensure_ascii=False).encode("utf-8", "surrogateescape"))
    assert found["passed"] == "mine"
    assert json.loads(found["document"]) == json.loads(json.dumps(wanted))


def test_a_journal_entry_comes_as_a_whole_line() -> None:
    """MMN-1."""
    entry = {"MESSAGE": text(), "_UID": "0", "_PID": "77", "_HOSTNAME": "web9", "SYSLOG_IDENTIFIER": "tlog"}
    whole = line("", **{"from": "127.0.0.1", "msg": "", "journal": entry})
    found = own(json.dumps({"msg": "cut", "$!": {"ttyscribe": {"id": "mine", "line": whole.decode()}}}).encode())
    document = json.loads(found["document"])
    assert (found["passed"], found["kind"]) == ("mine", "tlog")
    assert (document["ttyscribe"]["trust"], document["ttyscribe"]["sender_pid"]) == ("system", 77)


@pytest.mark.parametrize("whole", ["", "junk", "[]", '{"v":2}', "\ud800"])
def test_a_whole_line_that_is_none_does_not_pass(whole: str) -> None:
    """MMN-4: its message's other properties are no way out."""
    assert own(json.dumps({"msg": "x", "$!": {"ttyscribe": {"id": "mine", "line": whole}}}).encode())["status"] in (
        "unparsable",
        "empty",
    )


NOT_PASSED = {
    "nothing": (b"", "unparsable"),
    "blank": (b"  ", "unparsable"),
    "text": (b"junk", "unparsable"),
    "an array": (b"[]", "unparsable"),
    "no message": (b"{}", "unparsable"),
    "nested": (b"[" * 100_000, "unparsable"),
    "not stamped": (full(line("x", id=None)), "unparsable"),
    "an empty stamp": (full(line("x", id="")), "unparsable"),
    "a stamp that is not UTF-8": (full(line("x", id="a\udce9")), "unparsable"),
    "a stamp of many letters": (full(line("x", id="a" * 129)), "unparsable"),
    "a stamp that is no text": (full(line("x", id=5)), "unparsable"),
    "stamps that are none": (b'{"msg":"x","$!":{"ttyscribe":"y"}}', "unparsable"),
    "no tree": (b'{"msg":"x","$!":null}', "unparsable"),
    "stamps elsewhere": (b'{"msg":"x","id":"y","$!":{"id":"y","TTYSCRIBE":{"id":"y"}}}', "unparsable"),
    "too long": (full(line("x" * 300_000)), "too-long"),
    "a NUL": (full(line(text(out_txt="a\0b"))), "inexact"),
}


@pytest.mark.parametrize(("raw", "status"), NOT_PASSED.values(), ids=NOT_PASSED.keys())
def test_what_does_not_pass_says_why(raw: bytes, status: str) -> None:
    """MMN-3, MMN-4, MMN-7."""
    found = own(raw)
    assert found.keys() == {"status", "reason"} or found == {"status": "empty"}
    assert found["status"] == status or (raw.isspace() or not raw)


def test_nothing_outside_the_stamps_attests_anything() -> None:
    """MMN-7."""
    fields = json.loads(full(line("x", uid="", pid="")))
    fields |= {"v": 1, "peer": "*", "uid": "0", "journal": {"MESSAGE": "forged", "_UID": "0"}}
    fields["$!"]["uid"] = "0"
    made = json.loads(own(json.dumps(fields).encode())["document"])
    assert (made["message"], made["ttyscribe"]["kind"], made["ttyscribe"]["trust"]) == ("x", "syslog", "none")


@pytest.mark.parametrize("blank", ["", " ", " \t "])
def test_an_empty_message_is_told_as_such(blank: str) -> None:
    """MMN-5."""
    assert own(full(line(blank))) == {"empty": STAMP}


class Several:
    """A kind of several documents a message, or none."""

    name = "several"
    order = 0

    def accepts(self, envelope: Envelope) -> bool:
        return True

    def normalize(self, envelope: Envelope) -> Sequence[Document]:
        made: Any = {"n": 1}
        if envelope.text == "fails":
            raise RuntimeError("no")
        return [made] * int(envelope.text)


def test_several_documents_and_failures_do_not_pass() -> None:
    """MMN-3, MMN-4, MMN-5: a document that names no index neither."""
    stamped = mmexternal.Stamped()
    made = stamping(stamped)
    made.parts = made.parts._replace(kinds=[Several()])
    normalizer = filtering(made, stamped)

    def status(message: str) -> Any:
        return normalizer.line(full(line(message)))["$!"]["normalized"]

    assert status("3") == {"status": "several", "reason": "the message has 3 documents, a filter can give one only"}
    assert status("0") == {"empty": STAMP}
    assert status("1")["status"] == status("fails")["status"] == "failed"


@pytest.mark.parametrize("more", [{"n": 2**63}, {"a": 1, "A": 2}, {"t": "a\0b"}])
def test_a_document_that_rsyslog_would_change_does_not_pass(more: dict[str, Any]) -> None:
    """MMN-4."""
    made: Any = {"viaq_msg_id": "log:x", "ttyscribe": {"kind": "syslog", "partition": "2026.11"}}
    assert mmexternal.passed(STAMP, made)["passed"] == STAMP
    assert mmexternal.passed(STAMP, made | {"data": more})["status"] == "inexact"


def test_a_stamp_is_never_another_messages() -> None:
    """MMN-3: not after a line that could not be read."""
    stamped = mmexternal.Stamped()
    normalizer = filtering(stamping(stamped), stamped)
    assert normalizer.line(full(line("one", id="first")))["$!"]["normalized"]["passed"] == "first"
    assert "passed" not in normalizer.line(b"junk")["$!"]["normalized"]
    assert normalizer.line(b"")["$!"]["normalized"] == {"status": "empty"}
    assert normalizer.line(full(line("two", id="second")))["$!"]["normalized"]["passed"] == "second"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_survives_in_rsyslogs_json(value: Any) -> None:
    """MMN-4: the rule again, by what its JSON does to a value."""
    assert mmexternal.survives(value) == (as_rsyslog(value) == value and within(value))


def as_rsyslog(value: Any) -> Any:
    """A value as rsyslog's JSON would give it back."""
    if type(value) is str:
        return value.partition("\0")[0]
    if type(value) is int:
        return max(-(2**63), min(value, 2**63 - 1))
    if type(value) is list:
        return [as_rsyslog(inner) for inner in value]
    if type(value) is dict:
        names: dict[str, str] = {}
        for key in value:
            names.setdefault(key.lower(), key)
        return {as_rsyslog(names[key.lower()]): as_rsyslog(inner) for key, inner in value.items()}
    return value


def within(value: Any, deepest: int = 30) -> bool:
    """Whether it is not nested too deep."""
    inner = value.values() if type(value) is dict else value if type(value) is list else None
    return inner is None or (deepest > 0 and all(within(one, deepest - 1) for one in inner))


def test_lone_surrogates_and_deep_nesting_do_not_survive() -> None:
    """MMN-4."""
    deep: Any = "end"
    for _ in range(30):
        deep = [deep]
    assert mmexternal.survives(deep)
    assert not mmexternal.survives([deep])
    assert not mmexternal.survives({"x": ["\ud800"]})
    assert not mmexternal.survives({"\udc80": 1})


def test_a_random_line_has_always_one_valid_reply(tmp_path: Path) -> None:
    """MMN-4: bytes of all kinds through the real program, none of them passes."""
    dice = __import__("random").Random(7)
    good = full(line("hello"))
    junk = [bytes(dice.choices(range(256), k=dice.randrange(200))).replace(b"\n", b"") for _ in range(300)]
    cut = [good[: dice.randrange(len(good))] for _ in range(100)]
    lines = junk + cut
    done = run(tmp_path, b"\n".join([*lines, good, b""]), "--protocol", "mmexternal", "--log-file", "log")
    replies = [json.loads(reply)["$!"]["normalized"] for reply in done.stdout.splitlines()]
    assert len(replies) == len(lines) + 1
    assert not any("passed" in reply for reply in replies[:-1])
    assert replies[-1]["passed"] == STAMP
    assert done.stderr == b""
    assert os.listdir(tmp_path) == ["log"]
    assert f"ended after {len(lines) + 1} lines" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("profile", ["lossless", "viaq"])
def test_an_empty_environment_is_enough(tmp_path: Path, profile: str) -> None:
    """MMN-6: in `/`, with standard error in the reply pipe; nothing but the reply comes out."""
    program = [sys.executable, *PROGRAM[1:], "--protocol", "mmexternal", "--profile", profile]
    done = subprocess.run(
        program,
        input=full(line("hello")) + b"\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={},
        timeout=PATIENCE,
    )
    assert done.returncode == 0
    (reply,) = done.stdout.splitlines()
    document = json.loads(json.loads(reply)["$!"]["normalized"]["document"])
    assert document["message"] == "hello"
    assert document["ttyscribe"]["partition"] == "2026.11"
    assert document["viaq_msg_id"] == f"log:{STAMP}"


def test_a_line_beyond_all_limits_has_its_reply(tmp_path: Path) -> None:
    """MMN-4."""
    data = full(line("x" * (3 << 20))) + b"\n" + full(line("hello")) + b"\n"
    done = run(tmp_path, data, "--protocol", "mmexternal")
    first, second = (json.loads(reply)["$!"]["normalized"] for reply in done.stdout.splitlines())
    assert first["status"] == "too-long"
    assert second["passed"] == STAMP


def test_a_configuration_is_read_again_between_two_lines(tmp_path: Path) -> None:
    """MMN-3: SIGHUP changes the limit, and the stamps go on."""
    config, log = tmp_path / "config", tmp_path / "log"
    config.write_text('max_message = "1K"\n')
    with Running(tmp_path, "--protocol", "mmexternal", "--config", str(config), "--log-file", str(log)) as program:
        program.send(full(line("x" * 2000)))
        assert b"too-long" in program.answer()
        config.write_text('max_message = "4K"\n')
        program.signal(signal.SIGHUP)
        while "changed: max_message" not in (log.read_text() if log.exists() else ""):
            program.send(full(line("y")))
            assert json.loads(program.answer())["$!"]["normalized"]["passed"] == STAMP
        program.send(full(line("x" * 2000)))
        assert json.loads(program.answer())["$!"]["normalized"]["passed"] == STAMP
        assert program.finish() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "sqlite:x"], "--protocol mmexternal writes to rsyslog: leave --output out"),
        (["--spool", "x"], "--spool is for --protocol omprog"),
        (["--log-file", "/nowhere/log"], "can't write the log file"),
    ],
)
def test_wrong_use_is_one_line_that_rsyslogd_can_report(tmp_path: Path, arguments: list[str], said: str) -> None:
    """MMN-6."""
    done = run(tmp_path, b"", "--protocol", "mmexternal", *arguments, status=2)
    assert said in done.stderr.decode().splitlines()[-1]
    assert done.stdout == b""
