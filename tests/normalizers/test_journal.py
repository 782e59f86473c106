# SPDX-License-Identifier: Apache-2.0
"""Journal entries: every field can be found again, and none is believed more than it may be."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.normalizers import restored
from tests.normalizers.samples import MESSAGE, NOW_NS, document, line, pipeline, text
from ttyscribe_normalizers import shapes

BOOT = "ec25d6795f0645619ddac9afdef453ee"
ENTRY: dict[str, Any] = {
    "__CURSOR": "s=bcce;i=5ef6",
    "__REALTIME_TIMESTAMP": "1795521604123456",
    "_BOOT_ID": BOOT,
    "_AUDIT_SESSION": "3",
    "_UID": "0",
    "_PID": "812",
    "_HOSTNAME": "web7",
    "SYSLOG_IDENTIFIER": "app",
    "PRIORITY": "6",
    "MESSAGE": "done",
}
VALUE = st.text(st.characters(codec="utf-8"), max_size=30) | st.binary(min_size=1, max_size=12).map(list)
NAMES = st.sampled_from(
    [*ENTRY, "_CMDLINE", "CODE_FUNC", "CODE_FUNCTION", "CODE_LINE", "_UDEV_DEVNODE", "FOO", "A_1"]
) | st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True)


def made(entry: dict[str, Any]) -> Any:
    """The document of an entry as `journalctl -o json` prints it."""
    return document(json.dumps(entry, ensure_ascii=False).encode(), shapes.decode)


def test_what_the_model_has_no_name_for_is_kept_by_its_own() -> None:
    found = made(ENTRY | {"FOO": "bar", "PARTS": ["a", "b"], "CODE_FUNC": "main"})
    assert found["ttyscribe"]["kind"] == "journal"
    assert found["journal"] == {
        "__CURSOR": "s=bcce;i=5ef6",
        "__REALTIME_TIMESTAMP": "1795521604123456",
        "PRIORITY": "6",
        "FOO": "bar",
        "PARTS": ["a", "b"],
    }
    assert found["systemd"]["u"] == {"SYSLOG_IDENTIFIER": "app", "CODE_FUNCTION": "main"}
    assert (found["ttyscribe"]["boot_id"], found["ttyscribe"]["audit_session"]) == (BOOT, 3)


def test_bytes_that_are_no_text_are_kept_beside_it() -> None:
    found = made(ENTRY | {"DATA": [99, 255], "SEVERAL": ["x", [254]], "_CMDLINE": [98, 7]})
    assert found["journal"]["DATA"] == "c\ufffd"
    assert found["journal"]["SEVERAL"] == ["x", "\ufffd"]
    assert found["systemd"]["t"]["CMDLINE"] == "b\a"
    assert found["ttyscribe"]["bytes"] == {"DATA": "Y/8=", "SEVERAL": [None, "/g=="]}


def test_what_a_program_gave_an_entry_is_found_by_its_words() -> None:
    found = made(ENTRY | {"FILES": ["/etc/hosts", "x"], "DATA": [1, 255], "CODE_FILE": "main.c", "_COMM": "app"})
    assert found["ttyscribe"]["words"] == "done etc hosts x"


def test_an_entry_without_a_message_is_stored() -> None:
    entry = {name: value for name, value in ENTRY.items() if name != "MESSAGE"}
    assert made(entry)["message"] == ""
    assert made(entry | {"MESSAGE": " "})["journal"]["__CURSOR"] == ENTRY["__CURSOR"]


def test_of_several_messages_the_first_is_the_text() -> None:
    found = made(ENTRY | {"MESSAGE": ["one", "two"]})
    assert (found["message"], found["journal"]["MESSAGE"]) == ("one", ["one", "two"])


@pytest.mark.parametrize("session", ["4294967295", "-1", "x", "", "4294967296", ["7", "8"]])
def test_a_session_that_was_never_set_joins_nothing(session: Any) -> None:
    own = made(ENTRY | {"_AUDIT_SESSION": session})["ttyscribe"]
    assert own.get("audit_session") == (7 if isinstance(session, list) else None)


def test_a_long_value_is_cut_for_the_engines_and_kept_whole() -> None:
    found = made(ENTRY | {"MAPS": "é" * 9000})
    assert found["journal"]["MAPS"] == "é" * 7500
    assert json.loads(found["ttyscribe"]["original"])["MAPS"] == "é" * 9000


def test_what_json_readers_round_or_drop_is_kept_as_it_was_written() -> None:
    raw = b'{"MESSAGE":"x","A":1.10,"B":123456789012345678901234567890,"C":NaN,"C":2,"D":"\\ud800"}'
    found = document(raw, shapes.decode)
    assert found["ttyscribe"]["original"].encode() == raw
    assert found["journal"]["B"] == 123456789012345678901234567890


def test_of_a_stranger_nothing_is_a_trusted_field() -> None:
    """ENV-8."""
    found = document(line("x", journal=ENTRY, **{"from": "192.0.2.7"}))
    assert "t" not in found["systemd"]
    assert found["journal"]["_BOOT_ID"] == BOOT
    own = found["ttyscribe"]
    assert (own["trust"], own.get("boot_id"), own.get("audit_session")) == ("none", None, None)
    assert own["doubt"]


@given(st.dictionaries(NAMES, VALUE | st.lists(VALUE, min_size=1, max_size=3)))
@example({"MESSAGE": [0], "A": ["\0", [255]], "_UID": [49], "CODE_FUNC": ["x", "y"]})
@example({"_UID": "", "FOO": "", "MESSAGE": ""})
def test_every_field_of_an_entry_can_be_found_again(fields: dict[str, Any]) -> None:
    entry = {"MESSAGE": "x"} | fields
    found = pipeline(shapes.decode).process(json.dumps(entry).encode(), NOW_NS).documents[0]
    if found["ttyscribe"]["kind"] == "journal":
        if "CODE_FUNC" not in entry and "CODE_FUNCTION" in entry:
            found["systemd"]["u"].pop("CODE_FUNCTION", None)  # a copy, by the name that the model has for CODE_FUNC
        assert restored.journal(found) == {name: restored.as_bytes(value) for name, value in entry.items()}


# ---- recordings in the journal


def recorded(**fields: Any) -> Any:
    """The document of a recording's message in an entry."""
    said = {"TLOG_REC": f"{BOOT}-101-5", "TLOG_USER": "ada", "TLOG_SESSION": "3", "TLOG_ID": "7", "_UID": "1000"}
    entry = ENTRY | said | {"MESSAGE": text(rec=f"{BOOT}-101-5")} | fields
    return made({name: value for name, value in entry.items() if value is not None})


