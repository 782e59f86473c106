# SPDX-License-Identifier: Apache-2.0
"""Raw lines of RFC 5424, and journal entries as Fluentd's systemd input may change them."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.normalizers.samples import NOW_NS, document, pipeline
from tests.normalizers.test_journal import ENTRY
from ttyscribe_normalizers import shapes

SAMPLE = (
    b'<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 77 ID47 [exampleSDID@32473 iut="3" x="a\\]b"]'
    b"[other@1] \xef\xbb\xbfAn application event  "
)
NONE = [
    b"<192>1 - - - - - - x",
    b"<1>2 - - - - - - x",
    b"<1>1 - - - - x",
    b"<1>1 - - - - - [a x",
    b"<1>1 - - - - - -x",
    b"Nov 24 12:00:00 web7 app: x",
]


def test_a_raw_line_is_taken_apart() -> None:
    """NDJ-10."""
    made = document(SAMPLE, shapes.decode)
    assert made["message"] == "An application event  "
    assert (made["hostname"], made["level"], made["@timestamp"]) == (
        "mymachine.example.com",
        "notice",
        "2003-10-11T22:14:15.003000+00:00",
    )
    assert made["systemd"]["u"] == {"SYSLOG_IDENTIFIER": "evntslog", "SYSLOG_PID": "77", "SYSLOG_FACILITY": "20"}
    assert made["rsyslog"]["elements"] == {"exampleSDID@32473": {"iut": "3", "x": "a]b"}, "other@1": {}}
    assert made["rsyslog"]["msgid"] == "ID47"
    assert (made["ttyscribe"]["kind"], made["ttyscribe"]["trust"]) == ("syslog", "none")


def test_nil_values_are_none() -> None:
    made = document(b"<34>1 - - - - - -  two blanks", shapes.decode)
    assert (made["message"], made["hostname"], made["rsyslog"]) == (" two blanks", "", {"protocol-version": "1"})


def test_bytes_of_a_raw_line_come_back() -> None:
    made = document(b'<34>1 - h a - - [x y="\xe9"] caf\xe9', shapes.decode)
    assert base64.b64decode(made["ttyscribe"]["raw"]) == b"caf\xe9"
    assert base64.b64decode(made["ttyscribe"]["bytes"]["structured-data"]) == b'[x y="\xe9"]'


@pytest.mark.parametrize("raw", NONE)
def test_what_is_no_such_line_is_a_dead_letter(raw: bytes) -> None:
    processed = pipeline(shapes.decode).process(raw, NOW_NS)
    assert processed.dead is not None
    assert processed.dead.status == "unparsable"


@given(st.binary(max_size=60))
def test_any_line_that_begins_so_has_an_outcome(tail: bytes) -> None:
    processed = pipeline(shapes.decode).process(b"<13>1 " + tail.replace(b"\n", b""), NOW_NS)
    assert processed.dead is None or processed.dead.status == "unparsable"


def changed(entry: dict[str, Any]) -> Any:
    return document(json.dumps(entry).encode(), shapes.decode)


def test_an_entry_in_small_letters_is_the_same_entry() -> None:
    assert changed({name.lower(): value for name, value in ENTRY.items()}) == changed(ENTRY)


def test_what_no_journal_has_makes_an_object_of_it() -> None:
    """Capitals would change these names."""
    for name in ("straße", "a b", "a.b"):
        made = changed({"_boot_id": "x", "message": "y", "_uid": "0", name: "z"})
        assert made["structured"][name] == "z"
        assert (made["ttyscribe"]["kind"], made["ttyscribe"]["trust"]) == ("syslog", "none")


def test_an_entry_without_its_underscores_attests_nothing() -> None:
    """Any program can log a field named UID."""
    made = changed({name.lstrip("_"): value for name, value in ENTRY.items()})
    assert (made["ttyscribe"]["kind"], made["ttyscribe"]["trust"], made["hostname"]) == ("journal", "none", "web7")
    assert made["journal"]["UID"] == "0"
    assert "boot_id" not in made["ttyscribe"]


def test_so_does_one_in_small_letters_too() -> None:
    made = changed({name.lstrip("_").lower(): value for name, value in ENTRY.items()})
    assert (made["message"], made["hostname"], made["level"]) == ("done", "web7", "info")
    assert made["structured"]["boot_id"] == ENTRY["_BOOT_ID"]
    assert made["ttyscribe"]["trust"] == "none"


@pytest.mark.parametrize("tail", [b"", b"\xe9"])
def test_only_the_first_blank_is_not_the_messages(tail: bytes) -> None:
    made = document(b'{"v":1,"msg":"   three' + tail + b'"}')
    assert made["message"].startswith("  three")
