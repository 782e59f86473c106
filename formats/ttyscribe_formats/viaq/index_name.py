# SPDX-License-Identifier: Apache-2.0
"""Names of indices (`add_elasticsearch_index_name_field`): by tag, namespace and day; pure."""

from collections.abc import Callable
from typing import Any

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.viaq import Record, dates, ruby, times
from ttyscribe_formats.viaq.config import IndexName, ViaqDataModel
from ttyscribe_formats.viaq.displaced import Displaced

Name = Callable[[Record, Displaced, int, int], None]
"""Told the event's time and the time now in nanoseconds."""
_Prefix = Callable[[Record, Displaced], str]


def compile_index_name(wanted: IndexName, model: ViaqDataModel) -> Name:
    """The step that writes a record's index name, or its prefix, into its field."""
    prefix_of = _compile_prefix(wanted, model)
    name_field, prefix_field = model.elasticsearch_index_name_field, model.elasticsearch_index_prefix_field
    dest = model.dest_time_name

    def add_prefix(record: Record, displaced: Displaced, time_ns: int, now_ns: int) -> None:  # noqa: ARG001
        _write(record, prefix_field, prefix_of(record, displaced), displaced)

    def add_name(record: Record, displaced: Displaced, time_ns: int, now_ns: int) -> None:
        prefix = prefix_of(record, displaced)
        try:
            day = dates.parse_day(record.get(dest), now_ns)
        except MessageError:
            # The plugin fails over such a time. The event has another.
            displaced.error(dest, record.get(dest))
            record[dest] = times.of_ns(time_ns)
            day = record[dest][:10].replace("-", ".")
        _write(record, name_field, f"{prefix}.{day}", displaced)

    return add_name if wanted.name_type.endswith("_full") else add_prefix


def _write(record: Record, field: str, name: str, displaced: Displaced) -> None:
    if field in record:
        displaced.replaced(field, record[field], name)
    record[field] = name


def constant_prefix(wanted: IndexName, model: ViaqDataModel) -> str:
    """The prefix for records without `kubernetes`."""
    kind = wanted.name_type.partition("_")[0]
    if kind == "project":
        return model.orphaned_namespace_name
    return wanted.static_index_name if kind == "static" else f".{kind}"


def _compile_prefix(wanted: IndexName, model: ViaqDataModel) -> _Prefix:
    if wanted.name_type.startswith("project_"):
        return _compile_project(model.orphaned_namespace_name, exact=not model.lossless)
    prefix = constant_prefix(wanted, model)
    return lambda record, displaced: prefix  # noqa: ARG005 - always the same


def _compile_project(orphaned: str, *, exact: bool) -> _Prefix:
    def project(record: Record, displaced: Displaced) -> str:
        name, number = _namespace(record.get("kubernetes"), displaced, exact)
        if name is None or number is None or name == orphaned:
            return orphaned
        return f"project.{ruby.to_s(name)}.{ruby.to_s(number)}"

    return project


def _namespace(kubernetes: Any, displaced: Displaced, exact: bool) -> tuple[Any, Any]:
    if type(kubernetes) is dict:
        return kubernetes.get("namespace_name"), kubernetes.get("namespace_id")
    if type(kubernetes) is str:  # to Ruby a text's element of some name is that name, where it stands in the text
        found = [name if exact and name in kubernetes else None for name in ("namespace_name", "namespace_id")]
        return found[0], found[1]
    if kubernetes is not None:
        displaced.is_error = True
    return None, None
