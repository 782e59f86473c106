# SPDX-License-Identifier: Apache-2.0
"""The short way of a recording's next message gives the document that the long way gives, or leaves it to that."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.normalizers.samples import NAMES, NOW_NS, line, pipeline, stamps, text
from ttyscribe_normalizers import envelope, kinds, shapes
from ttyscribe_normalizers.build import _tlog_leads
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog
from ttyscribe_normalizers.kinds.tlog import Kind as Tlog
from ttyscribe_normalizers.parts import Sharing
from ttyscribe_normalizers.pipeline import Decode, Pipeline
from ttyscribe_normalizers.plugins import Plugged
from ttyscribe_normalizers.swift import Swift
from ttyscribe_normalizers.trust import Trust

SECOND = 10**9


def message(**fields: object) -> str:
    """A message as a recorder writes it."""
    return text(**{"time": 1795521604.218, **fields}).replace("\x7f", "\\u007f")


def quick(long: Pipeline) -> Pipeline:
    """The same pipeline with the short way in front."""
    parts = long.parts
    return Pipeline(parts.decode, parts.kinds, parts.fallback, parts.max_text, swift=Swift())


def check(*lines: bytes, decode: Decode = envelope.decode, trusted: tuple[int, ...] = (0,)) -> Pipeline:
    """All of them give the same with and without the short way, ids and counters included."""
    long, short = pipeline(decode, trusted=trusted), quick(pipeline(decode, trusted=trusted))
    for one in lines:
        wanted, found = long.process(one, NOW_NS), short.process(one, NOW_NS)
        assert repr(list(found.documents)) == repr(list(wanted.documents))
        assert found[1:] == wanted[1:]
    assert short.counters == long.counters
    return short


SHOWN = st.lists(
    st.sampled_from(["hi\r\n", "\x1b[1mü\x1b[0m", "a\b \b", "\x1b]0;t\x07", "\x7f", "x" * 70, "\0", "日", '"', "\\"]),
    max_size=5,
).map("".join)


@settings(max_examples=300)
@given(
    SHOWN, SHOWN | st.just(""), st.sampled_from(["0", "1000", "1001", ""]), st.integers(0, 2**64), st.integers(0, 2**42)
)
@example("hi", "", "0", 8, 5000)
def test_the_next_message_gives_the_same_document(shown: str, typed: str, uid: str, number: int, pos: int) -> None:
    timing = f"=80x24<{len(typed)}+5>{len(shown)}" if typed else f"=80x24>{len(shown)}"
    changed = message(timing=timing, in_txt=typed, out_txt=shown, id=number, pos=pos)
    first = line(message(), uid=uid)
    for decode in (envelope.decode, shapes.decode):
        check(first, line(changed, uid=uid), line(changed, uid=uid, host="web8"), decode=decode)


@given(st.binary(max_size=6), st.integers(0, 700))
def test_a_line_with_bytes_put_in_is_read_as_without_the_short_way(data: bytes, at: int) -> None:
    whole = line(message(out_txt="hü\n"))
    check(whole, whole[:at] + data + whole[at:], whole[:at] + data + whole[at + len(data) :], whole)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"host":"web7"', b'"host":"web7","host":"eve"'),
        (b'"host":"web7"', b'"host":"web7","id":"eve"'),
        (b'"host":"web7"', b'"host":"web7","msg":"eve"'),
        (b'"host":"web7"', b'"host":7'),
        (b'"host":"web7","from"', b'"host": "web7","from"'),
        (b'","host":"web7"', b'" "host":"web7"'),
        (b"}", b',"id":"eve"}'),
        (b'}"}', b'}","msg":"x"}'),
        (b'}"}', b'}" }'),
        (b'}"}', b'}"'),
        (b'}"}', b'} "}'),
        (b'"v":1', b'"v":1.0'),
        (b"01.000000+00:00", b"01.000000+0000\t"),
        (b"01.000000+00:00", b"01.000000+01:00"),
        (b'"time":"2026-11-24T12:00:01.000000+00:00"', b'"time":"2026-11-24T12:00:01+00:00"'),
        (b'"time":"2026-11-24T12:00:01.000000+00:00"', b'"time":"2026-11-24T12:00:01Z\t"'),
        (b'"time":"2026-11-24T12:00:01.000000+00:00"', b'"time":""'),
        (b'"time":"2026-11-24T12:00:01.000000+00:00"', b'"time":"\xff"'),
        (b"E59101DB", b"E591\\nDB"),
        (b'\\"id\\":7', b'\\"id\\":7.0'),
        (b'\\"id\\":7', b'\\"id\\":9223372036854775808'),
        (b'\\"time\\":1795521604.218', b'\\"time\\":99999999999.000'),
        (b'\\"time\\":1795521604.218', b'\\"time\\":1.000'),
        (b'\\"out_bin\\":[]', b'\\"out_bin\\":[],\\"user\\":\\"eve\\"'),
        (b'\\"user\\":\\"ada\\"', b'\\"user\\":\\"eve\\"'),
        (b'\\"timing\\":\\"=80x24>3\\"', b'\\"timing\\":\\"=80x24>2=90x30>1\\"'),
        (b'\\"timing\\":\\"=80x24>3\\"', b'\\"timing\\":\\"=80x24>2\\"'),
    ],
)
def test_a_line_changed_by_a_hand_is_read_as_without_the_short_way(old: bytes, new: bytes) -> None:
    whole = line(message())
    changed = whole.replace(old, new)
    assert changed != whole
    check(whole, changed, changed, whole)
    check(changed, changed, whole)


def test_the_short_way_is_taken() -> None:
    made = check(line(message()))
    made.parts = made.parts._replace(kinds=[])
    for number in range(8, 20):
        (document,) = made.process(line(message(id=number)), NOW_NS).documents
        assert document["viaq_msg_id"].startswith(f"tlog:4113-13dda:{number}:")


def test_who_vouches_for_a_message_is_asked_again_after_a_minute() -> None:
    names = dict(NAMES)
    context = kinds.Context(Trust((), lambda uid: names.get(uid, "")), stamps(), "omprog", "0.1.0")
    made = Pipeline(envelope.decode, kinds.load(context), Syslog(context), swift=Swift())

    def trust(seconds: int) -> str:
        return made.process(line(message(), uid="1000"), NOW_NS + seconds * SECOND).documents[0]["ttyscribe"]["trust"]

    assert [trust(0), trust(1)] == ["user", "user"]
    names[1000] = "eve"
    assert trust(59) == "user"
    assert trust(61) == "none"
    names[1000] = "ada"
    assert trust(62) == "none"
    assert trust(-1) == "user"


def test_a_message_beyond_the_limit_is_left_to_the_long_way() -> None:
    made = quick(pipeline(max_text=600))
    assert made.process(line(message()), NOW_NS).dead is None
    long = line(message(out_txt="x" * 600, timing="=80x24>600"))
    assert made.process(long, NOW_NS).dead == pipeline(max_text=600).process(long, NOW_NS).dead


@pytest.mark.parametrize("count", [5000])
def test_recordings_that_nobody_will_see_again_are_forgotten(count: int) -> None:
    made = quick(pipeline())
    for number in range(count):
        made.process(line(message(rec=f"r{number}")), NOW_NS)
    assert made.parts.swift is not None
    assert 0 < len(made.parts.swift._patterns) <= 4096


def test_a_stranger_s_kind_that_is_asked_first_is_asked() -> None:
    context = kinds.Context(Trust((), lambda uid: ""), stamps(), "omprog", "0.1.0")
    ours = kinds.load(context)
    stranger = Plugged("stranger", object(), "strangers 1", lambda _: None)
    assert _tlog_leads(ours)
    assert _tlog_leads([*ours, stranger])
    assert not _tlog_leads([stranger, *ours])
    assert not _tlog_leads([kind for kind in ours if not isinstance(kind, Tlog)])


OTHERS: dict[str, Any] = {"host": "b", "program": "b", "pid": "9", "facility": "3", "severity": "3", "input": "b"}
OTHERS |= {
    "peer": "::2",
    "sender_uid": 1001,
    "sender_pid": 9,
    "collector": "b",
    "tag": "b",
    "doubt": "no",
    "relayed": True,
}


@pytest.mark.parametrize("field", [name for name in envelope.Envelope._fields if name in OTHERS])
def test_what_documents_of_a_sender_share_depends_on_nothing_that_is_not_looked_at(field: str) -> None:
    found = envelope.decode(line("x"))
    changed = found._replace(**{field: OTHERS[field]})
    sharing = Sharing({})
    before = sharing.of(found, "web7")
    assert sharing.of(found, "web7") is before
    assert sharing.of(changed, "web7") == Sharing({}).of(changed, "web7")
