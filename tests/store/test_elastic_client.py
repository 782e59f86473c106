# SPDX-License-Identifier: Apache-2.0
"""A store on an `elasticsearch.Elasticsearch` object: its nodes and credentials, our requests."""

from typing import Any

import elasticsearch
import pytest

from tests.engines.fixtures import Engine
from tests.store.elastic_samples import START_NS, syslog, tlog
from tests.store.stand_in import StandIn, standing_in
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.base import DUPLICATE, STORED, Query
from ttyscribe_store.elastic import ElasticStore


@pytest.mark.engine
def test_it_writes_and_reads_on_either_engine(engine: Engine, engine_prefix: str) -> None:
    """On OpenSearch too, which the client itself refuses to talk to."""
    client = elasticsearch.Elasticsearch(engine.url)
    store = ElasticStore(client, prefix=engine_prefix)
    assert store.setup() != []
    assert store.write([tlog(1), syslog(2)]) == [STORED, STORED]
    assert store.write([tlog(1), syslog(2)]) == [DUPLICATE, DUPLICATE]
    store.refresh()
    assert store.count() == 2
    assert [message.tlog["id"] for message in store.messages("r1")] == [1]
    assert [hit.kind for hit in store.search(Query([["hello"]], since_ns=START_NS - 1))] == ["tlog"]
    assert store.delete("r1") == 1
    store.close()
    answer = client.transport.perform_request("GET", "/_cluster/health", headers={"accept": "application/json"})
    assert answer.body["status"] in ("green", "yellow")  # it is still the caller's
    client.close()


def _seen(server: StandIn) -> list[dict[str, str]]:
    return [{name.lower(): value for name, value in headers.items()} for _, headers, _ in server.seen]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"basic_auth": ("ada", "s3cret")}, "Basic YWRhOnMzY3JldA=="),
        ({"api_key": ("id", "key")}, "ApiKey aWQ6a2V5"),
        ({"bearer_auth": "tok"}, "Bearer tok"),
        ({}, None),
    ],
    ids=["basic", "API key", "bearer", "nothing"],
)
def test_its_credentials_go_out_with_plain_media_types(options: Any, wanted: str | None) -> None:
    with standing_in() as server:
        client = elasticsearch.Elasticsearch(server.url, **options)
        store = ElasticStore(client)
        assert store.write([syslog()]) == [STORED]
        store.close()
        client.close()
        seen = _seen(server)
    assert {headers.get("authorization") for headers in seen} == {wanted}
    assert {headers["accept"] for headers in seen} == {"application/json"}
    assert {headers.get("content-type") for headers in seen} <= {None, "application/json", "application/x-ndjson"}


def test_all_its_nodes_are_used() -> None:
    with standing_in() as first, standing_in() as second:
        client = elasticsearch.Elasticsearch([first.url, second.url])
        store = ElasticStore(client, flights=1)
        for number in range(4):
            assert store.write([syslog(number)]) == [STORED]
        store.close()
        client.close()
        assert [len(server.bulks) for server in (first, second)] == [2, 2]


@pytest.mark.parametrize(
    ("options", "text"),
    [({"user": "ada"}, "unknown setting for the client"), ({"prefix": "A"}, "bad index prefix")],
)
def test_settings_that_it_has_itself_or_that_are_wrong_are_said(options: Any, text: str) -> None:
    client = elasticsearch.Elasticsearch("http://127.0.0.1:1")
    with pytest.raises(ConfigError, match=text):
        ElasticStore(client, **options)
    client.close()


def test_what_is_no_client_is_said() -> None:
    with pytest.raises(ConfigError, match="neither a store URL nor"):
        ElasticStore(7)
