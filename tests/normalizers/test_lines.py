# SPDX-License-Identifier: Apache-2.0
"""What becomes of a line: the table of docs/contracts/envelope.md, row by row (LINE-n), and the rules ENV-n."""

import base64
import json
import sys
from typing import Any

import pytest

from tests.normalizers.samples import MESSAGE, NOW_NS, RECEIVED, document, line, pipeline, text, viaq_pipeline
from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import envelope, golden
from ttyscribe_normalizers.pipeline import MAX_LINE, MAX_TEXT, Pipeline

# ---- LINE-1: stored


@pytest.mark.parametrize("size", [1, 60_000, MAX_TEXT])
def test_a_message_up_to_the_limit_is_stored_whole(size: int) -> None:
    made = document(line("x" * size, program="app"))
    assert made["message"] == "x" * size
    assert made["ttyscribe"]["kind"] == "syslog"
    assert "error" not in made["ttyscribe"]


def counted(subject: Pipeline) -> dict[str, int]:
    """What was counted, but for the bytes."""
    return {name: count for name, count in subject.counters.items() if name != "bytes"}


def test_a_message_up_to_the_limit_is_stored_although_its_line_is_larger() -> None:
    raw = json.dumps({"v": 1, "id": "i", "msg": "\u00e9" * (MAX_TEXT // 2)}).encode()
    assert MAX_TEXT * 2 < len(raw) < MAX_LINE
    assert document(raw)["message"] == "\u00e9" * (MAX_TEXT // 2)


# ---- LINE-2: a broken recording's message

BROKEN = {
    "cut in its middle": text()[:120],
    "cut behind its first key": '{"ver":"2.3"',
    "cut in a character": text(out_txt="caf\u00e9")[:-24],
    "not JSON any more": text().replace(":", "=", 3),
    "a key is missing": text().replace('"pos":4218,', ""),
    "a wrong type": text(id="7"),
    "a negative id": text(id=-1),
    "an id beyond 63 bit": text(id=2**63),
    "an id beyond any machine": text(id=10**40),
    "a session of zero": text(session=0),
    "a time that is no number": text().replace("1795521604.218", "NaN"),
    "timing that is none": text(timing=">3?1"),
    "timing beyond the text": text(timing="=80x24>4"),
    "bytes that are none": text(timing="]1/1", out_txt="\ufffd", out_bin=[256]),
    "too few bytes": text(timing="]1/2", out_txt="\ufffd", out_bin=[1]),
    "a version to come": text(ver="3.0"),
    "our own key is none": text(ttyscribe=5),
    "nested too deep": text(ttyscribe={"x": 1}).replace('{"x":1}', '{"x":' * 3000 + "1" + "}" * 3000),
    "an array behind it": text() + "[]",
    "no number in our own key": text(ttyscribe={"v": 1}).replace('"v":1', '"v":NaN'),
    "a number beyond all in our own key": text(ttyscribe={"v": 1}).replace('"v":1', '"v":1e999'),
}


@pytest.mark.parametrize("message", BROKEN.values(), ids=BROKEN)
def test_a_broken_recordings_message_is_kept_as_syslog_with_the_error(message: str) -> None:
    subject = pipeline()
    (made,) = subject.process(line(message), NOW_NS).documents
    assert made["ttyscribe"]["kind"] == "syslog"
    assert made["ttyscribe"]["error"]
    assert "\n" not in made["ttyscribe"]["error"]
    assert made["message"] == message
    assert made["viaq_msg_id"] == "log:E59101DB99164E47B6CAAF8A93598736"
    assert "tlog" not in made
    assert subject.counters["broken"] == 1


def test_a_recordings_message_that_is_not_utf_8_is_no_recordings_message() -> None:
    """Its text would have to be repaired, and what is played back must be exact."""
    raw = line(text(out_txt="X", timing=">1")).replace(b"X", b"\xff")
    made = document(raw)
    assert made["ttyscribe"]["kind"] == "syslog"
    assert made["ttyscribe"]["error"] == "the message is not UTF-8"
    assert base64.b64decode(made["ttyscribe"]["raw"]) == text(out_txt="X", timing=">1").encode().replace(b"X", b"\xff")


def test_json_of_other_programs_is_a_message_like_any_other() -> None:
    for message in ('{"ver":1,"msg":"hi"}', '{"timing":"fast"}', "{}", "{"):
        made = document(line(message, program="app"))
        assert made["message"] == message
        assert "error" not in made["ttyscribe"]


# ---- LINE-3: not UTF-8


@pytest.mark.parametrize(
    "data", [b"latin-1 \xfc\xe9", b"\xff", b"half \xed\xa0\x80 of a pair", b"cut \xe2\x82", b"\xc0\xaf overlong"]
)
def test_bytes_that_are_not_utf_8_are_kept_beside_the_repaired_text(data: bytes) -> None:
    made = document(line("XYZ", program="app").replace(b"XYZ", data))
    assert made["message"] == data.decode("utf-8", "replace")
    assert base64.b64decode(made["ttyscribe"]["raw"]) == data


def test_bytes_that_are_not_utf_8_elsewhere_in_the_line_harm_nothing() -> None:
    made = document(line("hello", program="XYZ").replace(b"XYZ", b"na\xefve"))
    assert made["message"] == "hello"
    assert made["systemd"]["u"]["SYSLOG_IDENTIFIER"] == "na\ufffdve"
    assert "raw" not in made["ttyscribe"]


def test_a_lone_surrogate_that_a_sender_wrote_is_repaired_too() -> None:
    made = document(line("x").replace(b" x", b" \\ud800\xff"))
    assert made["message"] == "\ufffd" * 4
    assert base64.b64decode(made["ttyscribe"]["raw"]) == b"\xed\xa0\x80\xff"


# ---- LINE-4: empty


@pytest.mark.parametrize("raw", [b"", b" ", b"\r", line(""), line("  "), line("", msg="")])
def test_an_empty_line_is_counted_and_dropped(raw: bytes) -> None:
    subject = pipeline()
    assert subject.process(raw, NOW_NS) == ((), None, "")
    assert counted(subject) == {"lines": 1, "empty": 1}


def test_a_blank_text_with_structured_data_beside_it_is_kept() -> None:
    header = {"protocol-version": "1", "app-name": "shop", "msgid": "-", "structured-data": '[a@1 b="order"]'}
    made = document(line("", **header))
    assert made["message"] == ""
    assert made["rsyslog"]["elements"] == {"a@1": {"b": "order"}}
    assert counted_empty(header | {"structured-data": "-"}) == 1


def counted_empty(header: dict[str, str]) -> int:
    """How many blank lines with this header are dropped."""
    subject = pipeline()
    assert subject.process(line("", **header), NOW_NS).documents == ()
    return subject.counters["empty"]


# ---- LINE-5: dead letter

UNPARSABLE = {
    "no JSON": b"hello",
    "cut short": line("hello")[:-4],
    "no object": b"[1]",
    "a number": b"1",
    "null": b"null",
    "no version": line("x", v=None),
    "another version": line("x", v=2),
    "a version that is nearly one": line("x", v=True),
    "a version as text": line("x", v="1"),
    "no message": line("x", msg=None),
    "a message that is no text": line("x", msg=["x"]),
    "nested too deep": b"[" * 100_000,
    "nested objects too deep": b'{"v":' * 100_000,
    "a number of many digits": b'{"v":1,"msg":' + b"9" * 10_000 + b"}",
    "two objects": line("x") + line("y"),
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("raw", UNPARSABLE.values(), ids=UNPARSABLE)
def test_a_line_that_is_no_envelope_is_dead_with_a_reason(raw: bytes) -> None:
    subject = pipeline()
    processed = subject.process(raw, NOW_NS)
    assert processed.dead is not None
    assert processed.dead.status == "unparsable"
    assert processed.dead.reason
    assert len(processed.dead.reason) < 300
    assert not processed.documents
    assert subject.counters["unparsable"] == 1


@pytest.mark.parametrize("letter", ["x", "\u00e9"])
def test_a_message_over_the_limit_is_dead_and_keeps_its_time_of_receipt(letter: str) -> None:
    size = len(letter.encode())
    processed = pipeline(max_text=1000).process(line(letter * (1000 // size + 1)), NOW_NS)
    assert processed.dead is not None
    assert processed.dead == ("too-long", f"the message has {1000 + size} bytes, more than 1000", RECEIVED)


def test_a_line_over_the_limit_is_dead() -> None:
    subject = pipeline()
    processed = subject.too_long(3 << 20, MAX_LINE)
    assert processed.dead is not None
    assert processed.dead.status == "too-long"
    assert "3145728 bytes" in processed.dead.reason
    assert counted(subject) == {"lines": 1, "too-long": 1}
    assert subject.counters["bytes"] == 3 << 20


# ---- LINE-6: our own fault


def test_a_fault_of_ours_costs_nobody_a_line() -> None:
    class Faulty:
        name, order = "faulty", 1

        def accepts(self, _: envelope.Envelope) -> bool:
            return True

        def normalize(self, _: envelope.Envelope) -> Any:
            raise RuntimeError("a fault")

    subject = pipeline()
    subject.parts = subject.parts._replace(kinds=[Faulty()])
    processed = subject.process(line("hello"), NOW_NS)
    assert processed.dead == ("failed", "RuntimeError: a fault", RECEIVED)


def test_a_fault_of_ours_while_it_decodes_costs_nobody_a_line() -> None:
    def faulty(raw: bytes, now_ns: int) -> Any:
        raise RuntimeError("a fault")

    subject = pipeline()
    subject.parts = subject.parts._replace(decode=faulty)
    assert subject.process(line("hello"), NOW_NS).dead == ("failed", "RuntimeError: a fault", "")


@pytest.mark.parametrize("profile", ["lossless", "viaq"])
@pytest.mark.parametrize("protocol", ["omprog", "ndjson"])
@pytest.mark.parametrize("depth", [300, 520, 700, 960, 2000, 30_000])
def test_however_deep_a_line_is_it_is_no_fault_of_ours(profile: str, protocol: str, depth: int) -> None:
    """ENV-5: the interpreter's own limit is met at other depths by other functions."""
    subject = viaq_pipeline(protocol) if profile == "viaq" else pipeline(golden.DECODERS[protocol])
    nested = '{"message":"x","a":' + '{"b":' * depth + "1" + "}" * (depth + 1)
    for raw in (nested.encode(), line(nested), nested.replace("message", "MESSAGE").encode()):
        processed = subject.process(raw, NOW_NS)
        assert processed.documents or (processed.dead is not None and processed.dead.status == "unparsable")


# ---- ENV-1, ENV-2, ENV-5: values that nobody expects

WRONG: tuple[Any, ...] = (None, 5, 10**40, 1e300, True, [], {}, ["x"], {"a": {"b": []}})


@pytest.mark.parametrize("key", envelope.KEYS[:-1])
def test_a_value_that_is_absent_or_of_another_type_counts_as_empty(key: str) -> None:
    absent = document(line("hello", **{key: None}))
    for wrong in WRONG:
        raw = json.dumps(json.loads(line("hello")) | {key: wrong}).encode()
        made = document(raw)
        if key == "id":
            assert made["viaq_msg_id"] == absent["viaq_msg_id"] == "log:stamp-1"
        assert made == absent


def test_of_a_key_that_occurs_twice_the_last_counts() -> None:
    assert document(b'{"v":1,"id":"a","id":"b","msg":"x","msg":"y"}')["message"] == "y"


@pytest.mark.parametrize("value", ["-1", "", "1.0", "+1", " 1", "\u0661", "4294967296", "9" * 300_000, "root"])
def test_a_uid_that_is_none_is_nobodys(value: str) -> None:
    found = envelope.decode(line("x", uid=value, pid=value))
    assert (found.sender_uid, found.sender_pid) == (-1, -1)
    assert document(line("x", uid=value))["ttyscribe"]["trust"] == "none"


BAD_TIMES = [
    "",
    "yesterday",
    "2026-13-01T00:00:00Z",
    "2026-11-24T12:00:00",
    "0000-00-00T00:00:00.000000+00:00",
    "9" * 99,
]


@pytest.mark.parametrize("bad", BAD_TIMES)
def test_a_time_that_cannot_be_read_is_the_time_of_receipt(bad: str) -> None:
    made = document(line("x", time=bad))
    assert made["@timestamp"] == made["ttyscribe"]["received"] == RECEIVED
    assert made["ttyscribe"]["partition"] == "2026.11"


@pytest.mark.parametrize("bad", BAD_TIMES)
def test_a_time_of_receipt_that_cannot_be_read_is_that_of_reading(bad: str) -> None:
    made = document(line("x", received=bad, time=RECEIVED))
    assert made["ttyscribe"]["received"] == timestamp.to_text(NOW_NS)
    assert made["@timestamp"] == RECEIVED


def test_times_of_other_zones_and_digits_are_written_the_same_way() -> None:
    made = document(line("x", time="2026-11-24T13:00:00.5+01:00", received="2026-11-24T12:00:00Z"))
    assert made["@timestamp"] == "2026-11-24T12:00:00.500000+00:00"
    assert made["ttyscribe"]["received"] == "2026-11-24T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    "time", ["1999-12-31T23:59:59Z", "2026-11-26T12:00:02Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_a_time_far_from_the_receipt_is_implausible(time: str) -> None:
    made = document(line("x", time=time))
    assert made["ttyscribe"]["partition"] == "implausible-time"
    in_64_bit = 0 <= timestamp.parse(time) < 2**63
    assert made["@timestamp"] == (timestamp.to_text(timestamp.parse(time)) if in_64_bit else RECEIVED)


def test_without_the_fast_parser_the_documents_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bare package has none."""
    raws = [line(text()), line("caf\u00e9"), line("x").replace(b" x", b" \\ud800"), line("y").replace(b"y", b"\xff")]
    with_it = [document(raw) for raw in raws]
    monkeypatch.setitem(sys.modules, "orjson", None)
    monkeypatch.delitem(sys.modules, "ttyscribe_normalizers.exact")
    import ttyscribe_normalizers.exact as bare

    assert bare.fast_loads.__module__ == "ttyscribe_normalizers.exact"
    monkeypatch.setattr(envelope, "exact", bare)
    monkeypatch.setattr("ttyscribe_normalizers.kinds.tlog.exact", bare)
    assert [document(raw) for raw in raws] == with_it
    with pytest.raises(ValueError, match="nested too deep"):
        bare.fast_loads(b"[" * 100_000)
    with pytest.raises(MessageError, match="nested too deep"):
        bare.loads(b"[" * 100_000)


def test_the_sample_is_the_message_that_it_says() -> None:
    assert document(line(text()))["tlog"] == MESSAGE
