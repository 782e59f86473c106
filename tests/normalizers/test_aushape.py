# SPDX-License-Identifier: Apache-2.0
"""What kind aushape makes of the real converter's output, and of what is wrong with it."""

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.normalizers.samples import NOW_NS, RECEIVED, line, pipeline
from tools.generators import fields as declared
from tools.generators import schema
from ttyscribe_formats import aushape, flat, timestamp
from ttyscribe_formats.words import query_terms
from ttyscribe_normalizers import shapes

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {
    name: jsonschema.Draft202012Validator(schema.schema(kind)) for name, kind in declared.load(ROOT).kinds.items()
}
VECTORS = json.loads((ROOT / "tests/data/aushape-vectors.json").read_text())["cases"]
EVENT: dict[str, Any] = {
    "serial": 880,
    "time": "2026-11-24T12:00:00.771+00:00",
    "data": {
        "syscall": {
            "arch": ["x86_64", "c000003e"],
            "syscall": ["execve", "59"],
            "success": ["yes"],
            "ppid": ["1200"],
            "pid": ["1201"],
            "auid": ["ada", "1000"],
            "uid": ["root", "0"],
            "euid": ["root", "0"],
            "tty": ["pts0"],
            "ses": ["23"],
            "comm": ["ps"],
            "exe": ["/usr/bin/ps"],
            "key": ["exec"],
        },
        "cwd": {"cwd": ["/root"]},
        "execve": ["ps", "-ef"],
    },
}


def event(**fields: Any) -> dict[str, Any]:
    """An event; `fields` replace those of EVENT."""
    return EVENT | fields


def made(text: str, **envelope: Any) -> list[Any]:
    """The documents of one message of the converter."""
    processed = pipeline().process(line(text, program="aushape", **envelope), NOW_NS)
    assert processed.dead is None
    for document in processed.documents:
        SCHEMAS[document["ttyscribe"]["kind"]].validate(document)
    return list(processed.documents)