def test_an_entry_that_says_the_same_adds_what_the_message_can_not() -> None:
    found = recorded()
    own = found["ttyscribe"]
    assert (own["kind"], own["trust"], own["boot_id"], own["audit_session"]) == ("tlog", "user", BOOT, 3)
    assert found["journal"]["TLOG_ID"] == "7"
    assert "doubt" not in own
    assert "MESSAGE" not in found["journal"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"TLOG_REC": "other"}, "TLOG_REC"),
        ({"TLOG_USER": "eve"}, "TLOG_USER"),
        ({"TLOG_USER": ["ada", "eve"]}, "TLOG_USER"),
        ({"TLOG_SESSION": "4"}, "TLOG_SESSION"),
        ({"TLOG_ID": "8", "TLOG_SESSION": ""}, "TLOG_SESSION, TLOG_ID"),
        ({"_AUDIT_SESSION": "5"}, "_AUDIT_SESSION"),
        ({"_BOOT_ID": "0" * 32}, "_BOOT_ID"),
    ],
)
def test_an_entry_that_contradicts_the_message_is_not_trusted(fields: dict[str, Any], named: str) -> None:
    for uid in ("0", "1000"):
        found = recorded(**fields, _UID=uid)
        own = found["ttyscribe"]
        assert (own["kind"], own["trust"]) == ("tlog", "none")
        assert own["doubt"] == f"the journal entry contradicts the message: {named}"
        assert ("audit_session" in own) == ("_AUDIT_SESSION" not in fields)
        assert ("boot_id" in own) == ("_BOOT_ID" not in fields)
        assert found["tlog"]["session"] == MESSAGE["session"]


@pytest.mark.parametrize("name", ["TLOG_REC", "TLOG_USER", "TLOG_SESSION", "TLOG_ID", "_AUDIT_SESSION", "_BOOT_ID"])
def test_an_entry_that_does_not_say_contradicts_nothing(name: str) -> None:
    assert "doubt" not in recorded(**{name: None})["ttyscribe"]
