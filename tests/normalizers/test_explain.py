# SPDX-License-Identifier: Apache-2.0
"""`--explain` tells what is done, by what was done; writes nothing; lets no hostile byte through."""

import json
import os
import pty
import re
import sys
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.normalizers.process import PATIENCE, PROGRAM, run
from tests.normalizers.samples import NOW_NS, line, text
from ttyscribe_normalizers import build, options
from ttyscribe_normalizers.deadletter import Entry, encode
from ttyscribe_normalizers.explain import origins, program, told
from ttyscribe_normalizers.explain.program import subject_of
from ttyscribe_normalizers.explain.walk import Explained, Subject, explain
from ttyscribe_normalizers.explain.watched import watch
from ttyscribe_normalizers.pipeline import MAX_LINE, Dead

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.rglob("*.in.json"))
RECORDING = text(in_txt="ls\r", timing="+10<3>3")


def subject(*arguments: str) -> Subject:
    return subject_of(options.parse([*arguments, "--explain", "-"], ""), build.build, NOW_NS)


def explained(raw: bytes, *arguments: str) -> Explained:
    return explain(1, raw, NOW_NS, subject(*arguments))


def said(found: Explained) -> list[str]:
    return [row.text for row in told.rows(found)]


def sources(found: Explained) -> dict[str, str]:
    """What the explanation says of each field of the first document."""
    return {
        one.field: f"= {one.copy_of}" if len(one.sources) == 1 and one.copy_of else ", ".join(one.sources)
        for one in found.made[0].origins
    }


# ---- what it tells is what is done


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(GOLDEN)).removesuffix(".in.json"))
def test_the_documents_are_those_that_are_made_and_all_of_it_prints(path: Path) -> None:
    case = json.loads(path.read_text())
    arguments = ["--protocol", case["protocol"]]
    if case.get("profile") == "viaq":
        arguments += ["--profile", "viaq", *(("--output", "memory:") if case["stored"] else ())]
    asked = subject(*arguments)
    for number, raw in enumerate(case["lines"], 1):
        data = raw.encode() if isinstance(raw, str) else b64decode(raw["base64"])
        found = explain(number, data, NOW_NS, asked)
        parsed = options.parse(arguments + ([] if "--output" in arguments else ["--explain", "-"]), "")
        quick = build.build(parsed, stamp=lambda: "new", now_ns=lambda: NOW_NS)
        wanted = quick.process(data, NOW_NS)
        assert [made.document for made in found.made] == list(wanted.documents)
        assert ("dead letter" in found.outcome) == (wanted.dead is not None)
        lines = said(found)
        assert all(one.isprintable() for one in lines)
        shown = "\n".join(lines).split("\n  document\n")[1:]
        assert [json.loads(one.partition("\n  trust")[0].partition("\n  identity")[0]) for one in shown] == [
            json.loads(json.dumps(made.document)) for made in found.made
        ]
        for made in found.made:
            assert {one.field for one in made.origins} == {name for name, _ in origins.leaves(made.document)}


def test_where_the_fields_of_a_recording_come_from() -> None:
    found = sources(explained(line(RECORDING, uid="1000")))
    assert found["tlog.out_txt"] == found["message"] == "= msg.out_txt"
    assert found["ttyscribe.typed"] == "msg.in_txt"
    assert found["ttyscribe.words"] == "msg.in_txt, msg.out_txt"
    assert found["hostname"] == "= msg.host"
    assert found["@timestamp"] == found["ttyscribe.partition"] == "msg.time"
    assert found["ttyscribe.last_ms"] == "msg.pos, msg.timing"
    assert found["pipeline_metadata.collector.hostname"] == "host, msg.host"
    assert found["ttyscribe.sender_pid"] == "from, pid"  # of a sender elsewhere the kernel attests nothing
    assert "--trusted-uid" in found["ttyscribe.trust"]
    assert found["ttyscribe.kind"] == found["pipeline_metadata.normalizer.name"] == ""
    assert len(found["viaq_msg_id"].split(", ")) == 14


