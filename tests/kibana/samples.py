# SPDX-License-Identifier: Apache-2.0
"""Recordings that the dashboards are tried on, and what each panel must show for them.

The expected tables are computed here from the plain list of messages, with nothing of the code under test.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

Row = dict[str, Any]

HOUR = 3_600_000
DAY = 24 * HOUR
SINCE = int(datetime(2026, 10, 28, tzinfo=UTC).timestamp() * 1000)
UNTIL = SINCE + 7 * DAY
"""A week that crosses the end of a month: its messages lie in two indices."""
BUCKET = 3 * HOUR
"""What the user interfaces choose for a week."""
STORY = "rec-story"
STORY_START = SINCE + 3 * DAY + 9 * HOUR
"""The recording that the page of one recording is tried on."""
HOSTILE = 'eve" or * <script>{{value}}</script>\u202e'


class Message(NamedTuple):
    """What a stored message says, as far as panels look."""

    recording: str
    user: str
    host: str
    id: int
    start_ms: int
    """Start of the recording, ms since the epoch."""
    pos_ms: int
    last_ms: int
    shown: int
    typed: int
    trust: str = "user"
    variant: int = 0
    resizes: int = 0

    @property
    def time_ms(self) -> int:
        return self.start_ms + self.pos_ms


def _recording(name: str, user: str, host: str, start_ms: int, count: int, step_ms: int, shown: int) -> list[Message]:
    """A recording of evenly spaced messages whose sizes differ."""
    return [
        Message(
            name, user, host, number, start_ms, at, at + step_ms // 2, shown + 7 * number, number % 3, trust="system"
        )
        for number, at in ((n + 1, n * step_ms) for n in range(count))
    ]


def _story() -> list[Message]:
    """A recording as they are: bursts, pauses, a few changes of the window, two messages lost, two forged."""
    found = []
    for n in range(40):
        at = n * 20_000 + n * 3137 % 9000
        shown, typed = 60 + n * 7919 % 2900 * (1 + (n % 9 == 4)), n * 13 % 37
        resizes = 2 if n in (11, 12) else 1 if n in (0, 27) else 0
        found.append(
            Message(STORY, "ada", "web1", n + 1, STORY_START, at, at + 6000, shown, typed, "system", 0, resizes)
        )
    forged = [found[n]._replace(shown=n, typed=0, trust="none", variant=1, resizes=0) for n in (20, 33)]
    return [message for message in found if message.id not in (7, 8)] + forged


def _messages() -> list[Message]:
    found = [
        *_recording("rec-a", "ada", "web1", SINCE + 2 * HOUR, 12, 20 * 60_000, 400),
        *_recording("rec-b", "bob", "web1", SINCE + 26 * HOUR, 5, 1_000, 9_000),
        *_recording("rec-c", "ada", "db1", SINCE + 3 * DAY, 30, 30_000, 50),
        # Across the end of the month.
        *_recording("rec-d", "cyd", "db1", SINCE + 4 * DAY - 2 * HOUR, 7, HOUR, 1_500),
        *_recording("rec-e", HOSTILE, "jump", SINCE + 5 * DAY + 11, 3, 100, 20),
        *_story(),
        *_recording("rec-f", "bob", "jump", UNTIL - HOUR, 2, 60_000, 700),
        # Outside of the week.
        *_recording("rec-old", "old", "web9", SINCE - 2 * DAY, 4, 1_000, 5_000),
        *_recording("rec-new", "new", "web9", UNTIL + HOUR, 4, 1_000, 5_000),
    ]
    for n in range(24):  # an ordinary week
        user, host = ("ada", "bob", "cyd", "dora", "emil")[n % 5], ("web1", "web2", "db1", "jump")[n * 7 % 4]
        start = SINCE + n * 6 * HOUR + (n * 37 % 60) * 60_000 + 4 * HOUR
        found += _recording(f"rec-{n:02}", user, host, start, 3 + n * 5 % 11, 45_000 + n * 9_001, 200 + n * n * 9)
    found = [m._replace(trust="user") if m.recording[-1] in "be37" else m for m in found]
    found.remove(next(m for m in found if m.recording == "rec-c" and m.id == 17))  # lost on the way
    true = {(m.recording, m.id): m for m in found}
    return [
        *found,
        # The recorded user forges two of rec-b's numbers, one of them twice, and one of rec-d in the other month.
        true["rec-b", 4]._replace(shown=1, trust="none", variant=1),
        true["rec-b", 4]._replace(shown=2, trust="none", variant=2),
        true["rec-b", 5]._replace(shown=3, trust="none", variant=1),
        true["rec-d", 7]._replace(start_ms=SINCE + DAY, shown=4, trust="none", variant=1),
        # Somebody claims to be another user inside rec-a.
        true["rec-a", 12]._replace(user="mallory", id=13, shown=5, typed=0, trust="none", variant=1),
    ]


MESSAGES = _messages()
SEEN = [message for message in MESSAGES if SINCE <= message.time_ms <= UNTIL]


def _by(messages: Iterable[Message], key: Callable[[Message], Any]) -> dict[Any, list[Message]]:
    found = defaultdict(list)
    for message in messages:
        found[key(message)].append(message)
    return found


def _shown(messages: list[Message]) -> int:
    return sum(message.shown for message in messages)


def _first(messages: list[Message]) -> int:
    return min(message.time_ms for message in messages)


def _last(messages: list[Message]) -> int:
    return max(message.time_ms for message in messages)


def _duration(messages: list[Message]) -> int:
    return max(message.last_ms for message in messages)


def _ranked(
    messages: list[Message], size: int, rank: Callable[[list[Message]], int]
) -> list[tuple[Row, list[Message]]]:
    """Groups of recording, user and host, each level ranked, largest first."""
    found = []
    recordings = sorted(_by(messages, lambda m: m.recording).items(), key=lambda item: -rank(item[1]))
    for recording, inside in recordings[:size]:
        for user, mine in sorted(_by(inside, lambda m: m.user).items(), key=lambda item: -rank(item[1])):
            for host, there in sorted(_by(mine, lambda m: m.host).items(), key=lambda item: -rank(item[1])):
                found.append(({"Recording": recording, "Look into": recording, "User": user, "Host": host}, there))
    return found


def _newest() -> list[Row]:
    return [
        head
        | {"First time": _first(inside), "Last time": _last(inside), "Duration": _duration(inside)}
        | {"Messages": len(inside), "Last number": max(m.id for m in inside)}
        | {"Shown": _shown(inside), "Typed": sum(m.typed for m in inside)}
        for head, inside in _ranked(SEEN, 100, _last)
    ]


def _biggest() -> list[Row]:
    return [
        head | {"Shown": _shown(inside), "Duration": _duration(inside), "First time": _first(inside)}
        for head, inside in _ranked(SEEN, 10, _shown)
    ]


def _recordings(messages: list[Message]) -> int:
    return len({message.recording for message in messages})


def _top(label: str, key: Callable[[Message], str]) -> list[Row]:
    groups = sorted(_by(SEEN, key).items(), key=lambda item: (-_recordings(item[1]), item[0]))
    return [
        {label: name, "Recordings": _recordings(inside), "Messages": len(inside)}
        | {"Shown": _shown(inside), "Last time": _last(inside)}
        for name, inside in groups[:10]
    ]


def _bucket(message: Message) -> int:
    return message.time_ms // BUCKET * BUCKET


def _over_time(
    label: str, key: Callable[[Message], str], name: str, value: Callable[[list[Message]], int]
) -> list[Row]:
    return [
        {label: group, "time": at, name: value(inside)}
        for (group, at), inside in _by(SEEN, lambda m: (key(m), _bucket(m))).items()
    ]


def _sizes() -> list[Row]:
    return [
        {"time": at, "Shown": _shown(inside), "Typed": sum(m.typed for m in inside)}
        for at, inside in _by(SEEN, _bucket).items()
    ]


def _conflicts() -> list[Row]:
    return [
        {"Recording": recording, "Number": number, "Messages": len(inside), "Last time": _last(inside)}
        for (recording, number), inside in _by(SEEN, lambda m: (m.recording, m.id)).items()
        if len(inside) > 1
    ]


EXPECTED: dict[str, list[Row]] = {
    "count": [{"Recordings": _recordings(SEEN)}],
    "users": [{"Users": len({m.user for m in SEEN})}],
    "hosts": [{"Hosts": len({m.host for m in SEEN})}],
    "messages": [{"Messages": len(SEEN)}],
    "shown": [{"Shown": _shown(SEEN)}],
    "untrusted": [{"Untrusted messages": sum(m.trust == "none" for m in SEEN)}],
    "active": _over_time("Host", lambda m: m.host, "Recordings", _recordings),
    "trust": _over_time("Trust", lambda m: m.trust, "Messages", len),
    "newest": _newest(),
    "top-users": _top("User", lambda m: m.user),
    "top-hosts": _top("Host", lambda m: m.host),
    "biggest": _biggest(),
    "sizes": _sizes(),
    "conflicts": _conflicts(),
}
"""Panel -> its rows; the time of a bucket is its start, ms since the epoch."""