def compact(value: Any) -> str:
    """JSON as the converter writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def original(document: Any) -> Any:
    """The event that a document holds, as it was."""
    kept = document["aushape"]
    if "original" in kept:
        return json.loads(kept["original"])
    return {key: value for key, value in kept.items() if key != "other"} | kept.get("other", {})


# ---- the real converter's output


def _outputs() -> list[Any]:
    found = []
    for number, case in enumerate(VECTORS):
        out = case["stdout"]
        text = out["text"].encode() if "text" in out else base64.b64decode(out["base64"])
        if "xml" not in case["args"] and b"serial" in text:
            found.append(pytest.param(text, id=f"{number} {case.get('input', 'inline')} {' '.join(case['args'])}"))
    return found


OUTPUTS = _outputs()


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_event_of_the_real_converter_becomes_its_document(output: bytes) -> None:
    documents = made(output.decode("utf-8", "surrogateescape"))
    pieces = aushape.read(output.decode("utf-8", "surrogateescape"))
    assert len(documents) == len(pieces) == output.count(b'"serial":')
    for document, piece in zip(documents, pieces, strict=True):
        raw = document["ttyscribe"].get("raw")
        written = base64.b64decode(raw).decode("utf-8", "surrogateescape") if raw else None
        if isinstance(piece, aushape.Broken):
            assert document["ttyscribe"]["kind"] == "syslog"
            assert document["ttyscribe"]["error"] == piece.reason
            assert (written or document["message"]) == piece.text
        else:
            assert document["ttyscribe"]["kind"] == "aushape"
            assert original(document) == piece.fields or written == piece.text


def test_nearly_all_of_the_real_converters_events_are_understood() -> None:
    subject = pipeline()
    messages = [line(output.values[0].decode("utf-8", "surrogateescape"), program="aushape") for output in OUTPUTS]
    documents = [document for raw in messages for document in subject.process(raw, NOW_NS).documents]
    kinds = [document["ttyscribe"]["kind"] for document in documents]
    # A year beyond 9999, and a field whose name is not UTF-8.
    assert (kinds.count("aushape"), kinds.count("syslog")) == (486, 2)


def test_an_event_that_the_converter_gave_up_has_typed_fields_out_of_its_lines() -> None:
    head = "msg=audit(1795521600.771:880):"
    lines = [
        f'type=SYSCALL {head} arch=c000003e syscall=59 success=yes pid=1201 auid=1000 uid=0 ses=23 exe="/usr/bin/ps"',
        f'type=EXECVE {head} argc=3 a0="ps" a1=2D6566',
    ]
    (document,) = made(
        compact(
            {"serial": 880, "time": EVENT["time"], "error": "Invalid execve record sequence encountered", "text": lines}
        )
    )
    assert document["process"] == {"pid": 1201, "executable": "/usr/bin/ps", "args": ["ps", "-ef"]}
    assert document["event"] == {"action": "execve", "outcome": "success"}
    assert document["ttyscribe"]["audit_session"] == 23
    assert "was not converted: Invalid execve record sequence" in document["message"]


# ---- one document an event


def test_a_document_becomes_one_document_an_event() -> None:
    documents = made(compact([event(), event(serial=881), event(serial=882, node="db1")]))
    assert [document["aushape"]["serial"] for document in documents] == [880, 881, 882]
    assert [document["viaq_msg_id"].rsplit(":", 1)[0] for document in documents] == [
        "audit:web7:1795521600771:880",
        "audit:web7:1795521600771:881",
        "audit:db1:1795521600771:882",
    ]
    first = documents[0]
    assert first["@timestamp"] == "2026-11-24T12:00:00.771000+00:00"
    assert first["message"] == "ada ran ps -ef as root in /root: success"
    assert first["process"] == {
        "pid": 1201,
        "parent": {"pid": 1200},
        "executable": "/usr/bin/ps",
        "name": "ps",
        "args": ["ps", "-ef"],
        "working_directory": "/root",
        "tty": "pts0",
    }
    assert first["user"] == {
        "id": "0",
        "name": "root",
        "effective": {"id": "0", "name": "root"},
        "audit": {"id": "1000", "name": "ada"},
    }
    assert first["ttyscribe"]["audit_session"] == 23
    assert first["ttyscribe"]["trust"] == "system"


@pytest.mark.parametrize("text", ["[]", "[\n]", "[#012]", "[ ]\n"])
def test_a_document_without_events_becomes_nothing(text: str) -> None:
    assert made(text) == []


SEPARATED = {
    "bare, one behind another": "{}{}{}",
    "a document of one line": "[{},{},{}]",
    "a document of many lines": "[\n    {},\n    {},\n    {}\n]\n",
    "the same behind rsyslog": "[#012    {},#012    {},#012    {}#012]",
    "documents one behind another": "[{}][{},{}]",
    "lines": "{}\n{}\n{}\n",
}


@pytest.mark.parametrize("form", SEPARATED.values(), ids=SEPARATED)
def test_events_are_found_however_they_are_joined(form: str) -> None:
    events = [event(serial=serial) for serial in (1, 2, 3)]
    documents = made(form.replace("{}", "%s") % tuple(map(compact, events)))
    assert [original(document) for document in documents] == events


def test_what_rsyslog_escaped_inside_a_text_is_never_taken_back() -> None:
    typed = event(data={"tty": {"data": ["ls#012"]}})
    (document,) = made("[#012" + compact(typed) + "#012]")
    assert original(document) == typed


# ---- broken ones

BROKEN: dict[str, str] = {
    "a serial that is no number": compact(event(serial="880")),
    "a serial beyond 64 bit": compact(event(serial=2**64)),
    "a negative serial": compact(event(serial=-1)),
    "true for a serial": compact(event(serial=True)),
    "a time that is none": compact(event(time="yesterday")),
    "a number for a time": compact(event(time=5)),
    "a year beyond 9999": compact(event(time="3170843-11-07T09:46:39.001+00:00")),
    "data that is a text": compact(event(data="x")),
    "a record that is a number": compact(event(data={"cwd": 5})),
    "a field that is a text": compact(event(data={"cwd": {"cwd": "/root"}})),
    "a name that is too long": compact(event(data={"c" * 200: {"cwd": ["/root"]}})),
    "a name with NUL": compact(event(data={"c\0": {"cwd": ["/root"]}})),
    "text that is no list": compact(event(text="type=CWD")),
    "a serial that stands twice": compact(event())[:-1] + ',"serial":881}',
    "NaN": compact(event()).replace("880", "NaN"),
    "nested too deep": compact(event(x=1)).replace('"x":1', '"x":' + "[" * 40 + "]" * 40),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_event_is_kept_by_itself_and_the_others_with_it(broken: str) -> None:
    before, _, after = documents = made(f"[{compact(event(serial=1))},{broken},{compact(event(serial=3))}]")
    assert (original(before), original(after)) == (event(serial=1), event(serial=3))
    kept = documents[1]
    assert kept["ttyscribe"]["kind"] == "syslog"
    assert kept["ttyscribe"]["error"]
    raw = kept["ttyscribe"].get("raw")
    assert (base64.b64decode(raw).decode() if raw else kept["message"]) == broken
    assert len({document["viaq_msg_id"] for document in documents}) == 3


def test_a_message_of_one_broken_event_is_kept_whole() -> None:
    broken = compact(event(serial="880"))
    (document,) = made(broken)
    assert document["message"] == broken
    assert document["viaq_msg_id"] == "log:E59101DB99164E47B6CAAF8A93598736"
    assert "serial" in document["ttyscribe"]["error"]


def test_a_document_that_was_cut_short_keeps_its_whole_events_and_the_rest() -> None:
    whole = compact([event(serial=1), event(serial=2), event(serial=3)])
    for size in (len(whole) - 1, len(whole) - 2, len(whole) * 5 // 6, len(whole) // 2):
        documents = made(whole[:size])
        events = [original(document) for document in documents if document["ttyscribe"]["kind"] == "aushape"]
        assert events == [event(serial=serial) for serial in range(1, len(events) + 1)]
        rest = "".join(document["message"] for document in documents if document["ttyscribe"]["kind"] == "syslog")
        assert whole[:size].endswith(rest)
        assert len(compact(events)) - 2 + len(rest) >= size - 2


def test_the_broken_pieces_of_a_message_have_the_same_identities_with_each_delivery() -> None:
    text = "[{1},{2},{3}]"
    first, second = ([document["viaq_msg_id"] for document in made(text + '"serial""time"')] for _ in range(2))
    assert first == second
    journal = json.dumps(
        {"MESSAGE": compact([event(serial="a"), event(serial="b")]), "__CURSOR": "s=1", "SYSLOG_IDENTIFIER": "aushape"}
    )
    ids = [document["viaq_msg_id"] for document in pipeline(shapes.decode).process(journal.encode(), NOW_NS).documents]
    assert len(set(ids)) == 2
    assert all(name.startswith("journal:") for name in ids)


def test_many_broken_pieces_take_bounded_time_and_lose_nothing() -> None:
    text = '{"serial":[' * 20_000 + '"time"'
    documents = made(text)
    assert len(documents) <= 65
    assert sum(document["message"].count('{"serial":[') for document in documents) == 20_000


# ---- exactness


def test_a_name_that_stands_twice_in_a_record_keeps_both_values() -> None:
    text = compact(event()).replace('"key":["exec"]', '"key":["exec"],"key":["suid"],"uid":["eve","1001"]')
    (document,) = made(text)
    data = document["aushape"]["data"]["syscall"]
    assert data["key"] == [["exec"], ["suid"]]
    assert data["uid"] == [["root", "0"], ["eve", "1001"]]
    assert document["user"]["id"] == "0"  # the kernel's own


def test_unknown_keys_are_kept_whatever_the_size_of_their_numbers() -> None:
    given = event(
        ttyscribe={"v": 1, "boot_id": "2f1c9c0a7d1b4a9f8f2b3f6a1c0d9e77"},
        more=[2**64 + 1, 10**30, 1.5, None, {"a": True}],
    )
    (document,) = made(compact(given))
    assert original(document) == given
    assert document["ttyscribe"]["boot_id"] == "2f1c9c0a7d1b4a9f8f2b3f6a1c0d9e77"


def test_the_largest_serial_is_exact() -> None:
    (document,) = made(compact(event(serial=2**64 - 1)))
    assert document["aushape"]["serial"] == 2**64 - 1


def test_five_thousand_unknown_fields_and_a_long_argument_are_all_there() -> None:
    given = event(
        data=EVENT["data"] | {"new": {f"f{n}": [str(n)] for n in range(5000)}, "execve": ["sh", "-c", "x " * 50_000]}
    )
    (document,) = made(compact(given))
    assert original(document) == given
    assert document["process"]["args"] == given["data"]["execve"]
    assert len(document["aushape"]["data"]["execve"][2]) == flat.MAX_VALUE
    assert document["aushape"]["data"]["new"] == given["data"]["new"]
    assert len(document["message"]) < 10_000


def test_bytes_that_are_not_utf_8_are_kept_beside_the_repaired_event() -> None:
    bad = compact([event(serial=1), event(serial=2, data={"execve": ["caf\udce9"]})])
    good, document = made(bad)
    assert original(good) == event(serial=1)
    assert "raw" not in good["ttyscribe"]
    assert document["process"]["args"] == ["caf\ufffd"]
    assert base64.b64decode(document["ttyscribe"]["raw"]) == compact(
        event(serial=2, data={"execve": ["caf\udce9"]})
    ).encode("utf-8", "surrogateescape")


def test_a_lone_surrogate_that_is_written_out_is_repaired_and_kept() -> None:
    text = compact(event()).replace('"-ef"', '"\\ud800"')
    (document,) = made(text)
    assert document["process"]["args"] == ["ps", "\ufffd" * 3]
    assert base64.b64decode(document["ttyscribe"]["raw"]).decode() == text


# ---- identity


def test_a_shipper_that_writes_the_event_anew_changes_nothing() -> None:
    (first,) = made(compact(event()))
    backwards = {key: EVENT[key] for key in reversed(EVENT)}
    backwards["data"] = {key: EVENT["data"][key] for key in reversed(EVENT["data"])}
    for text in (
        json.dumps(EVENT),
        json.dumps(EVENT, indent=2),
        json.dumps(backwards).replace("/", "\\/"),
        compact([EVENT]),
    ):
        (document,) = made(text, id="another", time="2026-11-24T12:00:09Z")
        assert document["viaq_msg_id"] == first["viaq_msg_id"]
        assert original(document) == EVENT


def test_an_event_in_another_time_zone_is_the_same() -> None:
    (first,) = made(compact(event()))
    (other,) = made(compact(event(time="2026-11-24T08:30:00.771-03:30")))
    assert other["viaq_msg_id"] == first["viaq_msg_id"]
    assert other["@timestamp"] == first["@timestamp"]
    assert other["aushape"]["time"] == "2026-11-24T08:30:00.771-03:30"


def test_a_forged_event_never_takes_the_place_of_the_true_one() -> None:
    true = made(compact(event()))[0]
    forged = made(compact(event(data={"execve": ["true"]})), uid="1001")[0]
    assert true["viaq_msg_id"] != forged["viaq_msg_id"]
    assert (true["ttyscribe"]["trust"], forged["ttyscribe"]["trust"]) == ("system", "none")


@pytest.mark.parametrize("host", ["../../x", "a b", "x" * 5000, "\u00e9", '"}'])
def test_a_host_that_is_not_safe_in_an_id_is_hashed(host: str) -> None:
    (document,) = made(compact(event(node=host)))
    assert len(document["viaq_msg_id"].split(":")[1]) == len("h-") + 32
    assert document["aushape"]["node"] == host


def test_a_forged_time_makes_no_index() -> None:
    for time in ("1970-01-01T00:00:00.000+00:00", "2031-01-01T00:00:00.000+00:00", "9999-12-31T23:59:59.000+00:00"):
        (document,) = made(compact(event(time=time)))
        assert document["ttyscribe"]["partition"] == "implausible-time"
        assert document["aushape"]["time"] == time
        assert time < "9999" or document["@timestamp"] == RECEIVED


# ---- who takes what


@pytest.mark.parametrize("program", ["aushape", "ttyscribe-audit", "audisp-aushape", "relay", ""])
def test_events_are_taken_whatever_the_converter_is_called(program: str) -> None:
    for text in (compact(event()), compact([event()]), json.dumps([event()], indent=4)):
        processed = pipeline().process(line(text, program=program), NOW_NS)
        assert [document["ttyscribe"]["kind"] for document in processed.documents] == ["aushape"]


def test_json_of_other_programs_is_left_alone() -> None:
    for text in ('{"time":"now","serial":5}', '{"level":"info","serial":"A1","time":3}', "[1,2,3]"):
        processed = pipeline().process(line(text, program="app"), NOW_NS)
        assert [document["ttyscribe"]["kind"] for document in processed.documents] == ["syslog"]
        assert "error" not in processed.documents[0]["ttyscribe"]


def test_4294967295_joins_with_nothing() -> None:
    for unset in (["unset", "4294967295"], ["4294967295"], ["-1"], ["unset"]):
        data = {"syscall": EVENT["data"]["syscall"] | {"ses": unset, "auid": unset}}
        (document,) = made(compact(event(data=data)))
        assert "audit_session" not in document["ttyscribe"]
        assert "audit" not in document["user"]


def test_a_search_finds_an_event_by_arguments_paths_names_and_rule_keys() -> None:
    path = {"path": [{"name": ["shadow", '"shadow"']}]}
    (document,) = made(
        compact(event(data=EVENT["data"] | {"cwd": {"cwd": ["/etc"]}, "execve": ["cat", "x" * 5000, "needle"], **path}))
    )
    assert document["file"]["path"] == ["/etc/shadow"]
    found = document["ttyscribe"]["words"]
    for text in ("needle", "/etc/shadow", "ada", "/usr/bin/ps", "exec", "cat"):
        assert f" {' '.join(query_terms(text)[0])} " in f" {found} ", text


def test_journal_entries_say_the_boot() -> None:
    entry = {
        "MESSAGE": compact(event()),
        "SYSLOG_IDENTIFIER": "aushape",
        "_UID": "0",
        "_BOOT_ID": "2f" * 16,
        "_HOSTNAME": "web7",
        "__CURSOR": "s=1",
    }
    (document,) = pipeline(shapes.decode).process(json.dumps(entry).encode(), NOW_NS).documents
    assert document["ttyscribe"]["boot_id"] == "2f" * 16
    assert document["hostname"] == "web7"
    assert timestamp.parse(document["@timestamp"]) == timestamp.parse(EVENT["time"])
