# SPDX-License-Identifier: Apache-2.0
"""Documents of audit and sudo on a real OpenSearch and a real Elasticsearch, and on SQLite: whole, and found."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines.fixtures import Engine, call
from tests.normalizers.test_aushape import compact, event, made, original
from ttyscribe_formats import flat
from ttyscribe_formats.document import Document
from ttyscribe_formats.words import query_terms
from ttyscribe_store.base import STORED, Query, Store
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.install.objects import field_types, load
from ttyscribe_store.install.probe import is_type
from ttyscribe_store.open import open_store

GOLDEN = Path(__file__).resolve().parents[1] / "normalizers" / "golden"
KINDS = ("aushape", "audit-line", "sudo")
FLAT_TYPES = {"opensearch": "flat_object", "elasticsearch": "flattened"}
LARGE = event(
    data=event()["data"]
    | {"new_record": {f"field_{number}": [f"value {number}"] for number in range(5000)}}
    | {"execve": ["sh", "-c", f"needle {'x' * 100_000}"]}
)


def golden(kind: str) -> list[Document]:
    """The documents of a kind's golden cases, by identity."""
    paths = sorted((GOLDEN / kind).glob("*.out.json"))
    documents = [one for path in paths for one in json.loads(path.read_text())["documents"]]
    return list({one["viaq_msg_id"]: one for one in documents if one["ttyscribe"]["kind"] == kind}.values())


def kept(document: Any) -> Any:
    """A document as a store gives it back."""
    own = {name: value for name, value in document["ttyscribe"].items() if name != "words"}
    return document | {"ttyscribe": own}


def hits(store: Store, text: str) -> list[str]:
    """Ids of the documents that a search finds."""
    return [hit.document_id for hit in store.search(Query(terms=query_terms(text)))]


# ---- on SQLite


@pytest.mark.parametrize("kind", KINDS)
def test_every_golden_document_is_kept_by_sqlite_and_found_by_its_words(tmp_path: Path, kind: str) -> None:
    store = open_store(f"sqlite:{tmp_path}/store")
    store.setup()
    documents = golden(kind)
    assert store.write(documents) == [STORED] * len(documents)
    for document in documents:
        words = document["ttyscribe"]["words"].split()
        assert not words or document["viaq_msg_id"] in hits(store, " ".join(words[:4]))
    store.close()


def test_a_large_event_is_kept_by_sqlite_and_found_by_what_its_message_leaves_out(tmp_path: Path) -> None:
    (document,) = made(compact(LARGE))
    store = open_store(f"sqlite:{tmp_path}/store")
    store.setup()
    assert store.write([document]) == [STORED]
    assert hits(store, "needle") == [document["viaq_msg_id"]]
    (hit,) = store.search(Query(terms=query_terms("ps ada")))
    assert (hit.kind, hit.user) == ("aushape", "ada")
    store.close()


# ---- on the engines


@pytest.fixture
def store(kept_url: str) -> Iterator[ElasticStore]:
    """A store that is ready."""
    store = ElasticStore(kept_url)
    store.setup()
    yield store
    store.close()


def _sources(engine: Engine, prefix: str, kind: str, query: dict[str, Any] | None = None) -> list[Any]:
    body = {"size": 1000, "query": query or {"match_all": {}}}
    found = call(engine, "POST", f"/{prefix}-ttyscribe-{kind}/_search", body)["hits"]["hits"]
    return [hit["_source"] for hit in found]


@pytest.mark.engine
@pytest.mark.parametrize("kind", KINDS)
def test_golden_documents_land_whole_and_with_the_declared_types(
    store: ElasticStore, engine: Engine, kept_prefix: str, kind: str
) -> None:
    documents = golden(kind)
    assert store.write(documents) == [STORED] * len(documents)
    store.refresh()
    by_id = {source["viaq_msg_id"]: source for source in _sources(engine, kept_prefix, kind)}
    assert by_id == {document["viaq_msg_id"]: kept(document) for document in documents}
    templates = {template.name: template.body for template in load(f"{kept_prefix}-")}
    index = templates[f"{kept_prefix}-ttyscribe-{kind}"]
    bodies = [*(templates[part] for part in index["composed_of"]), index]
    declared = [body["template"].get("mappings", {}).get("properties", {}) for body in bodies]
    wanted = {name: type_ for properties in declared for name, type_ in field_types(properties)}
    for name, found in call(engine, "GET", f"/{kept_prefix}-ttyscribe-{kind}/_mapping").items():
        there = dict(field_types(found["mappings"]["properties"]))
        assert there.keys() == wanted.keys(), name
        assert all(is_type(there[field], type_) for field, type_ in wanted.items())
        assert {there[field] for field, type_ in wanted.items() if type_ == "flattened"} == {FLAT_TYPES[engine.name]}


