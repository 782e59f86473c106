# SPDX-License-Identifier: Apache-2.0
"""Gaps, conflicts and doubts are marked, and nothing uncertain is played as true."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from tests.player.logs import from_store, ordered
from tests.store.samples import make_recording, message
from ttyscribe_formats.packet import Output, Window
from ttyscribe_player.event import Event, Mark, events
from ttyscribe_player.senders import counted, several_text
from ttyscribe_store.base import StoredMessage


def shown(messages: Iterable[StoredMessage]) -> tuple[bytes, list[Mark]]:
    """Bytes and marks."""
    found = list(events(ordered(messages)))
    data = b"".join(event.data for event in found if isinstance(event, Output))
    return data, [event for event in found if isinstance(event, Mark)]


def texts(marks: Iterable[Mark]) -> list[tuple[str, bool]]:
    """What they say, and whether something is not played."""
    return [(mark.text, mark.is_loss) for mark in marks]


def test_a_whole_recording_has_no_marks_and_plays_byte_for_byte() -> None:
    outputs = [b"\xff\xfe", "é".encode()[:1], "é".encode()[1:], b"\x1b[31m\x00", b"tail \xe2\x82"]
    data, marks = shown(from_store(item) for item in make_recording("rec", outputs))
    assert data == b"".join(outputs)
    assert not marks


def test_what_is_missing_is_marked_at_its_place_also_at_the_beginning() -> None:
    found = list(events([from_store(message(n, f"<{n}>")) for n in (3, 4, 7, 9)]))
    shape = [e.text if isinstance(e, Mark) else e.data.decode() for e in found if not isinstance(e, Window)]
    assert shape == [
        "messages 1 to 2 are missing",
        "<3>",
        "<4>",
        "messages 5 to 6 are missing",
        "<7>",
        "message 8 is missing",
        "<9>",
    ]
    assert all(e.is_loss for e in found if isinstance(e, Mark))


def test_a_mark_stands_at_the_time_of_what_was_played_before_it() -> None:
    found = list(events([from_store(message(1, "a")), from_store(message(9, "b", pos=60_000))]))
    assert [e.time_ns for e in found if isinstance(e, Mark)] == [0]


def test_a_forged_message_of_lower_trust_is_not_played_and_the_conflict_is_told() -> None:
    true, forged = from_store(message(2, "true")), from_store(message(2, "forged"), "user", 666)
    data, marks = shown([from_store(message(1, "one,")), true, forged])
    assert data == b"one,true"
    assert texts(marks) == [("2 messages claim to be message 2: the most trusted one is played", False)]


def test_at_equal_trust_the_process_decides() -> None:
    rest = [from_store(message(n, f"{n},"), "user", 4113) for n in (1, 3)]
    claims = [from_store(message(2, "true,"), "user", 4113), from_store(message(2, "forged,"), "user", 666)]
    data, marks = shown([*rest, *claims])
    assert data == b"1,true,3,"
    assert [mark.is_loss for mark in marks] == [False]


def test_what_cannot_be_decided_is_not_played_at_all() -> None:
    claims = [from_store(message(2, word), "none", -1) for word in ("heads", "tails")]
    data, marks = shown([from_store(message(1, "one,"), "none", -1), *claims])
    assert data == b"one,"
    assert texts(marks) == [("2 messages claim to be message 2, none is certain: not played", True)]


def test_equal_messages_are_one() -> None:
    item = from_store(message(1, "once"))
    assert shown([item, item]) == (b"once", [])


def test_a_forged_time_far_ahead_cannot_hold_what_cannot_be_decided() -> None:
    claims = [from_store(message(2, word, pos=2_000_000_000_000), "none", -1) for word in ("a", "b")]
    found = list(events(ordered([from_store(message(1, "x")), *claims, from_store(message(3, "y"))])))
    assert max(event.time_ns for event in found) == 2_000_000_000


def test_a_message_put_behind_the_end_by_another_process_is_told() -> None:
    data, marks = shown([from_store(message(1, "true")), from_store(message(2, " more"), "system", 666)])
    assert data == b"true more"
    assert texts(marks) == [("message 2 comes from another process than what came before it", False)]


def test_a_message_of_less_trust_than_those_before_it_is_told() -> None:
    _, marks = shown([from_store(message(1)), from_store(message(2), "user"), from_store(message(3))])
    assert texts(marks) == [("message 2 is less trusted than what came before it", False)]


def test_one_forged_message_at_the_beginning_does_not_put_all_others_in_doubt() -> None:
    true = [from_store(message(n), "user", 4113) for n in range(1, 50)]
    _, marks = shown([from_store(message(0, "boo", pos=0), "user", 666), *true])
    assert texts(marks) == [("message 1 comes from another process than what came before it", False)]


def test_the_mark_of_an_undecided_place_names_the_senders() -> None:
    claims = [from_store(message(1, "a"), "user", 10), from_store(message(1, "b"), "user", -1)]
    _, marks = shown(claims)
    assert marks[0].text.startswith("2 messages claim to be message 1, none is certain: not played; sent by ")
    assert "process 10" in marks[0].text
    assert "nobody attested" in marks[0].text
    assert marks[0].text.endswith(": --sender=PID plays one's")


def test_only_the_named_sender_is_believed_whatever_the_trust() -> None:
    claims = [from_store(message(1, "high"), "system", 66), from_store(message(1, "own"), "user", 10)]
    twice = [from_store(message(2, word), "user", 10) for word in "ab"]
    found = list(events(ordered([*claims, *twice, from_store(message(3, "other"), "none", -1)]), 10))
    assert b"".join(event.data for event in found if isinstance(event, Output)) == b"own"
    assert texts(event for event in found if isinstance(event, Mark)) == [
        ("2 messages claim to be message 1: that of process 10 is played, as asked for", False),
        ("process 10 sent several messages that claim to be message 2: not played", True),
        ("message 3 is not of process 10: not played; sent by nobody attested", True),
    ]


def test_a_message_that_goes_back_in_time_is_marked_once() -> None:
    _, marks = shown(from_store(message(n, pos=ms)) for n, ms in ((1, 0), (2, 9000), (3, 1000), (4, 2000)))
    text = "message 3 goes back in time: it says 0:01.000, what came before it 0:09.000"
    assert texts(marks) == [(text, False)]


def test_several_senders_are_counted() -> None:
    messages = [from_store(message(n), "user", pid) for n, pid in ((1, 5), (2, 5), (3, -1), (4, 7))]
    assert counted(messages) == {5: 2, -1: 1, 7: 1}
    told = several_text(counted(messages))
    assert "2 by process 5, 1 by nobody attested, 1 by process 7; --sender=PID" in told
    assert several_text({5: 2, -1: 9}) == several_text({}) == ""
    assert several_text(dict.fromkeys(range(100), 1)).count("process ") == 8


def test_times_never_go_back() -> None:
    found = list(events([from_store(message(1, "a", pos=5000)), from_store(message(2, "b", pos=1000))]))
    assert [e.time_ns for e in found if isinstance(e, Output)] == [5_000_000_000] * 2


def test_a_message_that_breaks_the_format_is_marked_and_what_follows_is_played() -> None:
    broken = from_store(message(2, "x"))
    broken.tlog["timing"] = ">9\x1b]0;evil\x07"
    data, marks = shown([from_store(message(1, "a")), broken, from_store(message(3, "c"))])
    assert data == b"ac"
    assert marks[0].is_loss
    assert marks[0].text.startswith("message 2 can't be read: ")
    assert all(" " <= character <= "~" for character in marks[0].text)


def test_input_is_not_shown() -> None:
    data, marks = shown([from_store(message(1, "out", typed="secret"))])
    assert (data, marks) == (b"out", [])


number = st.integers(0, 6)
claim = st.builds(
    lambda n, text, trust, pid: from_store(message(n, text, pos=n), trust, pid),
    number,
    st.sampled_from("ab"),
    st.sampled_from(["none", "user", "system"]),
    st.sampled_from([-1, 1, 2]),
)


@given(st.lists(claim, max_size=12))
def test_every_id_up_to_the_last_is_played_or_marked_as_lost(claims: list[StoredMessage]) -> None:
    found: list[Event] = list(events(ordered(claims)))
    played = sum(1 for event in found if isinstance(event, Output))
    ids = {item.tlog["id"] for item in claims}
    undecided = sum(1 for event in found if isinstance(event, Mark) and "not played" in event.text)
    assert played + undecided == len(ids)
    assert [event.time_ns for event in found] == sorted(event.time_ns for event in found)
