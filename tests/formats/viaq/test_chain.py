# SPDX-License-Identifier: Apache-2.0
"""Whatever record comes: nothing is raised, nothing is lost silently, and numbers stay exact."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.viaq import dates, ruby, settings
from ttyscribe_formats.viaq.chain import Chain, compile_chain
from ttyscribe_formats.viaq.config import Formatter, IndexName, Surroundings, ViaqDataModel
from ttyscribe_formats.viaq.empties import compile_empties
from ttyscribe_formats.viaq.systemd import TRUSTED, USER
from ttyscribe_formats.viaq.tags import compile_patterns

NOW_NS = 1767323045678901000
TIME_NS = 1519437284771123456
TYPES = ("sys_journal", "k8s_journal", "sys_var_log", "k8s_json_file")
KEYS = (
    *("systemd", "docker", "pipeline_metadata", "kubernetes", "event", "verb", "message", "MESSAGE", "log", "level"),
    *("time", "@timestamp", "hostname", "_HOSTNAME", "host", "pid", "ident", "PRIORITY", "tags", "undefined", "a.b"),
    *("__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "CONTAINER_ID", "aushape", "a_b", "_UID"),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner),
    max_leaves=6,
)
RECORDS = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), VALUES, max_size=8)
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "default_keep_fields": st.just(("time", "@timestamp", "message", "systemd", "pipeline_metadata")),
    "use_undefined": st.booleans(),
    "undefined_to_string": st.booleans(),
    "undefined_dot_replace_char": st.sampled_from(("UNUSED", "_")),
    "undefined_max_num_fields": st.sampled_from((-1, 0, 2)),
    "index_names": st.sampled_from(((), (IndexName("project_full", "**"),), (IndexName("operations_prefix", "**"),))),
    "lossless": st.booleans(),
}


def model_of(values: dict[str, Any]) -> ViaqDataModel:
    return ViaqDataModel()._replace(**values)


MODELS = st.fixed_dictionaries(SETTINGS).map(model_of)


def chain(model: ViaqDataModel) -> Chain:
    formatters = tuple(Formatter(name, f"{name}.**", remove_keys=("MESSAGE", "PRIORITY")) for name in TYPES)
    return compile_chain([model._replace(formatters=formatters)], Surroundings())


@given(RECORDS, MODELS, st.sampled_from((*TYPES, "none")))
def test_any_record_becomes_a_record(record: Any, model: ViaqDataModel, kind: str) -> None:
    made = chain(model).filter(f"{kind}.x", record, TIME_NS, NOW_NS)
    assert "pipeline_metadata" in made or "undefined" in made


@given(st.dictionaries(st.text(max_size=4), st.integers(), max_size=6))
def test_numbers_of_any_size_are_exact_in_their_places(numbers: dict[str, int]) -> None:
    made = chain(ViaqDataModel(rename_time=False)).filter("none", dict(numbers), TIME_NS, NOW_NS)
    del made["pipeline_metadata"]
    assert made == {key: value for key, value in numbers.items() if key != "pipeline_metadata"} or "tags" in made


@given(VALUES, st.booleans())
def test_empties_are_removed_once_and_for_all(value: Any, lossless: bool) -> None:
    remove, record = compile_empties((), lossless=lossless), {"x": value}
    remove(record)
    again = copy.deepcopy(record)
    remove(again)
    assert again == record


def test_nesting_of_any_depth_is_emptied() -> None:
    value: Any = ""
    for _ in range(5_000):
        value = [value]
    record = {"x": value, "y": 1}
    compile_empties((), lossless=True)(record)
    assert record == {"y": 1}


def test_what_a_record_says_of_its_sender_never_joins_what_the_kernel_attested() -> None:
    record = {"_UID": "1000", "systemd": {"t": {"UID": "0", "AUDIT_LOGINUID": "0"}}, "MESSAGE": "x"}
    made = chain(ViaqDataModel()).filter("sys_journal.x", record, TIME_NS, NOW_NS)
    assert made["systemd"] == {"t": {"UID": "1000"}}
    assert made["undefined"] == {"systemd.t": {"UID": "0", "AUDIT_LOGINUID": "0"}}


def test_every_field_of_the_journal_has_its_place() -> None:
    record = {f"_{name}": name for name in TRUSTED} | {name: name for name in USER}
    systemd = chain(ViaqDataModel()).filter("sys_journal.x", record, TIME_NS, NOW_NS)["systemd"]
    assert (list(systemd["t"]), list(systemd["u"])) == (list(TRUSTED), list(USER))


@pytest.mark.parametrize(
    ("pattern", "tag", "fits"),
    [
        ("journal.system**", "journal.systemd.x", True),
        ("a.*", "a.b.c", False),
        ("a.**", "a", True),
        ("a.**", "ab", False),
        ("**.c", "c", True),
        ("{a,b}.c x", "b.c", True),
        ("/a.+/", "abc", True),
    ],
)
def test_tags(pattern: str, tag: str, fits: bool) -> None:
    assert bool(compile_patterns(pattern).fullmatch(tag)) is fits


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2016-09-29T01:34:44.771+03:00", "2016.09.29"),
        ("Sat Feb 24 01:54:44 2018", "2018.02.24"),
        ("24 Feb 2018 10pm", "2018.02.24"),
        ("20180224T015444Z", "2018.02.24"),
        ("2/24", "2026.02.24"),
    ],
)
def test_days_of_times_in_many_forms(text: str, day: str) -> None:
    """As Ruby 3.1 reads them."""
    assert dates.parse_day(text, NOW_NS) == day


@pytest.mark.parametrize(
    ("number", "text"), [(1e15, "1.0e+15"), (1e-4, "0.0001"), (100.0, "100.0"), (1.5e-5, "1.5e-05")]
)
def test_floats_as_ruby_writes_them(number: float, text: str) -> None:
    assert ruby.float_text(number) == text


def test_an_unknown_key_is_refused_at_its_line() -> None:
    text = '[[filter]]\ntype = "viaq_data_model"\n[[filter.formatter]]\ntag = "**"\ntype = "sys_journl"\n'
    with pytest.raises(ConfigError, match=r"^f:5: filter\.formatter\.type: 'sys_journl' is unknown"):
        settings.read(text, "f")
