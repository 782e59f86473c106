# SPDX-License-Identifier: Apache-2.0
"""What every store must do, whatever it is made of. A store's own module derives a class and gives a `store` fixture.

::

    class TestSqlite(StoreSuite):
        @pytest.fixture
        def store(self, tmp_path): ...        # empty, and not set up yet
"""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.samples import (
    HOST,
    MS,
    START_NS,
    documents,
    listed,
    make_recording,
    make_syslog,
    make_tlog,
    message,
    stored,
)
from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document
from ttyscribe_formats.tlog import Message, from_fields, to_fields
from ttyscribe_formats.words import query_terms
from ttyscribe_store.base import DUPLICATE, STORED, Hit, Query, Recording, RecordingFilter, Store

HOSTILE = {
    "path": "../../x",
    "indices": "-x,_all,/etc/passwd,UPPER",
    "quote": "o'brien\"; --",
    "statement": "'; DROP TABLE doc; --",
    "wildcards": "*?%_[a]",
    "query syntax": 'a OR b AND NOT "c" NEAR(d)',
    "JSON": '{"match_all":{}}',
    "bidi and NUL": "a\u202eb\x00c",
    "emoji": "👩\u200d🚀",
    "long": "x" * 300,
}

WORDS = {
    "one word": ("permission", True),
    "two terms in any order": ("shadow permission", True),
    "a phrase": ('"permission denied"', True),
    "a phrase in the wrong order": ('"denied permission"', False),
    "a path is a phrase": ("/etc/shadow", True),
    "a path of another order": ("/shadow/etc", False),
    "a term that is missing": ("permission granted", False),
    "part of a word": ("permiss", False),
    "capitals": ("PERMISSION", True),
    "full width letters": ("\uff50\uff45\uff52\uff4d\uff49\uff53\uff53\uff49\uff4f\uff4e", True),
    "sharp s": ("strasse", True),
    "sharp s as typed": ("Straße", True),
    "umlaut, decomposed": ("mu\u0308ller", True),
    "umlaut is no plain letter": ("muller", False),
    "a run of CJK": ("日本語", True),
    "part of a run of CJK": ("日本", False),
    "underscore is part of a word": ("my_var", True),
    "half of an underscore word": ("my", False),
    "digits": ("4711", True),
    "an operator is a word": ("and", True),
    "an operator that is not there": ("near", False),
    "typed only": ("typedword", True),
    "a long word": ("a" * 70, True),
    "the beginning of a long word": ("a" * 64, True),
    "too short for the long word": ("a" * 63, False),
}
TEXT = f"cat: /etc/shadow: Permission denied and STRASSE müller 日本語 my_var=4711 {'a' * 70}"


def terms(text: str, **bounds: object) -> Query:
    """A query as a person types it."""
    return Query(terms=query_terms(text), **bounds)  # type: ignore[arg-type]


def put(store: Store, items: Sequence[Document]) -> None:
    """Set up, write, and see that everything is stored."""
    store.setup()
    assert store.write(items) == [STORED] * len(items)
    store.refresh()


def one(store: Store, **wanted: object) -> Recording:
    """The only recording that fits."""
    (found,) = listed(store, RecordingFilter(**wanted))  # type: ignore[arg-type]
    return found


def found(store: Store, text: str = "", **bounds: object) -> list[Hit]:
    """What a search finds."""
    return list(store.search(terms(text, **bounds)))


def _messages() -> st.SearchStrategy[Message]:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
    value = st.recursive(
        st.integers(-(10**30), 10**30) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=6,
    )
    own = st.none() | st.dictionaries(st.sampled_from(["v", "end", "mask", "skip", "lost", "err", "prev"]), value)

    def build(
        texts: list[str], data: list[bytes], number: int, pos: int, time_ms: int | None, extra: object
    ) -> Message:
        user, in_txt, out_txt = texts
        in_bin, out_bin = data
        timing = f"<{len(in_txt)}>{len(out_txt)}[0/{len(in_bin)}]0/{len(out_bin)}"
        item = message(number, out_txt, user=user, pos=pos, time_ms=time_ms, timing=timing, in_txt=in_txt)
        fields = to_fields(item._replace(in_bin=in_bin, out_bin=out_bin))
        return from_fields(fields | ({"ttyscribe": extra} if extra is not None else {}))

    texts = st.tuples(name, text, text).map(list)
    data = st.lists(st.binary(max_size=20), min_size=2, max_size=2)
    times = st.none() | st.integers(0, 4_102_444_800_000)
    return st.builds(build, texts, data, st.integers(0, 10**12), st.integers(0, 10**9), times, own)