def test_where_the_fields_of_a_journal_entry_come_from() -> None:
    entry = {"MESSAGE": "x y", "_UID": "0", "PRIORITY": "3", "__CURSOR": "s=1", "_HOSTNAME": "web7"}
    entry |= {"__REALTIME_TIMESTAMP": "1795521604123456", "_COMM": "app"}
    found = explained(json.dumps(entry).encode())
    assert found.reading is not None
    assert found.reading.what == "The envelope of a journal entry."
    assert found.reading.attested[0] == "the sender's uid 0: by journald"
    of = sources(found)
    assert (of["message"], of["level"], of["viaq_msg_id"]) == ("= MESSAGE", "PRIORITY", "__CURSOR")
    assert of["systemd.t.COMM"] == "= _COMM"
    assert of["@timestamp"] == of["ttyscribe.received"] == "__REALTIME_TIMESTAMP"


def test_a_kind_that_reads_words_is_seen_to_read_them() -> None:
    """A field that is made of one word of the message names it; the whole is named where all words matter."""

    def make(raw: bytes) -> list[Any]:
        words = json.loads(raw)["msg"].split()
        return [{"message": " ".join(words), "jail": words[1][1:-1] if len(words) > 1 else ""}]

    found = origins.of(json.dumps({"msg": "NOTICE [sshd] Ban 192.0.2.7"}).encode(), make, {})[0]
    assert [(one.field, one.sources) for one in found] == [("message", ("msg",)), ("jail", ("msg “sshd”",))]


def test_kinds_say_what_they_look_for() -> None:
    asked = explained(line("x", program="app")).asked
    assert asked[0].kind == "tlog"
    assert asked[0].answer == "did not take it"
    assert asked[0].why.startswith("Whether it is an object with a recording's message's keys")
    assert (asked[-1].kind, asked[-1].answer) == ("syslog", "took it")
    asked = explained(line(RECORDING)).asked
    assert (asked[0].answer, asked[-1].answer, asked[-1].why) == ("took it", "was not asked", "tlog had taken it")
    broken = explained(line(text()[:100]))
    assert broken.asked[0].answer == "took it, but could not read it"
    assert "not JSON" in broken.asked[0].why
    assert broken.outcome.startswith("stored as kind syslog with the error: not JSON")


@pytest.mark.parametrize(
    ("raw", "trust"),
    [
        (line("x", uid="0", **{"from": "192.0.2.7"}), "none: uid 0 and pid 4113 are not believed: "),
        (line("x", uid="0"), "system: uid 0 is one of --trusted-uid"),
        (line("x", uid="4242"), "none: uid 4242 is none of --trusted-uid"),
        (line(text(host="db1"), uid="0", peer="web7"), "none: web7 sent the message, which says it is of db1"),
        (line(RECORDING, uid="4242"), "none: uid 4242 is none of --trusted-uid, nor is it ada"),
        (line("x", uid=""), "none: nobody attested the sender"),
        (line(text(user="root"), uid="0"), "user: uid 0 is root, whom the message is about"),
    ],
)
def test_trust_has_its_reason(raw: bytes, trust: str) -> None:
    more = ("--trusted-uid", "77") if trust.startswith("user") else ()
    assert explained(raw, *more).made[0].trust.startswith(trust)


