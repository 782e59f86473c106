# SPDX-License-Identifier: Apache-2.0
"""Reading from a real OpenSearch and a real Elasticsearch: recordings, messages, search, delete."""

from collections.abc import Iterator

import pytest

from tests.store.elastic_samples import START_NS, syslog, tlog
from tests.store.samples import listed
from ttyscribe_formats import words as word_rule
from ttyscribe_store import elastic, elastic_queries
from ttyscribe_store.base import STORED, Query, Recording, RecordingFilter
from ttyscribe_store.elastic import ElasticStore

pytestmark = pytest.mark.engine

ANY = RecordingFilter()


@pytest.fixture
def store(kept_url: str) -> Iterator[ElasticStore]:
    """A store that is ready."""
    store = ElasticStore(kept_url)
    store.setup()
    yield store
    store.close()


def _listed(store: ElasticStore, wanted: RecordingFilter = ANY) -> list[str]:
    return [recording.recording for recording in listed(store, wanted)]


def test_an_engine_without_documents_has_nothing_and_no_errors(engine_url: str) -> None:
    store = ElasticStore(engine_url)
    assert listed(store, ANY) == []
    assert list(store.messages("r1")) == []
    assert list(store.search(Query(terms=[["x"]]))) == []
    assert (store.count(), store.delete("r1")) == (0, 0)
    store.close()


def test_a_recording_is_computed_from_its_messages(store: ElasticStore) -> None:
    store.write([tlog(2), tlog(1, trust="user"), tlog(3)])
    store.refresh()
    assert listed(store, ANY) == [
        Recording(
            recording="r1",
            user="ada",
            host="web7.example.com",
            term="xterm",
            session=4294967295,
            start_ns=START_NS,
            duration_ms=2005,
            messages=3,
            first_id=1,
            last_id=3,
            distinct_ids=3,
            out_bytes=15,
            in_bytes=3,
            resizes=3,
            trust="user",
            first_ns=START_NS // 1000 * 1000,
            last_ns=START_NS // 1000 * 1000 + 2005 * 1_000_000,
        )
    ]


def test_a_forged_first_message_puts_no_other_name_on_a_recording(store: ElasticStore) -> None:
    forged = tlog(0, mark="f", trust="none")
    forged["tlog"] |= {"user": "root", "host": "elsewhere", "pos": 77}
    store.write([forged, tlog(1), tlog(2)])
    store.refresh()
    (recording,) = listed(store, RecordingFilter(user="ada", host="web7.example.com"))
    assert (recording.start_ns, recording.trust, recording.messages) == (START_NS, "none", 3)


IDS = {
    "whole": ([1, 2, 3, 4], 0, 0),
    "from zero": ([0, 1, 2], 0, 0),
    "the end is not known": ([1], 0, 0),
    "beginning missing": ([3, 4], 2, 0),
    "middle missing": ([1, 2, 5], 2, 0),
    "one forged": ([1, 2, 2, 3], 0, 1),
    "one forged where one is missing": ([1, 2, 2, 4], 1, 1),
    "sums agree, ids do not": ([1, 5, 5, 6, 6, 2], 2, 2),
    "far apart": ([1, 2**53 + 1], 2**53 - 1, 0),
}


@pytest.mark.parametrize(("numbers", "missing", "conflicts"), IDS.values(), ids=IDS)
def test_missing_and_doubled_messages_are_counted_exactly(
    store: ElasticStore, numbers: list[int], missing: int, conflicts: int
) -> None:
    store.write([tlog(number, mark=str(position)) for position, number in enumerate(numbers)])
    store.refresh()
    (recording,) = listed(store, ANY)
    assert (recording.missing, recording.conflicts) == (missing, conflicts)
    assert (recording.first_id, recording.last_id) == (min(numbers), max(numbers))


def test_recordings_come_newest_first_over_any_number_of_pages(
    store: ElasticStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_queries, "BUCKETS", 3)
    for number in range(7):
        document = tlog(recording=f"r{number}")
        document["@timestamp"] = f"2026-11-{10 + number}T00:00:00.000000+00:00"
        assert store.write([document]) == [STORED]
    store.refresh()
    assert _listed(store) == [f"r{number}" for number in reversed(range(7))]
    assert _listed(store, RecordingFilter(user="ada")) == _listed(store)


def test_recordings_are_filtered(store: ElasticStore) -> None:
    other = tlog(recording="r2")
    other["tlog"] |= {"user": "bob", "host": "db1"}
    other["@timestamp"] = "2026-11-25T00:00:00.000000+00:00"
    store.write([tlog(recording="r1"), other])
    store.refresh()
    second = 1_000_000_000
    assert _listed(store, RecordingFilter(user="bob")) == ["r2"]
    assert _listed(store, RecordingFilter(host="web7.example.com")) == ["r1"]
    assert _listed(store, RecordingFilter(recording="r1")) == ["r1"]
    assert _listed(store, RecordingFilter(recording="none")) == []
    assert _listed(store, RecordingFilter(since_ns=START_NS + second)) == ["r2"]
    assert _listed(store, RecordingFilter(until_ns=START_NS + second)) == ["r1"]


