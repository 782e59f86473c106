# SPDX-License-Identifier: Apache-2.0
"""What the kinds make of messages: identity, trust, times, texts."""

import json
import random
from typing import Any

import pytest

from tests.normalizers.samples import MESSAGE, NAMES, NOW_NS, RECEIVED, document, line, pipeline, text
from ttyscribe_formats import tlog
from ttyscribe_normalizers import shapes
from ttyscribe_normalizers.trust import Trust, cached

# ---- identity


def test_a_shipper_that_writes_the_message_anew_changes_nothing() -> None:
    original = document(line(text(out_txt="caf\u00e9 / \U0001f600\n", timing=">9")))
    fields = MESSAGE | {"out_txt": "caf\u00e9 / \U0001f600\n", "timing": ">9"}
    keys = list(fields)
    random.Random(1).shuffle(keys)
    rewritten = (
        json.dumps({key: fields[key] for key in keys}),
        json.dumps(fields, indent=2).replace("\n", " "),
        json.dumps(fields).replace("/", "\\/"),
        json.dumps(fields).replace("1795521604.218", "1.795521604218e9"),
        json.dumps(fields | {"extra": [1, {"x": None}]}),
    )
    for message in rewritten:
        made = document(line(message, id="another", time="2026-11-24T12:00:00Z", host="relay"))
        assert made["viaq_msg_id"] == original["viaq_msg_id"]
        assert made["tlog"] == original["tlog"]


def test_another_message_with_the_same_recording_and_id_has_another_identity() -> None:
    assert document(line(text()))["viaq_msg_id"] != document(line(text(out_txt="ho\n")))["viaq_msg_id"]


def test_the_own_keys_numbers_are_exact_whatever_their_size() -> None:
    for number in (2**53 + 1, 2**64 + 1, 10**30):
        made = document(line(text(ttyscribe={"v": 1, "end": {"status": number}})))
        assert made["tlog"]["ttyscribe"]["end"]["status"] == number


def test_equal_lines_with_ids_of_their_own_are_documents_of_their_own() -> None:
    ids = {document(line("same", id=stamp))["viaq_msg_id"] for stamp in ("a", "b")}
    assert ids == {"log:a", "log:b"}


def test_a_stamp_that_is_not_safe_in_an_id_is_hashed() -> None:
    for stamp in ("../../x", "a b", "x" * 5000, "\u00e9", '"}'):
        assert len(document(line("x", id=stamp))["viaq_msg_id"]) == len("log:h-") + 32


def test_lines_without_a_stamp_are_never_merged() -> None:
    subject = pipeline(shapes.decode)
    ids = {subject.process(b'{"message":"same"}', NOW_NS).documents[0]["viaq_msg_id"] for _ in range(3)}
    assert len(ids) == 3


# ---- trust


@pytest.mark.parametrize(
    ("uid", "user", "expected"),
    [
        ("0", "ada", "system"),
        ("1000", "ada", "user"),
        ("1001", "ada", "none"),
        ("4242", "ada", "none"),
        ("4242", "", "none"),
        ("", "ada", "none"),
    ],
)
def test_trust_is_decided_by_the_attested_uid(uid: str, user: str, expected: str) -> None:
    made = document(line(text(user=user), uid=uid))
    assert made["ttyscribe"]["trust"] == expected
    assert made["ttyscribe"].get("sender_uid", "") == (int(uid) if uid else "")


def test_the_operator_says_whom_to_trust() -> None:
    subject = pipeline(trusted=(1001,))
    made = [subject.process(line(text(), uid=uid), NOW_NS).documents[0] for uid in ("0", "1001", "1000")]
    assert [one["ttyscribe"]["trust"] for one in made] == ["none", "system", "user"]


def test_a_syslog_line_is_never_vouched_for_by_its_own_user() -> None:
    assert document(line("x", uid="1000"))["ttyscribe"]["trust"] == "none"
    assert document(line("x", uid="0"))["ttyscribe"]["trust"] == "system"


def test_names_are_asked_by_uid_and_remembered_for_a_while() -> None:
    asked: list[int] = []
    now = [0.0]

    def name_of(uid: int) -> str:
        asked.append(uid)
        return NAMES.get(uid, "")

    trust = Trust((0,), cached(name_of, lambda: now[0], 60))
    assert [trust.of(1000, user) for user in ("ada", "eve", "x" * 9999)] == ["user", "none", "none"]
    assert asked == [1000]
    now[0] = 61.0
    assert trust.of(1000, "ada") == "user"
    assert asked == [1000, 1000]


# ---- times and places


def test_a_recordings_time_is_its_own_and_its_month_too() -> None:
    made = document(line(text(), time="2026-12-01T00:00:00Z", received="2026-12-01T00:00:00Z"))
    assert made["@timestamp"] == "2026-11-24T12:00:04.218000+00:00"
    assert made["ttyscribe"]["partition"] == "2026.11"


@pytest.mark.parametrize("time", [0.001, 1e9, 4e9, 9e9])
def test_a_forged_time_makes_no_index(time: float) -> None:
    made = document(line(text(time=time)))
    assert made["ttyscribe"]["partition"] == "implausible-time"
    assert made["tlog"]["time"] == time


