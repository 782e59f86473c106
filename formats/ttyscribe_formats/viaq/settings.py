# SPDX-License-Identifier: Apache-2.0
"""A chain's configuration out of TOML, with the names that the plugins' own configuration has; pure.

::

    [[filter]]
    type = "viaq_data_model"
    default_keep_fields = ["message", "time", "systemd"]

    [[filter.formatter]]
    type = "sys_journal"
    tag = "journal.system**"
    remove_keys = ["MESSAGE", "PRIORITY"]

    [[filter.elasticsearch_index_name]]
    tag = "**"
    name_type = "operations_full"

As there, a list may be written as one text with commas, a number or a truth as text.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.viaq import config
from ttyscribe_formats.viaq.toml_lines import Place, line_of, tables_of

Refuse = Callable[[Place, str], ConfigError]
"""Makes the error for a place in the configuration."""

_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
_CHOICES = {
    ("formatter", "type"): config.FORMATTERS,
    ("elasticsearch_index_name", "name_type"): config.NAME_TYPES,
    ("filter", "pipeline_type"): config.PIPELINE_TYPES,
}
_SECTIONS: dict[str, tuple[str, type[Any]]] = {
    "formatter": ("formatters", config.Formatter),
    "elasticsearch_index_name": ("index_names", config.IndexName),
    "level": ("levels", config.Level),
}
_FILTERS: dict[str, type[Any]] = {"viaq_data_model": config.ViaqDataModel, "parse_json_field": config.ParseJsonField}


class Tags(NamedTuple):
    """What tag records get that come without one, by what they are."""

    journal: str = "journal.system"
    container_journal: str = "kubernetes.journal.container"
    container_file: str = "kubernetes.var.log.containers"
    syslog: str = "system.var.log"
    audit: str = "audit.log"
    other: str = "other"


class Settings(NamedTuple):
    """A whole configuration."""

    filters: tuple[config.Filter, ...]
    tags: Tags = Tags()


def read(text: str, path: str = "") -> Settings:
    """The settings of a TOML text; ConfigError with path and line for what is wrong in it."""

    def refuse(place: Place, problem: str) -> ConfigError:
        key = ".".join(part for part in place if isinstance(part, str))
        return ConfigError(f"{key}: {problem}" if key else problem, path, line_of(text, place))

    tables = tables_of(text, path)
    for key in tables:
        if key not in ("filter", "tags"):
            raise refuse((key,), "unknown (wanted: filter, tags)")
    found = tables.get("filter")
    if not isinstance(found, list) or not found:
        raise refuse(("filter",), "wanted: at least one [[filter]]")
    filters = tuple(filter_of(table, ("filter", number), refuse) for number, table in enumerate(found))
    return Settings(filters, _made(Tags, tables.get("tags", {}), ("tags",), refuse))


def filter_of(table: Any, place: Place, refuse: Refuse) -> config.Filter:
    """One filter of its table. Raises ConfigError."""
    if not isinstance(table, dict):
        raise refuse(place, "wanted: a table")
    name = table.get("type")
    if name not in _FILTERS:
        raise refuse((*place, "type"), f"{name!r} is no filter (wanted: {', '.join(_FILTERS)})")
    values = {key: value for key, value in table.items() if key != "type"}
    sections: dict[str, tuple[Any, ...]] = {}
    if name == "viaq_data_model":
        for section, (field, kind) in _SECTIONS.items():
            found = values.pop(section, [])
            if not isinstance(found, list):
                raise refuse((*place, section), f"wanted: [[filter.{section}]]")
            sections[field] = tuple(
                _made(kind, entry, (*place, section, number), refuse) for number, entry in enumerate(found)
            )
    made: config.Filter = _made(_FILTERS[name], values, place, refuse, sections)
    return made


def _made(kind: type[Any], table: Any, place: Place, refuse: Refuse, given: Mapping[str, Any] | None = None) -> Any:
    """A named tuple of a table's values, each of the type of its default; a field without a default is a text."""
    if not isinstance(table, dict):
        raise refuse(place, "wanted: a table")
    given = given or {}
    fields, defaults = [name for name in kind._fields if name not in given], kind._field_defaults
    values = dict(given)
    for key, value in table.items():
        if key not in fields:
            raise refuse((*place, key), f"unknown (wanted: {', '.join(fields)})")
        values[key] = _value(value, defaults.get(key, ""), (*place, key), refuse)
    for name in fields:
        if name not in values and name not in defaults:
            raise refuse((*place, name), "missing")
    return kind(**values)


def _value(value: Any, default: Any, place: Place, refuse: Refuse) -> Any:
    if isinstance(default, bool) or default is None:
        truth = _TRUTHS.get(value) if isinstance(value, str) else value
        if not isinstance(truth, bool):
            raise refuse(place, f"{value!r} is neither true nor false")
        return truth
    if isinstance(default, int):
        return _integer(value, place, refuse)
    if isinstance(default, tuple):
        return _list(value, place, refuse)
    if not isinstance(value, str):
        raise refuse(place, f"{value!r} is no text")
    section = next((part for part in reversed(place[:-1]) if isinstance(part, str)), "")
    choices = _CHOICES.get((section, str(place[-1])), ())
    if choices and value not in choices:
        raise refuse(place, f"{value!r} is unknown (wanted: {', '.join(choices)})")
    return value


def _integer(value: Any, place: Place, refuse: Refuse) -> int:
    try:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ValueError
        return int(value)
    except ValueError:
        raise refuse(place, f"{value!r} is no number") from None


def _list(value: Any, place: Place, refuse: Refuse) -> Sequence[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise refuse(place, f"{value!r} is no list of texts")
    return tuple(part for part in parts if part)
