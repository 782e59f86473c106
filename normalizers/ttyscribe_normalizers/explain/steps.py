# SPDX-License-Identifier: Apache-2.0
"""What each step of the filters of the profile viaq changed, out of the calls that were watched; pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ttyscribe_formats.viaq import settings, tags
from ttyscribe_formats.viaq.config import FORMATTERS, ViaqDataModel
from ttyscribe_normalizers.explain.origins import changes
from ttyscribe_normalizers.explain.watched import Call

_PACKAGE = "ttyscribe_formats.viaq."
_MODEL = "viaq_data_model"
_CHAIN = (_MODEL, "parse_json_field")
_NAMES = {
    "stamp": "pipeline_metadata",
    "handle_undefined_fields": "undefined",
    "remove_empties": "empty fields",
    "add_name": "elasticsearch_index_name",
    "add_prefix": "elasticsearch_index_name",
    "into": "lossless: what would be lost",
}
"""Functions of the chain, by what they do in the words of its configuration."""
_BEHIND = {**dict.fromkeys(FORMATTERS, "remove_keys"), "remove_empties": "rename_time"}
"""What the filter itself does behind one of its functions."""


class Step(NamedTuple):
    """One step; `changed` holds what stood before and what stands after, None where there is nothing."""

    name: str
    changed: dict[str, tuple[Any, Any]]


class Chosen(NamedTuple):
    """What the filters choose by the record's tag."""

    tag: str
    formatter: str
    """Its type and pattern; or why there is none."""
    index_name: str
    """The same of the index's name."""


def tag_of(calls: Sequence[Call]) -> str:
    """The tag that the record got; empty where there was none."""
    return next((call.result[0] for call in calls if call.name == "record_of" and type(call.result) is tuple), "")


def of(calls: Sequence[Call], document: Any) -> list[Step]:
    """The steps, from the record to the document."""
    made: list[Step] = []
    last: Any = None
    for number, call in enumerate(calls):
        if call.module.startswith(_PACKAGE) and call.name in _CHAIN and "record" in call.before:
            inner = [one for one in calls if one.parent == number and "record" in one.before]
            last = call.result
            made += _model(call, inner) if call.name == _MODEL else [_step(call.name, call.before, {"record": last})]
    if last is not None:
        made.append(Step("identity, and what a store needs", changes(last, document)))
    return [step for step in made if step.changed or step.name in FORMATTERS]


def _model(call: Call, inner: Sequence[Call]) -> list[Step]:
    made: list[Step] = []
    now, behind = call.before, _MODEL
    for one in inner:
        made += [_step(behind, now, one.before), _step(_NAMES.get(one.name, one.name), one.before, one.after)]
        now, behind = one.after, _BEHIND.get(one.name, _MODEL)
    return [*made, _step(behind, now, call.after)]


def _step(name: str, before: dict[str, Any], after: dict[str, Any]) -> Step:
    return Step(name, changes(before["record"], after["record"]))


def chosen(tag: str, wanted: settings.Settings) -> list[Chosen]:
    """What each filter of the configuration chooses for a tag."""
    return [
        Chosen(
            tag,
            _first(tag, [(one.tag, one.type, one.enabled) for one in model.formatters]),
            _first(tag, [(one.tag, one.name_type, one.enabled) for one in model.index_names]),
        )
        for model in wanted.filters
        if isinstance(model, ViaqDataModel)
    ]


def _first(tag: str, rules: Sequence[tuple[str, str, bool]]) -> str:
    for pattern, name, enabled in rules:
        if tags.compile_patterns(pattern).fullmatch(tag):
            return f"{name} ({pattern})" if enabled else f"none: {name} ({pattern}) is not enabled"
    return "none fits"