MESSAGES = _messages()


class StoreSuite:
    """The shared contract."""

    # ---- writing

    def test_setup_twice_writes_nothing_the_second_time(self, store: Store) -> None:
        store.setup()
        assert store.setup() == []
        store.check()
        assert store.count() == 0

    def test_an_empty_store_answers_every_read_with_nothing(self, store: Store) -> None:
        store.setup()
        store.refresh()
        assert listed(store, RecordingFilter()) == []
        assert list(store.messages("rec-1")) == []
        assert found(store, "hello") == []
        assert (store.delete("rec-1"), store.count()) == (0, 0)
        assert store.write([]) == []

    def test_outcomes_stand_in_the_order_of_the_documents(self, store: Store) -> None:
        items = [make_tlog(1), make_syslog(1), make_tlog(2), make_syslog(2, partition="implausible-time")]
        store.setup()
        assert store.write([items[2]]) == [STORED]
        assert store.write(items) == [STORED, STORED, DUPLICATE, STORED]
        store.refresh()
        assert store.count() == 4

    def test_a_document_written_twice_is_stored_once(self, store: Store) -> None:
        items = documents(make_recording("rec-1", [b"a\r\n", b"b\r\n", b"c\r\n"]))
        put(store, items)
        assert store.write(items) == [DUPLICATE] * 3
        store.refresh()
        assert store.count() == 3

    def test_a_document_twice_in_one_batch_is_stored_once(self, store: Store) -> None:
        store.setup()
        first, second = make_tlog(1), make_syslog(1)
        assert store.write([first, second, first, second]) == [STORED, STORED, DUPLICATE, DUPLICATE]
        store.refresh()
        assert store.count() == 2

    def test_a_partition_that_is_none_is_rejected_and_the_rest_stored(self, store: Store) -> None:
        names = [
            "../../x",
            "2026.13",
            "2026.1",
            "26.11",
            "2026.11.",
            "\uff12\uff10\uff12\uff16.11",
            "a",
            "2026.11\n",
        ]
        strange = [make_tlog(number, partition=name) for number, name in enumerate(names, 10)]
        store.setup()
        outcomes = store.write([make_tlog(1), *strange, make_tlog(2)])
        assert [outcome.status for outcome in outcomes] == ["stored", *["rejected"] * len(names), "stored"]
        assert all(outcome.reason for outcome in outcomes[1:-1])
        store.refresh()
        assert store.count() == 2

    # ---- recordings

    def test_a_recording_has_the_numbers_of_its_messages(self, store: Store) -> None:
        items = [
            message(1, "hello\r\n", typed="l"),
            message(2, "größe"),
            message(3, "x", pos=2500, timing="=80x24+500>1=100x30=120x40"),
        ]
        put(store, documents(items))
        assert one(store) == Recording(
            recording="rec-1",
            user="ada",
            host=HOST,
            term="xterm-256color",
            session=7,
            start_ns=START_NS,
            duration_ms=3000,
            messages=3,
            first_id=1,
            last_id=3,
            distinct_ids=3,
            out_bytes=15,
            in_bytes=1,
            resizes=2,
            trust="system",
            first_ns=START_NS,
            last_ns=START_NS + 3000 * MS,
        )
        assert (one(store).missing, one(store).conflicts) == (0, 0)

    def test_only_messages_of_recordings_are_recordings(self, store: Store) -> None:
        put(store, [make_syslog(1), make_syslog(2, "rec-1"), make_tlog(1)])
        assert one(store).messages == 1

    def test_messages_that_the_ids_miss_are_counted(self, store: Store) -> None:
        made = {
            "whole": ([1, 2, 3], 0),
            "begin-lost": ([2, 3], 1),
            "middle-lost": ([1, 3], 1),
            "much-lost": ([1, 2, 9], 6),
            "one-left": ([5], 4),
        }
        for rec, (numbers, _) in made.items():
            put(store, [make_tlog(number, rec=rec) for number in reversed(numbers)])
        recordings = {item.recording: item for item in listed(store, RecordingFilter())}
        for rec, (numbers, missing) in made.items():
            recording = recordings[rec]
            assert (recording.missing, recording.conflicts, recording.messages) == (missing, 0, len(numbers)), rec
            assert (recording.first_id, recording.last_id) == (numbers[0], numbers[-1]), rec

    def test_two_messages_of_one_id_are_both_kept_and_are_a_conflict(self, store: Store) -> None:
        true, forged = make_tlog(2, "true"), make_tlog(2, "forged", trust="none", pid=-1)
        put(store, [make_tlog(1), true, forged, make_tlog(3)])
        recording = one(store)
        assert (recording.messages, recording.distinct_ids, recording.conflicts, recording.missing) == (4, 3, 1, 0)
        assert [item.tlog["out_txt"] for item in store.messages("rec-1")].count("forged") == 1
        second = [item.document_id for item in store.messages("rec-1") if item.tlog["id"] == 2]
        assert second == sorted([true["viaq_msg_id"], forged["viaq_msg_id"]])

    def test_a_conflict_across_partitions_is_one(self, store: Store) -> None:
        forged = stored(message(2, "forged", time_ms=1), partition="implausible-time")
        put(store, [make_tlog(1), make_tlog(2), forged])
        recording = one(store)
        assert (recording.messages, recording.distinct_ids, recording.conflicts) == (3, 2, 1)
        assert [item.tlog["id"] for item in store.messages("rec-1")] == [1, 2, 2]

    def test_a_recording_has_the_lowest_trust_of_its_messages(self, store: Store) -> None:
        made = {"system": ["system", "system"], "user": ["system", "user"], "none": ["user", "none", "system"]}
        for lowest, trusts in made.items():
            put(store, [make_tlog(number, rec=lowest, trust=trust) for number, trust in enumerate(trusts, 1)])
        assert {item.recording: item.trust for item in listed(store, RecordingFilter())} == {
            lowest: lowest for lowest in made
        }

    def test_recordings_come_newest_first(self, store: Store) -> None:
        starts = {"rec-b": 5, "rec-a": 60, "rec-c": 3600 * 24 * 30, "rec-d": 1}
        for rec, seconds in starts.items():
            messages = make_recording(rec, [b"x"], start_ns=START_NS - seconds * timestamp.SECOND)
            put(store, documents(messages))
        assert [item.recording for item in listed(store, RecordingFilter())] == ["rec-d", "rec-b", "rec-a", "rec-c"]

    def test_a_recording_over_the_end_of_a_month_is_one(self, store: Store) -> None:
        start_ns = timestamp.parse("2026-11-30T23:59:59Z")
        items = documents(make_recording("rec-1", [b"a", b"b", b"c", b"d"], step_ms=500, start_ns=start_ns))
        assert {item["ttyscribe"]["partition"] for item in items} == {"2026.11", "2026.12"}
        put(store, items)
        recording = one(store)
        assert (recording.messages, recording.distinct_ids, recording.out_bytes) == (4, 4, 4)
        assert (recording.start_ns, recording.duration_ms, recording.missing) == (start_ns, 1500, 0)
        assert "".join(item.tlog["out_txt"] for item in store.messages("rec-1")) == "abcd"

    def test_a_recording_has_ended_where_its_last_message_says_so(self, store: Store) -> None:
        """By its id, whatever came last; and a forger of lower trust ends nothing, and takes no end away."""
        end = {"v": 1, "end": {"status": 0}}

        def ending(number: int, **more: object) -> Document:
            item = message(number, "x")
            own = from_fields(to_fields(item) | {"ttyscribe": end})
            return stored(own, **more)  # type: ignore[arg-type]

        put(store, [make_tlog(1)])
        assert not one(store).ended
        put(store, [ending(9, trust="user"), make_tlog(2)])
        assert not one(store).ended
        put(store, [ending(4)])
        assert one(store).ended
        put(store, [make_tlog(3), make_tlog(10, trust="none")])
        assert one(store).ended
        put(store, [make_tlog(5, time_ms=START_NS // MS + 40 * 86_400_000)])
        assert not one(store).ended

    def test_filters_of_recordings(self, store: Store) -> None:
        hour = 3600 * timestamp.SECOND
        made = [("r1", "ada", "web1", 0), ("r2", "bob", "web1", hour), ("r3", "ada", "web2", 2 * hour)]
        for rec, user, host, after in made:
            recording = make_recording(rec, [b"x", b"y"], user=user, host=host, start_ns=START_NS + after)
            put(store, documents(recording))

        def names(**wanted: object) -> list[str]:
            return [item.recording for item in listed(store, RecordingFilter(**wanted))]  # type: ignore[arg-type]

        assert names() == ["r3", "r2", "r1"]
        assert names(recording="r2") == ["r2"]
        assert names(recording="r") == []
        assert names(user="ada") == ["r3", "r1"]
        assert names(host="web1") == ["r2", "r1"]
        assert names(user="ada", host="web1") == ["r1"]
        assert names(user="eve") == []
        assert names(since_ns=START_NS + hour) == ["r3", "r2"]
        assert names(since_ns=START_NS + hour + timestamp.SECOND // 2) == ["r3", "r2"], "runs at that time"
        assert names(since_ns=START_NS + hour + 2 * timestamp.SECOND) == ["r3"]
        assert names(until_ns=START_NS + hour) == ["r1"]
        assert names(until_ns=START_NS + hour + 1) == ["r2", "r1"]

    def test_messages_come_in_order_of_their_ids_however_they_arrive(self, store: Store) -> None:
        numbers = [10, 9, 1, 100, 2, 11]
        put(store, [make_tlog(number, pos=0) for number in numbers])
        assert [item.tlog["id"] for item in store.messages("rec-1")] == sorted(numbers)

    def test_messages_carry_trust_and_attested_sender(self, store: Store) -> None:
        put(store, [make_tlog(1, trust="user", pid=77), make_tlog(2, trust="none", pid=-1)])
        assert [(item.trust, item.sender_pid) for item in store.messages("rec-1")] == [("user", 77), ("none", -1)]

    def test_messages_of_another_recording_are_not_among_them(self, store: Store) -> None:
        put(store, [make_tlog(1, rec="rec-1"), make_tlog(1, rec="rec-10"), make_syslog(1, "rec-1")])
        (item,) = store.messages("rec-1")
        assert item.tlog["rec"] == "rec-1"

    @pytest.mark.slow
    def test_a_recording_of_more_than_ten_thousand_messages_is_whole(self, store: Store) -> None:
        store.setup()
        count = 10_500
        for batch in range(1, count, 1500):
            store.write([make_tlog(number, "x") for number in range(batch, min(batch + 1500, count + 1))])
        store.refresh()
        assert [item.tlog["id"] for item in store.messages("rec-1")] == list(range(1, count + 1))
        assert one(store).messages == one(store).distinct_ids == count

    def test_reading_may_stop_at_any_message(self, store: Store) -> None:
        put(store, [make_tlog(number) for number in range(1, 30)])
        reading = store.messages("rec-1")
        assert [item.tlog["id"] for item in itertools.islice(reading, 3)] == [1, 2, 3]
        assert store.write([make_tlog(30)]) == [STORED]

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.differing_executors,  # one class a store is what the suite is for
        ],
    )
    @given(items=st.lists(MESSAGES, min_size=1, max_size=8))
    def test_every_message_comes_back_exactly(self, store: Store, items: list[Message]) -> None:
        """Text, bytes, numbers and our own key, whatever they hold."""
        store.setup()
        wanted = {}
        for item in items:
            document = stored(item, partition="2026.11")
            wanted[document["viaq_msg_id"]] = document["tlog"]
            assert store.write([document])[0] in (STORED, DUPLICATE)
        store.refresh()
        recordings = {stored(item)["ttyscribe"]["recording"] for item in items}
        back = {item.document_id: item.tlog for rec in recordings for item in store.messages(rec)}
        for document_id, fields in wanted.items():
            assert back[document_id] == fields
            assert {name: type(value) for name, value in back[document_id].items()} == {
                name: type(value) for name, value in fields.items()
            }
            assert from_fields(back[document_id]) == from_fields(fields)

    @pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
    def test_hostile_names_are_only_names(self, store: Store, name: str) -> None:
        """A user, host, recording id or text of any form is stored, found by itself, and touches nothing else."""
        own = make_recording(name, [b"own"], user=name, host=name)
        put(store, [*documents(own), make_tlog(1, rec="other", text="other"), make_syslog(1, name, host=name)])
        recording = one(store, user=name, host=name)
        assert (recording.user, recording.host, recording.messages) == (name, name, 1)
        assert [item.tlog["rec"] for item in store.messages(recording.recording)] == [name]
        assert [hit.user for hit in found(store, "own", user=name, host=name, kind="tlog")] == [name]
        assert found(store, kind="syslog", host=name)[0].message == name
        assert [hit.message for hit in found(store, kind=name)] == []
        assert list(store.messages(name + "x")) == []
        assert store.delete(name + "x") == 0
        assert store.delete(recording.recording) == 3, "its message, its line, its row"
        store.refresh()
        assert [hit.message for hit in found(store, "other", kind="tlog")] == ["other"]

    # ---- searching

    def test_words_find_what_the_word_rule_says(self, store: Store) -> None:
        put(store, [make_tlog(1, TEXT, typed="typedword"), make_tlog(2, "something else")])
        right = {name: ([0] if expected else []) for name, (_, expected) in WORDS.items()}
        assert {name: [hit.first_ms for hit in found(store, text)] for name, (text, _) in WORDS.items()} == right

    def test_a_hit_says_where_it_is(self, store: Store) -> None:
        document = stored(message(3, "Permission denied\r\n", pos=2000, timing="=80x24<1+250>19", typed="y"))
        put(store, [document])
        assert found(store, "denied") == [
            Hit(
                document_id=document["viaq_msg_id"],
                kind="tlog",
                time_ns=START_NS + 2000 * MS,
                host=HOST,
                user="ada",
                recording="rec-1",
                first_ms=2000,
                last_ms=2250,
                message=document["message"],
                typed="y",
                trust="system",
                session=7,
            )
        ]

    def test_a_hit_outside_recordings_has_no_place(self, store: Store) -> None:
        put(store, [make_syslog(1, "session opened", time_ns=START_NS + 1000)])
        (hit,) = found(store, "opened")
        assert (hit.kind, hit.recording, hit.user, hit.typed, hit.session) == ("syslog", "", "", "", -1)
        assert (hit.message, hit.host, hit.time_ns) == ("session opened", HOST, START_NS + 1000)

    def test_hits_come_by_time_then_id(self, store: Store) -> None:
        items = [make_syslog(number, "same", time_ns=START_NS + (number % 3) * 1000) for number in range(30)]
        items += [make_syslog(99, "same", time_ns=START_NS + 1000, partition="implausible-time")]
        put(store, items)
        hits = found(store, "same")
        assert len(hits) == 31
        assert hits == sorted(hits, key=lambda hit: (hit.time_ns, hit.document_id))

    def test_filters_of_a_search(self, store: Store) -> None:
        put(
            store,
            [
                make_tlog(1, "word", rec="r1", user="ada", host="web1"),
                make_tlog(2, "word", rec="r1", user="ada", host="web1"),
                make_tlog(1, "word", rec="r2", user="bob", host="web2"),
                make_syslog(1, "word", host="web2"),
            ],
        )

        def count(**bounds: object) -> int:
            return len(found(store, "word", **bounds))

        assert count() == 4
        assert count(kind="tlog") == 3
        assert count(kind="syslog") == 1
        assert count(user="ada") == 2
        assert count(host="web2") == 2
        assert count(recording="r1") == 2
        assert count(recording="r2", user="ada") == 0
        assert count(since_ns=START_NS + 1000 * MS) == 1
        assert count(since_ns=START_NS + 1000 * MS + 1000) == 0
        assert count(until_ns=START_NS + 1000 * MS) == 3
        assert count(until_ns=START_NS) == 0
        assert count(limit=3) == 3
        assert count(limit=0) == 0
        assert len(found(store, kind="tlog")) == 3, "no term is any text"

    def test_the_first_hits_are_those_within_the_limit(self, store: Store) -> None:
        put(store, [make_syslog(n, "same", time_ns=START_NS + (50 - n) * 1000) for n in range(50)])
        assert [hit.time_ns for hit in found(store, "same", limit=2)] == [START_NS + 1000, START_NS + 2000]

    def test_more_hits_than_a_page_are_all_given(self, store: Store) -> None:
        put(store, [make_syslog(n, f"same {n}", time_ns=START_NS + n * 1000) for n in range(700)])
        assert [hit.message for hit in found(store, "same")] == [f"same {n}" for n in range(700)]

    # ---- care

    def test_delete_removes_one_recording_and_its_words(self, store: Store) -> None:
        put(store, [make_tlog(n, f"keep secret{n}", rec=rec) for rec in ("r1", "r2") for n in range(1, 6)])
        put(store, [make_syslog(1, "keep secret1")])
        assert store.delete("r1") == 5
        store.refresh()
        assert store.count() == 6
        assert list(store.messages("r1")) == []
        assert [item.recording for item in listed(store)] == ["r2"]
        assert [hit.recording for hit in found(store, "secret1")] == ["", "r2"]
        assert store.delete("r1") == 0

    def test_a_deleted_recording_can_be_written_again(self, store: Store) -> None:
        items = [make_tlog(n, f"word{n}") for n in range(1, 4)]
        put(store, items)
        assert store.delete("rec-1") == 3
        put(store, items)
        assert [hit.message for hit in found(store, "word2")] == ["word2"]
        assert one(store).messages == 3