def test_identity_and_place_have_their_reasons() -> None:
    stamped, bare = explained(line("x")).made[0], explained(b'{"message":"x"}').made[0]
    assert stamped.identity.endswith(": the same each time the line comes, stored once")
    assert bare.identity.endswith("as nothing in the line names it: stored at least once")
    assert sources(explained(b'{"message":"x"}'))["viaq_msg_id"] == "a new id"
    assert stamped.place == "ttyscribe-syslog-2026.11, by its own time"
    late = explained(line("x", time="2031-01-01T00:00:00Z")).made[0]
    assert late.place.startswith("ttyscribe-syslog-implausible-time, as its time is far from that of receipt")


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (b"", "counted and dropped: there is no message"),
        (line("  "), "counted and dropped: there is no message"),
        (b"{", "dead letter, status unparsable: not JSON"),
        (line("x" * 300_000), "dead letter, status too-long: the message has 300000 bytes, more than 262144"),
        (b"x" * (MAX_LINE + 1), "dead letter, status too-long: the line has 2097153 bytes"),
        (line("x"), "stored"),
    ],
)
def test_what_becomes_of_it(raw: bytes, outcome: str) -> None:
    found = explained(raw)
    assert found.outcome.startswith(outcome)
    assert said(found)[0].startswith(f"line 1, {len(raw)} bytes: {outcome}")


# ---- the filters of the profile viaq

CHAIN = """
[[filter]]
type = "parse_json_field"
merge_json_log = true
json_fields = ["MESSAGE"]
[[filter]]
type = "viaq_data_model"
default_keep_fields = ["message", "time", "systemd", "hostname", "level", "pipeline_metadata", "@timestamp"]
use_undefined = true
[[filter.formatter]]
type = "sys_var_log"
tag = "journal.other**"
[[filter.formatter]]
type = "sys_journal"
tag = "journal.system**"
remove_keys = ["MESSAGE", "_PID"]
[[filter.elasticsearch_index_name]]
tag = "journal.system**"
name_type = "operations_full"
"""


def test_each_step_of_the_filters_says_what_it_changed(tmp_path: Path) -> None:
    (tmp_path / "viaq.toml").write_text(CHAIN)
    entry = {"MESSAGE": '{"a":1,"b":"","_PID":"9"}', "_PID": "5", "__CURSOR": "c", "_HOSTNAME": "web7"}
    entry |= {"__REALTIME_TIMESTAMP": "1795521604123456"}
    arguments = ("--profile", "viaq", "--output", "memory:", "--viaq-config", str(tmp_path / "viaq.toml"))
    found = explained(json.dumps(entry).encode(), *arguments)
    steps = {step.name: step.changed for step in found.steps}
    assert list(steps) == [
        "parse_json_field",
        "sys_journal",
        "remove_keys",
        "pipeline_metadata",
        "undefined",
        "empty fields",
        "rename_time",
        "elasticsearch_index_name",
        "identity, and what a store needs",
    ]
    assert steps["parse_json_field"] == {"a": (None, 1), "b": (None, "")}
    assert steps["sys_journal"]["systemd.t.PID"] == (None, "5")
    assert steps["remove_keys"] == {"MESSAGE": (entry["MESSAGE"], None), "_PID": ("5", None)}
    assert steps["undefined"]["a"] == (1, None)
    assert steps["undefined"]["undefined.a"] == (None, 1)
    assert steps["empty fields"] == {"undefined.b": ("", None)}
    assert set(steps["rename_time"]) == {"time", "@timestamp"}
    assert steps["elasticsearch_index_name"] == {"viaq_index_name": (None, ".operations.2026.11.24")}
    assert steps["identity, and what a store needs"]["ttyscribe.kind"] == (None, "syslog")
    (chosen,) = found.chosen
    assert (chosen.tag, chosen.formatter) == ("journal.system", "sys_journal (journal.system**)")
    assert chosen.index_name == "operations_full (journal.system**)"


def test_without_a_formatter_it_says_so(tmp_path: Path) -> None:
    found = explained(b'{"x":1,"kubernetes":5}', "--profile", "viaq")
    assert found.chosen[0].formatter == "none fits"
    assert any("formatter: none fits" in one for one in said(found))


# ---- hostile data

ANY = st.binary(max_size=120) | st.text(max_size=60).map(line) | st.text(max_size=60).map(str.encode)