FOUND: dict[str, dict[str, Any]] = {
    "a process": {"term": {"process.pid": 1201}},
    "its parent": {"term": {"process.parent.pid": 1200}},
    "an argument": {"term": {"process.args": "-ef"}},
    "who logged in": {"term": {"user.audit.name": "ada"}},
    "whose rights": {"term": {"user.effective.id": "0"}},
    "a file": {"prefix": {"file.path": "/etc/"}},
    "a network": {"term": {"destination.ip": "192.168.0.0/16"}},
    "an outcome": {"term": {"event.outcome": "success"}},
    "the audit session": {"range": {"ttyscribe.audit_session": {"gte": 23, "lte": 23}}},
    "the event's number, by its common name": {"term": {"event.sequence": 880}},
    "a field of a record": {"term": {"aushape.data.syscall.key": "exec"}},
    "a field of one of several": {"term": {"aushape.data.path.name": "/etc/shadow"}},
    "a field of a record that nobody knows": {"term": {"aushape.data.new_record.field_4999": "value 4999"}},
    "what the kernel wrote": {"term": {"aushape.data.syscall.arch": "c000003e"}},
}


@pytest.mark.engine
def test_a_large_event_is_kept_whole_and_found_by_each_of_its_fields(
    store: ElasticStore, engine: Engine, kept_prefix: str
) -> None:
    more: dict[str, Any] = {"path": [{"name": ["/etc/shadow", '"/etc/shadow"']}, {"name": ["/bin/sh"]}]}
    more |= {
        "sockaddr": {"saddr": ["{ saddr_fam=inet laddr=192.168.1.10 lport=22 }", "02000016C0A8010A0000000000000000"]}
    }
    given = LARGE | {"data": LARGE["data"] | more}
    documents = made(compact([event(serial=1), given | {"data": given["data"] | {"execve": ["-ef", "x" * 100_000]}}]))
    documents += made(compact(given | {"serial": 2}))
    assert store.write(documents) == [STORED] * 3
    store.refresh()
    by_serial = {source["aushape"]["serial"]: source for source in _sources(engine, kept_prefix, "aushape")}
    assert original(by_serial[2]) == given | {"serial": 2}
    assert by_serial[2] == kept(documents[2])
    for name, query in FOUND.items():
        assert 880 in [one["aushape"]["serial"] for one in _sources(engine, kept_prefix, "aushape", query)], name
    assert len(hits(store, "needle")) == 1
    mappings = call(engine, "GET", f"/{kept_prefix}-ttyscribe-aushape/_mapping")
    assert all("new_record" not in json.dumps(found) for found in mappings.values())


@pytest.mark.engine
def test_nothing_that_a_sender_can_write_gets_an_event_refused(store: ElasticStore, engine: Engine) -> None:
    long_name, long_value = "\U0001f600" * flat.MAX_NAME, "\U0001f600" * 10_000
    strange = {
        "long names and values": {long_name: {long_name: [long_value]}},
        "dots and blanks": {"a.b": {".": ["x"], "..": ["y"], " ": ["z"], "c.": ["w"]}},
        "NUL and control characters": {"tty": {"data": ["a\0b\x1b[2J"]}},
        "nothing at all": {"a": {}, "b": [], "c": {"d": []}, "execve": []},
        "a name twice": {"a": {"k": [["1"], ["2", "3"]]}},
        "a lone surrogate": {"a": {"k": ["\ud800"]}},
        "numbers as text": {"syscall": {"pid": ["9" * 40], "ses": ["-5"], "uid": ["x" * 9000]}},
        "addresses that are none": {"user_login": {"addr": ["fe80::1%eth0"], "rport": ["99999"], "laddr": ["1.2.3"]}},
    }
    documents = [
        document
        for serial, data in enumerate(strange.values())
        for document in made(json.dumps(event(serial=serial, data=data)))
    ]
    documents += made(json.dumps(event(serial=2**64 - 1)))
    documents += made(json.dumps(event(serial=90, more={"deep": [[[[[[1e300, 2**70]]]]]]}, node="n" * 9000)))
    kinds = [document["ttyscribe"]["kind"] for document in documents]
    assert kinds == ["aushape"] * len(kinds)
    assert store.write(documents) == [STORED] * len(documents)