@pytest.mark.parametrize("time", [9.3e9, 1e11, 2147483647998.0])
def test_a_time_that_no_engine_can_hold_is_shown_as_the_time_of_receipt_and_kept(time: float) -> None:
    made = document(line(text(time=time)))
    assert made["@timestamp"] == RECEIVED
    assert made["ttyscribe"]["partition"] == "implausible-time"
    assert made["tlog"]["time"] == time


def test_a_message_of_before_version_2_3_has_the_time_of_its_line() -> None:
    old = {key: value for key, value in MESSAGE.items() if key not in ("time", "rec")} | {"ver": 2}
    made = document(line(json.dumps(old)))
    assert made["@timestamp"] == RECEIVED
    assert "time" not in made["tlog"]
    assert made["ttyscribe"]["recording"].startswith("h-")


def test_the_host_of_a_recording_is_its_own_and_the_others_are_kept() -> None:
    made = document(line(text()))
    assert made["hostname"] == "web7.example.com"
    assert made["pipeline_metadata"]["collector"]["hostname"] == "web7"
    assert document(line(text(host="")))["hostname"] == "web7"


@pytest.mark.parametrize(
    ("address", "field"), [("192.0.2.7", "ipaddr4"), ("2001:db8::7", "ipaddr6"), ("relay", None), ("x" * 9999, None)]
)
def test_an_address_goes_where_its_version_belongs(address: str, field: str | None) -> None:
    collector = document(line("x", **{"from": address}))["pipeline_metadata"]["collector"]
    found = {key: value for key, value in collector.items() if key.startswith("ipaddr")}
    assert found == ({field: address} if field else {})


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        *(("0", "emerg"), ("1", "alert"), ("2", "crit"), ("3", "err"), ("4", "warning"), ("5", "notice")),
        *(("6", "info"), ("7", "debug"), ("8", "trace")),
        *(("10", "unknown"), ("06", "unknown"), ("", "unknown"), ("err", "unknown")),
    ],
)
def test_levels_are_viaqs(severity: str, level: str) -> None:
    assert document(line("x", severity=severity))["level"] == level
    assert document(line(text(), severity=severity))["level"] == level


# ---- texts


def test_what_was_shown_is_clean_and_what_was_typed_stands_apart() -> None:
    message = text(out_txt="\x1b[31mred\x1b[0m caf\u00e9\r\n", in_txt="ls\rcd\r", timing="<6>17")
    made = document(line(message))
    assert made["message"] == "red caf\u00e9\n"
    assert made["ttyscribe"]["typed"] == "ls\ncd\n"
    assert made["ttyscribe"]["words"] == "red caf\u00e9 ls cd"


def test_a_typed_carriage_return_or_backspace_hides_nothing() -> None:
    message = text(in_txt="rm -rf /\rls      \b\b\b\b\b\b\b\bcat\r", timing="<29", out_txt="")
    made = document(line(message))
    assert made["ttyscribe"]["typed"] == "rm -rf /\nls      cat\n"
    assert "rm rf" in made["ttyscribe"]["words"]


def test_where_typing_is_not_recorded_there_is_no_typed_text() -> None:
    assert "typed" not in document(line(text()))["ttyscribe"]


def test_the_words_around_an_escaped_control_character_are_found() -> None:
    made = document(line("first#011second#012third", program="app"))
    assert made["message"] == "first#011second#012third"
    assert {"first", "second", "third", "011"} <= set(made["ttyscribe"]["words"].split())


def test_control_characters_that_are_not_escaped_never_reach_a_terminal() -> None:
    made = document(line("a\tb\x1b]0;owned\x07\x9b2J\x7f\nc", program="app"))
    assert made["message"] == "a\tb#033]0;owned#007#2332J#177\nc"
    assert made["ttyscribe"]["raw"]


def test_the_numbers_are_those_of_the_message() -> None:
    message = text(timing="=80x24>2+100=100x30]1/2+7<1", out_txt="ab\ufffd", out_bin=[255, 254], in_txt="\u20ac")
    own = document(line(message))["ttyscribe"]
    assert {key: own[key] for key in ("out_bytes", "in_bytes", "last_ms", "resizes")} == {
        "out_bytes": 4,
        "in_bytes": 3,
        "last_ms": 4218 + 107,
        "resizes": 1,
    }


FIELDS: dict[str, Any] = {
    "true among the bytes": {"timing": "]1/2", "out_txt": "\ufffd", "out_bin": [True, 255]},
    "a version of old": {"ver": "2.2"},
    "more digits than there are": {"time": 1795521604.21849},
    "a whole number": {"time": 1795521604},
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_what_is_stored_is_what_our_encoder_would_write(fields: dict[str, Any]) -> None:
    message = text(**fields)
    made = document(line(message))
    assert json.dumps(made["tlog"]) == json.dumps(tlog.to_fields(tlog.decode(message)))


def test_the_words_of_hidden_text_are_searched_and_the_message_stays_what_was_shown() -> None:
    shown, typed = "\x1b]0;title\x07ok\nwritten\r\x1b[Kover", "ls\x1b_pasted"
    fields = {"out_txt": shown, "in_txt": typed, "timing": f">{len(shown)}<{len(typed)}"}
    made = document(line(text(**fields)))
    assert made["message"] == "ok\nover"
    assert made["ttyscribe"]["typed"] == "ls"
    assert made["ttyscribe"]["words"].split() == ["ok", "over", "0", "title", "written", "ls", "pasted"]
