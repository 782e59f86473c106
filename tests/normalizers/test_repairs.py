# SPDX-License-Identifier: Apache-2.0
"""How late a message came, and what of it was repaired, in fields that are searched; absent where there is nothing."""

import json
from base64 import b64encode
from typing import Any

import pytest

from tests.normalizers.samples import MESSAGE, NOW_NS, RECEIVED, document, line, pipeline, text
from ttyscribe_formats import timestamp
from ttyscribe_normalizers import golden, shapes

RECEIVED_MS = timestamp.parse(RECEIVED) // 10**6


def _made(subject: Any, raw: bytes) -> Any:
    (document,) = subject.process(raw, NOW_NS).documents
    return document


def _own(raw: bytes) -> Any:
    return _made(pipeline(shapes.decode), raw)["ttyscribe"]


# ---- the lag


def test_the_lag_is_from_the_documents_own_time_to_its_receipt() -> None:
    sent = timestamp.to_text((RECEIVED_MS - 1500) * 10**6)
    assert document(line("hello", time=sent))["ttyscribe"]["lag_ms"] == 1500
    ahead = timestamp.to_text((RECEIVED_MS + 40_000) * 10**6)
    assert document(line("hello", time=ahead))["ttyscribe"]["lag_ms"] == -40_000
    ms = round(MESSAGE["time"] * 1000)
    assert document(line(text()))["ttyscribe"]["lag_ms"] == RECEIVED_MS - ms, "of a recording the recorder's own time"


@pytest.mark.parametrize("time", [RECEIVED, "yesterday", "", "1999-01-01T00:00:00Z", "2031-01-01T00:00:00Z"])
def test_no_lag_is_told_where_the_time_says_nothing_of_the_way(time: str) -> None:
    own = document(line("hello", time=time))["ttyscribe"]
    assert "lag_ms" not in own
    assert own["received"] == RECEIVED


@pytest.mark.parametrize("profile", ["viaq", ""])
def test_every_kind_tells_it_by_the_time_that_the_document_has(profile: str) -> None:
    audit = "type=SYSCALL msg=audit(1795521600.771:880): arch=c000003e syscall=59 success=yes auid=1000 ses=23"
    aushape = json.dumps({"serial": 880, "time": "2026-11-24T11:59:59.771+00:00", "data": {}})
    sudo = (
        '@cee:{"sudo":{"accept":{"uuid":"8","submit_time":{"seconds":1795521500},"submituser":"ada",'
        '"command":"/bin/ls","runuser":"root"}}}'
    )
    subject = golden.viaq_pipeline("omprog") if profile else pipeline()
    kinds = set()
    for sent in (audit, aushape, sudo, text(), "plain"):
        made = _made(subject, line(sent, program="" if sent == "plain" else "sudo", time="2026-11-24T11:59:58Z"))
        own, at = made["ttyscribe"], timestamp.parse(made["@timestamp"])
        assert own["lag_ms"] == (timestamp.parse(own["received"]) - at) // 10**6, sent
        kinds.add(own["kind"])
    assert kinds == ({"tlog", "syslog"} if profile else {"audit-line", "aushape", "sudo", "tlog", "syslog"})


# ---- what was repaired


@pytest.mark.parametrize(
    ("raw", "reasons"),
    [
        (line("plain, with a tab\t and ünïcode"), None),
        (line("bell \x07"), ["characters"]),
        (line("latin ?").replace(b"?", b"\xe9"), ["bytes"]),
        (line("both \x07 ?").replace(b"?", b"\xe9"), ["bytes"]),
        (b'{"message":"\\ud800 lone"}', ["values"]),
        (b'{"message":"x","took":1.5}', None),
        (b'{"message":"x","n":1,"n":2}', ["values"]),
        (json.dumps({"message": "x", "long": "y" * 9000}).encode(), ["values"]),
        (json.dumps({"__CURSOR": "c", "MESSAGE": "x", "COREDUMP": [127, 69, 255]}).encode(), ["bytes"]),
        (json.dumps({"__CURSOR": "c", "MESSAGE": [255, 254], "COREDUMP": [127, 69, 255]}).encode(), ["bytes"]),
        (json.dumps({"__CURSOR": "c", "MESSAGE": [104, 255], "LONG": "y" * 9000}).encode(), ["bytes", "values"]),
    ],
)
def test_what_was_repaired_is_named_and_kept_beside(raw: bytes, reasons: list[str] | None) -> None:
    own = _own(raw)
    assert own.get("repaired") == reasons
    assert (reasons is None) == own.keys().isdisjoint(("raw", "bytes", "original"))


def test_events_that_had_to_be_cut_are_named_too() -> None:
    event = {"serial": 1, "time": "2026-11-24T11:59:59.771+00:00", "data": {"cwd": {"cwd": ["/" + "x" * 9000]}}}
    assert document(line(json.dumps(event), program="aushape"))["ttyscribe"]["repaired"] == ["values"]
    asked = {"uuid": "8", "submituser": "ada", "command": "/bin/ls", "runuser": "root", "note": "x" * 9000}
    sent = "@cee:" + json.dumps({"sudo": {"accept": asked}})
    assert document(line(sent, program="sudo"))["ttyscribe"]["repaired"] == ["values"]


def test_a_recording_is_never_repaired() -> None:
    shown = document(line(text(out_txt="\x1b[1m\x07 tab\t", timing=">9", out_bin=[])))
    assert "repaired" not in shown["ttyscribe"]
    broken = document(line(text()).replace(b"hi", b"h\xff"))
    assert broken["ttyscribe"]["kind"] == "syslog"
    assert broken["ttyscribe"]["repaired"] == ["bytes"]
    assert broken["ttyscribe"]["raw"] != b64encode(b"").decode()


def test_viaqs_own_documents_stay_as_they_are() -> None:
    made = _made(golden.viaq_pipeline("omprog", stored=False), line("latin ?").replace(b"?", b"\xe9"))
    assert made["ttyscribe"].keys() == {"raw"}
