# SPDX-License-Identifier: Apache-2.0
"""The short way of a line of our template, and of a message in it, gives what the long way gives."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.normalizers.samples import NOW_NS, RECEIVED, line, pipeline, text
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import envelope, shapes
from ttyscribe_normalizers.pipeline import Decode
from ttyscribe_normalizers.template import Template

ID = "E59101DB99164E47B6CAAF8A93598736"
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TEXTS = ANY | st.sampled_from(["", "-", "7", '","msg":"', '"', "\\", "ü", "ver"])
TIMES = st.sampled_from(
    [
        RECEIVED,
        "2026-11-24T13:00:01.000000+01:00",
        "2026-11-24T12:00:01+00:00",
        "2026-11-24T12:00:01.1234567+0500",
        "2026-11-24T12:00:60.000000+00:00",
        "1969-12-31T23:59:59.999999+00:00",
        "9999-12-31T23:59:59.999999-01:00",
        " 2026-11-24T12:00:01Z",
        "2026-02-30T12:00:01.000000+00:00",
        "never",
        "",
    ]
)
FIELDS: dict[str, Any] = dict.fromkeys(envelope.KEYS[3:], TEXTS)


def either(decode: Decode, raw: bytes) -> object:
    try:
        return decode(raw, NOW_NS)
    except MessageError as error:
        return str(error)


def check(raw: bytes, *before: bytes) -> None:
    """The same with the short way in front, when the sender is new and when it is known."""
    for long in (envelope.decode, shapes.decode):
        decode = Template(long).decode
        for one in (*before, *before, raw, raw, raw):
            assert either(decode, one) == either(long, one)


@settings(max_examples=500)
@given(st.fixed_dictionaries(FIELDS), TIMES, TIMES)
@example({}, RECEIVED, RECEIVED)
def test_a_line_is_read_as_without_the_short_way(fields: dict[str, str], received: str, time: str) -> None:
    check(line("x", **{**fields, "received": received, "time": time}), line("y", **fields))


@given(st.binary(max_size=6), st.integers(0, 400))
def test_a_line_with_bytes_put_in_is_read_as_without_the_short_way(data: bytes, at: int) -> None:
    whole = line("grüße")
    check(whole[:at] + data + whole[at:], whole)
    check(whole[:at] + data + whole[at + len(data) :], whole)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"host":"web7"', b'"host":"web7","host":"eve"'),
        (b'"host":"web7"', b'"host":"web7","id":"eve"'),
        (b'"host":"web7"', b'"host":"web7","v":2'),
        (b'"host":"web7"', b'"host":"web7","msg":"eve"'),
        (b'"host":"web7"', b'"host":"web7","MESSAGE":"eve"'),
        (b'"host":"web7"', b'"host":"web7","ver":"2.3","timing":""'),
        (b'"host":"web7"', b'"host":7'),
        (b'"host":"web7"', b'"host": "web7"'),
        (b'"uid":"0",', b""),
        (b"}", b',"id":"eve"}'),
        (b"}", b',"msg":"eve"}'),
        (b"}", b" }"),
        (b"}", b""),
        (b'"msg":" x"', b'"msg":7'),
        (b'"msg":" x"', b'"msg":"x"'),
        (b'"msg":" x"', b'"msg":"\\ud800"'),
        (b'"msg":" x"', b'"msg":"\xff"'),
        (b'"msg":" x"', b'"msg":"\t"'),
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":1.0'),
        (RECEIVED.encode() + b'","host', RECEIVED.encode() + b'\t","host'),
        (RECEIVED.encode() + b'","time', RECEIVED.encode() + b'\t","time'),
        (b"E59101DB", b"E591\\nDB"),
        (b"E59101DB", b"E591\xc3\xbcDB"),
    ],
)
def test_a_line_changed_by_a_hand_is_read_as_without_the_short_way(old: bytes, new: bytes) -> None:
    whole = line("x")
    changed = whole.replace(old, new)
    assert changed != whole
    check(changed, whole)
    check(changed, changed)


def test_the_short_way_is_taken() -> None:
    asked = []

    def long(raw: bytes, now_ns: int) -> envelope.Envelope:
        asked.append(raw)
        return envelope.decode(raw, now_ns)

    decode = Template(long).decode
    for number in range(10):
        assert decode(line(f"message {number}", time="2026-11-24T12:00:00+00:00"), NOW_NS).text == f"message {number}"
    assert len(asked) == 2  # met, and met again


SHOWN = st.lists(st.sampled_from(["hi\r\n", "\x1b[1mü\x1b[0m", "a\b \b", "\x1b]0;t\x07", "\x7f", "x" * 70]), max_size=5)


@settings(max_examples=300)
@given(
    SHOWN.map("".join), SHOWN.map("".join), st.sampled_from(["ada", "eve"]), st.sampled_from(["0", "1000", "1001", ""])
)
def test_a_known_recording_s_message_gives_the_document_that_the_long_way_gives(
    shown: str, typed: str, user: str, uid: str
) -> None:
    timing = f"=80x24<{len(typed)}+5>{len(shown)}"
    message = text(timing=timing, in_txt=typed, out_txt=shown, user=user)
    message = message.replace("\x7f", "\\u007f")
    long, short = pipeline(), pipeline(Template(envelope.decode).decode)
    assert short.process(line(text(user=user), uid=uid), NOW_NS)
    (wanted,) = long.process(line(message, uid=uid), NOW_NS).documents
    (found,) = short.process(line(message, uid=uid), NOW_NS).documents
    assert json.dumps(found) == json.dumps(wanted)


@pytest.mark.parametrize("count", [5000])
def test_senders_that_nobody_will_see_again_are_forgotten(count: int) -> None:
    template = Template(envelope.decode)
    for number in range(count):
        template.decode(line("x", host=f"h{number}"), NOW_NS)
        assert not template._senders
    assert len(template._met) <= 4096
    for number in range(count * 2):
        template.decode(line("x", host=f"h{number // 2}"), NOW_NS)
    assert 0 < len(template._senders) <= 4096
    template.decode(line("x", host="h" * 2000), NOW_NS)
    template.decode(line("x", host="h" * 2000), NOW_NS)
    assert max(map(len, template._senders)) <= 1024