@given(ANY, st.sampled_from(["ndjson", "omprog"]), st.sampled_from(["lossless", "viaq"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_explained_and_only_what_prints_is_said(raw: bytes, protocol: str, profile: str) -> None:
    lines = said(explained(raw, "--protocol", protocol, "--profile", profile))
    assert lines
    assert all(one.isprintable() for one in lines)


@pytest.mark.parametrize("depth", [300, 700, 960])
@pytest.mark.parametrize("profile", ["lossless", "viaq"])
def test_however_deep_a_line_is_it_is_explained(depth: int, profile: str) -> None:
    nested = '{"message":"x","a":' + '{"b":' * depth + "1" + "}" * (depth + 1)
    for raw in (nested.encode(), line(nested)):
        found = explained(raw, "--profile", profile)
        assert "failed" not in found.outcome
        assert said(found)
        program._json(found)


def test_a_wide_line_is_explained_by_some_of_its_parts() -> None:
    wide = json.dumps({"message": "x"} | {f"key{number}": "v" * 30 for number in range(1000)}).encode()
    assert explained(wide).outcome == "stored"


def test_the_second_line_of_a_sender_is_told_as_its_first() -> None:
    """Not the short ways that are taken then, which would say nothing."""
    for profile in ("lossless", "viaq"):
        asked = subject("--protocol", "omprog", "--profile", profile, "--output", "memory:")
        ids = ("E59101DB99164E47B6CAAF8A93598736", "F59101DB99164E47B6CAAF8A93598736")
        first, second = (explain(1, line("x", id=one), NOW_NS, asked) for one in ids)
        assert first.reading is not None
        assert second.reading is not None
        assert (first.reading.by, first.reading.what) == (second.reading.by, second.reading.what)
        assert [step.name for step in first.steps] == [step.name for step in second.steps]
        assert bool(first.steps) == (profile == "viaq")


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u2066\r\n\x00\x7f\U000e0041"


def hostile_lines() -> bytes:
    rows = [
        json.dumps({"message": HOSTILE, HOSTILE: HOSTILE, "host": HOSTILE, "tag": HOSTILE, "ident": HOSTILE}).encode(),
        line(text(out_txt=HOSTILE, rec=HOSTILE, user=HOSTILE, timing=f">{len(HOSTILE)}")),
        json.dumps({"MESSAGE": [27, 91, 50, 74, 255], HOSTILE: [HOSTILE], "_UID": HOSTILE}).encode(),
        HOSTILE.replace("\n", "").encode() + b"\xff\x9b2J",
        b'{"v":' + json.dumps(HOSTILE).encode() + b',"msg":"x"}',
    ]
    return b"\n".join(rows) + b"\n"


@pytest.mark.parametrize("profile", ["lossless", "viaq"])
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_no_hostile_byte_leaves_the_program(tmp_path: Path, profile: str, form: tuple[str, ...]) -> None:
    done = run(tmp_path, hostile_lines(), "--explain", "-", "--profile", profile, *form)
    for one in done.stdout.decode().split("\n"):
        assert one.isprintable(), one
    assert b"owned" in done.stdout


def on_a_terminal(folder: Path, *arguments: str, **environment: str) -> str:
    """What the program writes to a terminal."""
    master, slave = pty.openpty()
    process = Popen(
        [*PROGRAM, *arguments],
        stdin=DEVNULL,
        stdout=slave,
        stderr=slave,
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(slave)
    written = b""
    try:
        while data := os.read(master, 65536):
            written += data
    except OSError:
        pass  # the other side is closed
    os.close(master)
    assert process.wait(PATIENCE) == 0
    return written.decode()


def test_on_a_terminal_there_are_colours_and_nothing_of_the_datas_own(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(hostile_lines())
    written = on_a_terminal(tmp_path, "--explain", "lines")
    assert "\x1b[" in written
    plain = re.sub(r"\x1b\[[0-9;]*m", "", written).replace("\r\n", "\n")
    assert all(one.isprintable() for one in plain.split("\n"))
    (tmp_path / "rich.py").write_text("raise ImportError\n")
    without = on_a_terminal(tmp_path, "--explain", "lines", PYTHONPATH=str(tmp_path))
    assert "\x1b" not in without
    assert "read " in without


# ---- the program


def test_it_stores_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(line(RECORDING) + b"\nbroken\n")
    (tmp_path / "n.toml").write_text(
        'protocol = "omprog"\noutput = "sqlite:store"\nspool = "spool"\nlog_file = "log"\n'
    )
    for more in ((), ("--config", "n.toml"), ("--output", "sqlite:store", "--dead-letter", "dead")):
        done = run(tmp_path, b"", "--explain", "lines", *more)
        assert b"tlog took it" in done.stdout
        assert b"line 2, 6 bytes: dead letter, status unparsable" in done.stdout
        assert done.stderr == b""
    with_report = ("--config", "n.toml", "--without-kind", "gone")
    done = run(tmp_path, b"", "--explain", "lines", *with_report)
    assert done.stderr == b"ttyscribe-normalize: no other package has a kind 'gone', which is not to be used\n"
    assert sorted(os.listdir(tmp_path)) == ["lines", "n.toml"]


def test_machines_get_an_object_a_line(tmp_path: Path) -> None:
    data = line(RECORDING) + b"\n" + line("x") + b"\nbroken"
    done = run(tmp_path, data, "--explain", "-", "--json")
    found = [json.loads(one) for one in done.stdout.splitlines()]
    assert [one["line"] for one in found] == [1, 2, 3]
    assert found[0]["made"][0]["document"]["tlog"]["out_txt"] == "hi\n"
    assert found[0]["asked"][0] == {"kind": "tlog", "answer": "took it", "why": found[0]["asked"][0]["why"]}
    assert found[2]["outcome"].startswith("dead letter")


def test_a_dead_letters_lines_are_those_that_it_keeps(tmp_path: Path) -> None:
    refused = Entry(line("x"), Dead("rejected", HOSTILE, "2026-11-24T12:00:01.000000+00:00"))
    (tmp_path / "dead").write_bytes(encode(refused, "now") + b'{"raw":"%","received":5}\n')
    out = run(tmp_path, b"", "--explain", "dead").stdout.decode()
    assert out.startswith(f"line 1, {len(refused.line)} bytes: stored\n  was dead   rejected: \\u001b]0;owned")
    assert "\nline 2, 24 bytes: dead letter, status unparsable" in out


def test_a_very_long_line_is_told_and_the_next_one_is_read(tmp_path: Path) -> None:
    done = run(tmp_path, b"x" * (MAX_LINE * 2 + 5) + b"\n" + line("next") + b"\n", "--explain", "-")
    assert b"dead letter, status too-long" in done.stdout
    assert b"\nline 2, " in done.stdout
    assert b"\nline 3" not in done.stdout


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    done = run(tmp_path, b"", "--explain", "none", status=2)
    assert done.stderr == b"ttyscribe-normalize: none: can't read the lines: No such file or directory\n"
    assert b"--json is for --explain" in run(tmp_path, b"", "--protocol", "ndjson", "--json", status=2).stderr


def test_a_reader_that_leaves_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(line("x") * 1 + b"\n" + (line("y") + b"\n") * 500)
    with Popen([*PROGRAM, "--explain", "lines"], stdout=PIPE, stderr=PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 1


def test_the_hook_that_watches_is_gone_afterwards() -> None:
    def fails() -> None:
        raise ZeroDivisionError

    watched: list[Callable[[], Any]] = [lambda: explained(line("x")), fails]
    for call in watched:
        try:
            watch(call)
        except ZeroDivisionError:
            pass
        assert sys.getprofile() is None
