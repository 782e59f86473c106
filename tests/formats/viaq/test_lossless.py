# SPDX-License-Identifier: Apache-2.0
"""Any record through any configuration: nothing is raised, and what goes in comes out somewhere."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttyscribe_formats.viaq.chain import Chain, compile_chain
from ttyscribe_formats.viaq.config import (
    Filter,
    Formatter,
    IndexName,
    Level,
    ParseJsonField,
    Surroundings,
    ViaqDataModel,
)
from ttyscribe_normalizers.vectors_lost import lost_values

NOW_NS = 1767323045678901000
TIME_NS = 1519437284771123456
TYPES = ("sys_journal", "k8s_journal", "sys_var_log", "k8s_json_file")
TIMES = ("time", "@timestamp")
KEYS = (
    *("systemd", "docker", "pipeline_metadata", "kubernetes", "event", "verb", "message", "MESSAGE", "log", "level"),
    *(
        "hostname",
        "_HOSTNAME",
        "host",
        "pid",
        "ident",
        "PRIORITY",
        "undefined",
        "a.b",
        "a_b",
        "_UID",
        "CODE_FILE",
    ),
    *("CONTAINER_ID", "CONTAINER_NAME", "aushape", "viaq_index_name", "__REALTIME_TIMESTAMP", *TIMES),
)
INNER = (
    *KEYS,
    "t",
    "u",
    "k",
    "metadata",
    "creationTimestamp",
    "namespace_name",
    "namespace_id",
    "collector",
    "trimmed",
)
TEXTS = st.text(max_size=6) | st.sampled_from(('{"a":1,"b":{"c":"x"}}', "localhost", "ERROR", "2018-02-24T01:54:44Z"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8)
NAMES = st.sampled_from(("", "operations_full", "project_full", "project_prefix", "static"))
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "default_keep_fields": st.just(("message", "systemd", "pipeline_metadata", "level", *TIMES)),
    "extra_keep_fields": st.sampled_from(((), ("kubernetes",), ("a_b", "docker"))),
    "keep_empty_fields": st.sampled_from(((), ("message",), ("aushape",))),
    "use_undefined": st.booleans(),
    "undefined_to_string": st.booleans(),
    "undefined_dot_replace_char": st.sampled_from(("UNUSED", "_", "")),
    "undefined_max_num_fields": st.sampled_from((-1, 0, 2)),
    "rename_time": st.booleans(),
    "rename_time_if_missing": st.booleans(),
    "pipeline_type": st.sampled_from(("collector", "normalizer")),
    "process_kubernetes_events": st.booleans(),
    "formatters": st.just(tuple(Formatter(name, f"{name}.**") for name in TYPES)),
    "index_names": NAMES.map(lambda name: (IndexName(name, "**", static_index_name="w"),) if name else ()),
    "levels": st.sampled_from(((), (Level("error", "ERROR"), Level("info", "x")))),
}


def model_of(values: dict[str, Any]) -> ViaqDataModel:
    return ViaqDataModel()._replace(**values)


MODELS = st.fixed_dictionaries(SETTINGS).map(model_of)
FILTERS: st.SearchStrategy[list[Filter]] = st.sampled_from(([], [ParseJsonField()]))


def made_of(record: Any, filters: list[Filter], kind: str) -> Any:
    chain: Chain = compile_chain(filters, Surroundings(node_name="node1"))
    return chain.filter(f"{kind}.x", copy.deepcopy(record), TIME_NS, NOW_NS)


@settings(max_examples=400)
@given(RECORDS, FILTERS, st.lists(MODELS, min_size=1, max_size=2), st.sampled_from((*TYPES, "none")))
def test_nothing_is_lost(record: Any, first: list[Filter], models: list[Filter], kind: str) -> None:
    made = made_of(record, [*first, *models], kind)
    # Times and levels take a better form; the payload of a text that is merged in stands in that text, too.
    kept = {key: value for key, value in record.items() if key not in TIMES}
    assert lost_values(kept, made) == ""


@pytest.mark.parametrize("kind", ["k8s_journal", "k8s_json_file"])
def test_a_second_text_is_kept_when_its_field_is_removed(kind: str) -> None:
    model = ViaqDataModel(formatters=(Formatter(kind, "**", remove_keys=("MESSAGE", "log")),))
    made = made_of({"message": "one", "log": "two", "MESSAGE": "one"}, [model], kind)
    assert (made["message"], made["undefined"]) == ("one", {"log": "two"})
    made = made_of({"message": "one", "log": "two"}, [model._replace(lossless=False)], kind)
    assert "undefined" not in made


def test_two_values_that_lose_one_place_are_both_kept() -> None:
    model = ViaqDataModel(
        index_names=(IndexName("operations_full", "**"),), elasticsearch_index_name_field="@timestamp"
    )
    made = made_of({"@timestamp": "never"}, [model], "none")
    assert made["@timestamp"] == ".operations.2018.02.24"
    assert made["undefined"] == {"@timestamp": "never", "@timestamp_": "2018-02-24T01:54:44.771123+00:00"}
