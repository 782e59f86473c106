# SPDX-License-Identifier: Apache-2.0
"""What every store must do with messages that the recorded user forged. Derived from beside `suite.StoreSuite`."""

from typing import Any

import pytest

from tests.store.samples import HOST, MS, START_NS, listed, make_tlog
from tests.store.suite import one, put
from ttyscribe_formats import timestamp
from ttyscribe_store.base import RecordingFilter, Store


class ForgerySuite:
    """The shared contract against forgers."""

    @pytest.mark.parametrize("number", [0, 1, 2, 99, 10**15])
    @pytest.mark.parametrize("partition", ["", "implausible-time"])
    def test_a_forged_message_hides_no_recording_and_shows(self, store: Store, number: int, partition: str) -> None:
        """Whatever id, time and names it claims, at the recorder's own trust."""
        true = [make_tlog(n, trust="user") for n in range(1, 5)]
        fake: dict[str, Any] = {"user": "eve", "host": "elsewhere", "pos": 0, "time_ms": 1000, "trust": "user"}
        forged = [make_tlog(number, f"x{n}", **fake, partition=partition or "1970.01") for n in range(3)]
        put(store, true + forged)
        recording = one(store)
        assert (recording.user, recording.host) == ("ada", HOST)
        assert (recording.users, recording.hosts) == (2, 2)
        assert START_NS <= recording.start_ns < START_NS + 4000 * MS
        assert recording.below_first == (3 if number == 0 else 0)
        wanted = ({"user": "ada"}, {"host": HOST}, {"since_ns": START_NS}, {"until_ns": START_NS + 1})
        window = {"user": "ada", "host": HOST, "since_ns": START_NS + 1500 * MS, "until_ns": START_NS + 1600 * MS}
        for bounds in (*wanted, window, {"user": "eve"}, {"host": "elsewhere"}):
            assert one(store, **bounds) == recording, bounds
        assert listed(store, RecordingFilter(user="bob")) == []
        assert listed(store, RecordingFilter(since_ns=START_NS + timestamp.SECOND * 10**5)) == []

    def test_a_row_that_is_forged_altogether_hides_nothing_from_a_filter(self, store: Store) -> None:
        """A higher trust gives the row its names and times; the true messages still fit."""
        fake: dict[str, Any] = {"user": "eve", "host": "elsewhere", "pos": 0, "time_ms": 1000}
        put(store, [make_tlog(n, trust="user") for n in (1, 2)] + [make_tlog(9, **fake, partition="implausible-time")])
        recording = one(store)
        assert (recording.user, recording.start_ns) == ("eve", timestamp.SECOND)
        for bounds in ({"user": "ada"}, {"host": HOST}, {"since_ns": START_NS + MS}, {"user": "ada", "host": HOST}):
            assert one(store, **bounds) == recording, bounds

    def test_a_message_from_the_future_does_not_hide_the_beginning(self, store: Store) -> None:
        fake: dict[str, Any] = {"pos": 0, "time_ms": 4_102_444_800_000, "partition": "implausible-time"}
        put(store, [make_tlog(2, rec="rec-1"), make_tlog(1, "fake", rec="rec-1", **fake)])
        assert one(store, until_ns=START_NS + 5000 * MS).start_ns == 4_102_444_800_000 * MS
        assert one(store, since_ns=START_NS).users == 1

    def test_what_names_a_recording(self, store: Store) -> None:
        """Each message names its user after itself: trust, then an id of 1 or more, then undisputed, then lowest."""
        made = {
            "trust first": ([(1, "user", "a"), (5, "system", "b")], "b"),
            "ids below 1 last": ([(0, "user", "a"), (5, "user", "b")], "b"),
            "disputed ids last": ([(1, "user", "a"), (1, "user", "b"), (2, "user", "c"), (3, "user", "d")], "c"),
            "disputed before ids below 1": ([(0, "user", "a"), (1, "user", "b"), (1, "user", "b")], "b"),
            "a lower trust disputes nothing": ([(1, "system", "a"), (1, "user", "b"), (2, "system", "c")], "a"),
            "nothing else": ([(0, "user", "a")], "a"),
        }
        for name, (messages, _) in made.items():
            items = [
                make_tlog(number, f"x{place}", rec=name, trust=trust, user=user, pos=0)
                for place, (number, trust, user) in enumerate(messages)
            ]
            for place, item in enumerate(items):
                item["ttyscribe"]["recording"] = name  # the key made of the names would set them apart
                item["viaq_msg_id"] = f"tlog:{name}:{place}"
            put(store, items)
        rows = {item.recording: item.user for item in listed(store, RecordingFilter())}
        assert rows == {name: user for name, (_, user) in made.items()}

    def test_an_id_disputed_between_partitions_names_nothing(self, store: Store) -> None:
        fake: dict[str, Any] = {"host": "elsewhere", "time_ms": 1000, "pos": 0, "partition": "implausible-time"}
        put(store, [make_tlog(1), make_tlog(2), *(make_tlog(1, f"x{n}", **fake) for n in range(2))])
        assert (one(store).host, one(store).start_ns) == (HOST, START_NS)

    def test_gaps_are_named_and_a_forged_id_drowns_none(self, store: Store) -> None:
        put(store, [make_tlog(number) for number in (2, 3, 5, 9, 10)])
        assert one(store).gaps == ((1, 1), (4, 4), (6, 8))
        put(store, [make_tlog(10**15, pos=0), make_tlog(10**15 + 9, pos=0)])
        assert one(store).gaps == ((1, 1), (4, 4), (6, 8), (11, 10**15 - 1)), "the first few"
