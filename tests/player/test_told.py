# SPDX-License-Identifier: Apache-2.0
"""What the recorder tells of itself is shown at its time; a loss that is explained is told once, as that."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.player.logs import from_store
from tests.player.test_event import texts
from tests.store.samples import message
from ttyscribe_formats.packet import Output, Window
from ttyscribe_player.event import Mark, events, following
from ttyscribe_player.told import Hole, Losses, hole_text
from ttyscribe_store.base import StoredMessage

MS = 1_000_000


def telling(number: int, text: str = "", *, pos: int = -1, timing: str = "", **own: Any) -> StoredMessage:
    """A message with our own key."""
    made = message(number, text, pos=pos)
    item = from_store(made._replace(timing=timing or (made.timing if text else "")))
    item.tlog["ttyscribe"] = {"v": 1, **own}
    return item


def lost(first: int, last: int, why: str = "No space left on device") -> dict[str, Any]:
    """One loss."""
    return {"from": first, "to": last, "why": why}


def test_masks_and_skips_stand_at_their_time() -> None:
    """Between the packets of the message that tells of them, in order."""
    digest = "0" * 32
    skip = {"ms": 1300, "stream": "stdout", "bytes": 104857600, "digest": digest}
    item = telling(1, "abc", pos=1000, timing=">1+200>1+200>1", mask=[[500, 1400], [100, 1100]], skip=[skip])
    played = [event for event in events([item]) if not isinstance(event, Window)]
    found = [(event.time_ns // MS, event.text if isinstance(event, Mark) else event.data) for event in played]
    assert found == [
        (1000, b"a"),
        (1100, "typed secret masked"),
        (1200, b"b"),
        (1300, "104857600 bytes of stdout skipped"),
        (1400, "typed secret masked"),
        (1400, b"c"),
    ]
    assert not any(e.is_loss for e in events([item]) if isinstance(e, Mark))


def test_a_message_of_marks_alone_shows_them() -> None:
    """At its own time."""
    found = list(events([from_store(message(1, "a")), telling(2, pos=7000, mask=[[5000, 7000]])]))
    assert found[-1] == Mark(7000 * MS, "typed secret masked", False)


def test_a_forged_time_does_not_hold_the_clock() -> None:
    """What comes behind it is played at most a minute late."""
    found = list(events([telling(1, "a", mask=[[0, 2147483647999]]), from_store(message(2, "b"))]))
    assert found[-1].time_ns <= 61_000 * MS
    assert isinstance(found[-1], Output)


def test_an_explained_hole_is_told_as_that_and_once() -> None:
    """By the next message, or by one soon after; what nobody explains is missing as before."""
    item = from_store
    marks = [e for e in events([item(message(1, "a")), telling(5, "b", lost=[lost(2, 4)])]) if isinstance(e, Mark)]
    assert texts(marks) == [("messages 2 to 4 lost: No space left on device", True)]
    later = [item(message(1, "a")), item(message(5, "b")), telling(6, "c", lost=[lost(2, 3), lost(9, 9, "too large")])]
    marks = [e for e in events([*later, item(message(11, "d"))]) if isinstance(e, Mark)]
    assert texts(marks) == [
        ("messages 2 to 3 lost: No space left on device", True),
        ("message 4 is missing", True),
        ("messages 7 to 8 are missing", True),
        ("message 9 lost: too large", True),
        ("message 10 is missing", True),
    ]


def test_a_loss_of_what_is_there_says_nothing() -> None:
    """The recorder may name too many where it has to be short, and a forger may name what it likes."""
    found = [from_store(message(1, "a")), telling(2, "b", lost=[lost(1, 2), lost(5, 9)])]
    assert [e for e in events(found) if isinstance(e, Mark)] == []


def test_a_hostile_reason_is_printable_and_short() -> None:
    """Nothing of it reaches the terminal."""
    item = telling(5, "b", lost=[lost(1, 4, "\x1b]52;c;aGk=\x07\r\n" + "x" * 500)])
    (mark,) = [e for e in events([item]) if isinstance(e, Mark)]
    assert mark.text.isprintable()
    assert len(mark.text) < 130


def test_a_followed_recording_explains_late() -> None:
    """The hole is told when it is seen, and explained when that comes; that is no second loss."""
    one, five, six = (
        from_store(message(1, "a")),
        from_store(message(5, "b")),
        telling(6, "c", lost=[lost(2, 4, "full")]),
    )
    marks = [e for e in following([one, None, five, None, six, None]) if isinstance(e, Mark)]
    assert texts(marks) == [("messages 2 to 4 are missing", True), ("messages 2 to 4 lost: full", False)]
    marks = [e for e in following([one, None, six, five, None]) if isinstance(e, Mark)]
    assert texts(marks) == [("messages 2 to 4 lost: full", True)]


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 20)), max_size=12),
    st.integers(1, 60),
    st.integers(0, 40),
)
def test_a_hole_is_cut_into_pieces_that_cover_it(said: list[tuple[int, int]], first: int, size: int) -> None:
    """Each id once and in order, with a reason exactly where there is one."""
    losses = Losses()
    for start, length in said:
        losses.learn(telling(100, lost=[lost(start, start + length, "x")]))
    holes = list(losses.explained(first, first + size))
    covered = [(number, bool(hole.why)) for hole in holes for number in range(hole.first, hole.last + 1)]
    known = {number for start, length in said for number in range(start, start + length + 1)}
    assert covered == [(number, number in known) for number in range(first, first + size + 1)]


def test_a_forger_cannot_fill_the_memory() -> None:
    """A hundred thousand losses are a bounded list, and holes are still told."""
    losses = Losses()
    for number in range(100_000 // 20):
        losses.learn(telling(number, lost=[lost(10 * n, 10 * n + 1, "x") for n in range(1, 18)]))
    holes = list(losses.explained(1, 10**12))
    assert len(holes) <= 2 * 1024 + 1
    assert (holes[0].first, holes[-1].last) == (1, 10**12)
    assert hole_text(Hole(3, 3)) == "message 3 is missing"