def test_messages_come_in_order_however_many_there_are(store: ElasticStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic, "_PAGE", 40)
    numbers = [*range(60, 121), *range(1, 60)]
    store.write([tlog(number, mark=mark) for number in numbers for mark in ("b", "a")])
    store.write([tlog(recording="other")])
    store.refresh()
    found = [message.document_id for message in store.messages("r1")]
    assert found == [f"tlog:r1:{number}:{mark}" for number in range(1, 121) for mark in ("a", "b")]


def _search(store: ElasticStore, text: str = "", **bounds: str | int) -> list[str]:
    query = Query(terms=word_rule.query_terms(text), **bounds)  # type: ignore[arg-type]
    return [hit.document_id for hit in store.search(query)]


def test_words_are_found_as_the_word_rule_says(store: ElasticStore) -> None:
    texts = [
        "cat /etc/shadow",
        "shadow in etc",
        "Straße \uff26\uff35\uff2c\uff2c width",
        "x" * 150,
        "naïve_name",
        "\U0001d573" * 70,
    ]
    for number, text in enumerate(texts, 1):
        store.write([syslog(number, words=word_rule.joined(text))])
    store.refresh()
    assert _search(store, "/etc/shadow") == ["log:1"]
    assert _search(store, "etc shadow") == ["log:1", "log:2"]
    assert _search(store, '"in etc"') == ["log:2"]
    assert _search(store, "STRASSE full") == ["log:3"]
    assert _search(store, "x" * 150) == ["log:4"]
    assert _search(store, "naïve_name") == ["log:5"]
    assert _search(store, "\U0001d573" * 70) == ["log:6"]
    assert _search(store, "naïve") == []
    assert _search(store, "*") == [f"log:{number}" for number in range(1, 7)]


def test_hits_are_bounded_ordered_and_limited(store: ElasticStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic, "_PAGE", 3)
    store.write([tlog(number) for number in (3, 1, 2)] + [syslog(number, text="hello") for number in range(5)])
    store.refresh()
    tlogs = [f"tlog:r1:{number}:0" for number in (1, 2, 3)]
    logs = [f"log:{number}" for number in range(5)]
    assert _search(store, "hello", kind="tlog") == tlogs
    assert _search(store, "hello", recording="r1", user="ada") == tlogs
    assert _search(store, "hello", user="bob") == []
    assert _search(store, "hello", host="web7.example.com", kind="syslog") == logs
    assert _search(store, "hello", since_ns=START_NS + 1_000_000_000) == tlogs[1:]
    assert _search(store, "hello", until_ns=START_NS + 1_000_000_000) == [*logs, tlogs[0]]
    assert _search(store, "hello", limit=4) == logs[:4]
    assert len(_search(store, "hello", limit=8)) == 8


def test_documents_of_one_millisecond_are_ordered_by_microsecond(store: ElasticStore) -> None:
    order = [5, 900, 17, 333]
    for number in order:
        document = syslog(number)
        document["@timestamp"] = f"2026-11-24T12:00:00.123{number:03d}+00:00"
        store.write([document])
    store.refresh()
    assert _search(store) == [f"log:{number}" for number in sorted(order)]


def test_a_hit_is_a_place(store: ElasticStore) -> None:
    store.write([tlog(3, typed="ls -l")])
    store.refresh()
    (hit,) = store.search(Query(terms=[["hello"]]))
    assert (hit.kind, hit.recording, hit.first_ms, hit.last_ms) == ("tlog", "r1", 2000, 2005)
    assert (hit.time_ns, hit.host, hit.user) == (START_NS + 2_000_000_000, "web7.example.com", "ada")
    assert (hit.message, hit.typed) == ("hello", "ls -l")


def test_delete_removes_one_recording_and_nothing_else(store: ElasticStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic, "_DELETE_PAGE", 4)
    store.write([tlog(number) for number in range(1, 11)] + [tlog(recording="r2"), syslog()])
    assert store.delete("r1") == 10
    assert _listed(store) == ["r2"]
    assert (store.count(), store.delete("r1")) == (4, 0), "a message, its line and its row, and a log line"


@pytest.mark.parametrize("hostile", ["*", "r1 OR r2", 'r"1', "r1/../_all", "\\", "r1*", ""])
def test_a_key_is_data_and_no_pattern(store: ElasticStore, hostile: str) -> None:
    store.write([tlog(recording="r1"), tlog(recording="r2")])
    store.refresh()
    assert list(store.messages(hostile)) == []
    assert store.delete(hostile) == 0
    assert _search(store, user=hostile or "none") == []
    assert store.count() == 2
