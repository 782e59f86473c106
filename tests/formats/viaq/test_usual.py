# SPDX-License-Identifier: Apache-2.0
"""The short way of usual journal entries leads to the same place as the long one."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats.viaq import chain as chains
from ttyscribe_formats.viaq.chain import Chain, compile_chain
from ttyscribe_formats.viaq.config import Formatter, IndexName, Surroundings, ViaqDataModel
from ttyscribe_formats.viaq.usual import compile_usual

NOW_NS = 1767323045678901000
TIME_NS = 1519437284771123456
FIELDS = {
    "__CURSOR": "s=1;i=2",
    "__REALTIME_TIMESTAMP": "1519437284771456",
    "_SOURCE_REALTIME_TIMESTAMP": "1519437284770001",
    "MESSAGE": "Accepted",
    "_HOSTNAME": "localhost",
    "PRIORITY": "4",
    "_PID": "7",
    "_UID": "0",
    "_TRANSPORT": "syslog",
    "SYSLOG_IDENTIFIER": "sshd",
    "_UDEV_DEVNODE": "/dev/sda",
    "CODE_FUNC": "main",
    "TLOG_REC": "rec-1",
    "a.b": "dotted",
    "log": "l",
    "CONTAINER_ID": "c",
    "undefined": "u",
    "level": "Info",
    "viaq_index_name": "mine",
}
ODD = st.sampled_from((None, "", "x", "6", 7, ["a", ""], {"a": ""}, False, "1519437284", "localhost"))
USUAL = st.fixed_dictionaries(
    {name: st.just(FIELDS[name]) for name in ("MESSAGE", "_HOSTNAME", "_PID")},
    optional={name: st.just(value) for name, value in FIELDS.items() if name not in ("MESSAGE", "_HOSTNAME", "_PID")},
)
NESTED = st.dictionaries(st.sampled_from(("tlog", "aushape", "_PID", "MESSAGE", "time", "@timestamp")), ODD, max_size=2)
KEEP = ("message", "time", "@timestamp", "systemd", "level", "hostname", "pipeline_metadata", "tlog", "docker")
NAMES = ("operations_full", "project_full", "project_prefix", "static")
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "default_keep_fields": st.sampled_from((KEEP, KEEP, KEEP[:-3])),
    "keep_empty_fields": st.sampled_from((("message",), ("tlog", "hostname"))),
    "use_undefined": st.booleans(),
    "undefined_to_string": st.booleans(),
    "undefined_dot_replace_char": st.sampled_from(("UNUSED", "_")),
    "undefined_max_num_fields": st.sampled_from((-1, 2)),
    "undefined_name": st.sampled_from(("undefined", "__CURSOR")),
    "dest_time_name": st.sampled_from(("@timestamp", "@timestamp", "log", "level")),
    "rename_time": st.sampled_from((True, True, True, False)),
    "pipeline_type": st.sampled_from(("collector", "normalizer")),
    "lossless": st.booleans(),
    "index_names": st.sampled_from((None, *NAMES)).map(
        lambda name: (IndexName(name, "**", static_index_name="w"),) if name else ()
    ),
    "formatters": st.lists(st.sampled_from((*FIELDS, "hostname")), max_size=9).map(
        lambda removed: (Formatter("sys_journal", "**", remove_keys=tuple(removed)),)
    ),
}
SURROUNDINGS = st.builds(
    Surroundings, node_name=st.sampled_from((None, "node1", "")), version=st.sampled_from(("1", ""))
)


def model_of(values: dict[str, Any]) -> ViaqDataModel:
    return ViaqDataModel()._replace(**values)


def both(model: ViaqDataModel, around: Surroundings) -> tuple[Chain, Chain]:
    with pytest.MonkeyPatch.context() as patch:
        short = compile_chain([model, model], around)
        short.step("t")
        patch.setattr(chains, "compile_usual", lambda *given: None)
        long = compile_chain([model, model], around)
        long.step("t")
    return short, long


@given(USUAL, NESTED, st.fixed_dictionaries(SETTINGS).map(model_of), SURROUNDINGS)
def test_both_ways_make_the_same_in_the_same_order(
    usual: dict[str, Any], odd: dict[str, Any], model: ViaqDataModel, around: Surroundings
) -> None:
    short, long = both(model, around)
    for record in (usual, usual | odd):
        made = short.filter("t", copy.deepcopy(record), TIME_NS, NOW_NS)
        wanted = long.filter("t", copy.deepcopy(record), TIME_NS, NOW_NS)
        assert made == wanted
        assert list(made) == list(wanted)


def test_the_shipped_configuration_takes_the_short_way() -> None:
    formatter = Formatter("sys_journal", "**", remove_keys=("MESSAGE", "PRIORITY", "_PID"))
    name = IndexName("operations_full", "**")
    usual = compile_usual(ViaqDataModel(), Surroundings(), formatter, name)
    assert usual is not None
    made = usual.take({"MESSAGE": "x", "_HOSTNAME": "h", "_PID": "7", "PRIORITY": "3"}, TIME_NS, NOW_NS)
    assert made is not None
    assert (made["systemd"], made["level"], made["viaq_index_name"]) == (
        {"t": {"PID": "7"}},
        "err",
        ".operations.2018.02.24",
    )
    assert usual.take({"MESSAGE": "", "_HOSTNAME": "h", "_PID": "7"}, TIME_NS, NOW_NS) is None
