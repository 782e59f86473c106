# SPDX-License-Identifier: Apache-2.0
"""Journal entries of the usual form, through formatter and filter in one go; pure.

Most entries bring texts alone, none of them empty, and no field that the model fills in. What becomes of such a one
depends on its keys, which few forms of entries have: it is planned once for each. Whatever is not of this form takes
the long way, step by step, and what comes out is the same.
"""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from ttyscribe_formats.viaq import Record, times
from ttyscribe_formats.viaq.config import UNUSED, Formatter, IndexName, Surroundings, ViaqDataModel
from ttyscribe_formats.viaq.empties import compile_empties
from ttyscribe_formats.viaq.index_name import constant_prefix
from ttyscribe_formats.viaq.journal import CONTAINER, SYSTEMD
from ttyscribe_formats.viaq.levels import OF_PRIORITY, UNKNOWN
from ttyscribe_formats.viaq.metadata import FIELD, compile_fresh, fixed

Take = Callable[[Record, int, int], Record | None]
"""Of a record, the event's time and the time now; None where the record is not of the usual form."""
Shape = Callable[[str, str, int], Record]
"""Of a message that is not empty, its time as text, and the time now."""


class Usual(NamedTuple):
    """The short ways of one formatter and one index name."""

    take: Take
    learn: Callable[[Record], Shape | None]
    """What all records become that differ from this one by message and time alone; None where that is not known."""


_MAX_PLANS = 512
_SOURCE = "time"
_LENGTH = len("2018-02-24T01:54:44.771123+00:00")
_FILLED = frozenset(("systemd", "level", _SOURCE, "message", "hostname", FIELD))
_MESSAGE, _TIME = "MESSAGE", times.JOURNAL_TIME_FIELDS[0]
_NEEDED = frozenset((_MESSAGE, "_HOSTNAME"))


class _Plan(NamedTuple):
    """For all entries with the same keys."""

    used: Callable[[Record], tuple[Any, ...]]
    """Values that must be texts, none of them empty: of `systemd`, section by section, message and host."""
    sections: tuple[tuple[str, tuple[str, ...], int], ...]
    """Of `systemd`: name, names of its fields, and where their values begin."""
    all_text: tuple[type, ...]
    time_key: str
    """Empty: the entry names no time."""
    has_priority: bool
    rest: tuple[str, ...]
    """Keys that stay."""
    undefined: tuple[str, ...]
    """Keys that are moved."""


def compile_usual(
    model: ViaqDataModel, surroundings: Surroundings, formatter: Formatter, name: IndexName | None
) -> Usual | None:
    """The function for one formatter `sys_journal` and one index name; None where the model is not a usual one."""
    plans = _Plans(model, formatter, name)
    if not plans.is_usual or surroundings.node_name == "" or "" in fixed(surroundings).values():
        return None
    fresh, plan_of, role = compile_fresh(surroundings), plans.of, model.pipeline_type
    node_name, dest, undefined_name = surroundings.node_name, model.dest_time_name, model.undefined_name
    remove_empties = compile_empties(model.keep_empty_fields, lossless=model.lossless)
    add_name, journal_normal = _compile_name(model, name), times.journal_normal

    def take(record: Record, time_ns: int, now_ns: int) -> Record | None:
        plan = plan_of(record)
        if plan is None:
            return None
        used_of, sections, all_text, time_key, has_priority, rest, undefined = plan
        used = used_of(record)
        if tuple(map(type, used)) != all_text or not all(used):
            return None
        time = journal_normal(record[time_key]) if time_key else times.of_ns(time_ns)
        if len(time) != _LENGTH:
            return None
        moved = None
        if undefined:
            moved = {key: record[key] for key in undefined}
            if set(map(type, moved.values())) != {str} or not all(moved.values()):
                return None
        made: Record = {}
        if rest:
            made = {key: record[key] for key in rest}
            remove_empties(made)
        made["systemd"] = systemd = {}
        for part, names, place in sections:
            systemd[part] = dict(zip(names, used[place:] if place else used, strict=False))
        made["level"] = OF_PRIORITY.get(record["PRIORITY"], UNKNOWN) if has_priority else UNKNOWN
        made["message"] = record[_MESSAGE]
        host = record["_HOSTNAME"]
        made["hostname"] = node_name if host == "localhost" and node_name is not None else host
        made[FIELD] = {role: fresh(now_ns)}
        if moved is not None:
            made[undefined_name] = moved
        made[dest] = time
        add_name(made, time)
        return made

    return Usual(take, _compile_learn(take, plan_of, lambda now_ns: {role: fresh(now_ns)}, dest, add_name))


def _compile_learn(
    take: Take,
    plan_of: Callable[[Record], _Plan | None],
    stamp: Callable[[int], Record],
    dest: str,
    add_name: Callable[[Record, str], None],
) -> Callable[[Record], Shape | None]:
    def learn(record: Record) -> Shape | None:
        plan = plan_of(record)
        if plan is None or plan.time_key != _TIME or not {_MESSAGE, _TIME}.isdisjoint((*plan.rest, *plan.undefined)):
            return None
        made = take(record, 0, 0)
        return None if made is None else _compile_shape(made, stamp, dest, add_name)

    return learn


def _compile_shape(
    example: Record, stamp: Callable[[int], Record], dest: str, add_name: Callable[[Record, str], None]
) -> Shape:
    def shape(message: str, time: str, now_ns: int) -> Record:
        made = example.copy()
        made["message"] = message
        made[FIELD] = stamp(now_ns)
        made[dest] = time
        add_name(made, time)
        return made

    return shape


def _compile_name(model: ViaqDataModel, name: IndexName | None) -> Callable[[Record, str], None]:
    if name is None:
        return lambda made, time: None  # noqa: ARG005 - no index is named
    prefix, field = constant_prefix(name, model), model.elasticsearch_index_prefix_field
    if not name.name_type.endswith("_full"):
        return lambda made, time: made.__setitem__(field, prefix)  # noqa: ARG005 - always the same
    full = model.elasticsearch_index_name_field
    last, text = "", ""

    def add_name(made: Record, time: str) -> None:
        nonlocal last, text
        day = time[:10]
        if day != last:
            last, text = day, f"{prefix}.{day.replace('-', '.')}"
        made[full] = text

    return add_name


class _Plans:
    """The plans of one formatter; what a hostile program makes up is forgotten again."""

    def __init__(self, model: ViaqDataModel, formatter: Formatter, name: IndexName | None) -> None:
        self._model, self._removed = model, frozenset(formatter.remove_keys)
        self._plans: dict[tuple[str, ...], _Plan | None] = {}
        self._keep = frozenset((*model.default_keep_fields, *model.extra_keep_fields, *model.keep_empty_fields))
        self._replacement = model.undefined_dot_replace_char
        self._handles = (
            *(model.use_undefined, model.undefined_to_string),
            *(self._replacement != UNUSED, model.undefined_max_num_fields > -1),
        )
        names = {model.elasticsearch_index_name_field, model.elasticsearch_index_prefix_field} if name else set()
        added = [*_FILLED, model.dest_time_name, model.undefined_name, *names]
        self._added = frozenset(added)
        self.is_usual = (
            model.rename_time
            and model.src_time_name == _SOURCE
            and len(self._added) == len(added)
            and self._added.isdisjoint(self._removed)
            and (not any(self._handles) or self._keep >= _FILLED)
        )

    def of(self, record: Mapping[str, Any]) -> _Plan | None:
        """The plan for a record; None where its keys are not usual."""
        keys = tuple(record)
        try:
            return self._plans[keys]
        except KeyError:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            made = self._plans[keys] = self._made(keys)
            return made

    def _made(self, keys: tuple[str, ...]) -> _Plan | None:
        found = frozenset(keys)
        if (
            not found >= _NEEDED
            or found & self._added
            or found & CONTAINER
            or ("log" in found and "log" in self._removed)
        ):
            return None
        rest = tuple(key for key in keys if key not in self._removed)
        undefined: tuple[str, ...] = ()
        if any(self._handles):
            undefined = tuple(key for key in rest if key not in self._keep)
            if undefined and not self._can_move(undefined):
                return None
        sections: list[tuple[str, tuple[str, ...], int]] = []
        used: list[str] = []
        for part, fields in SYSTEMD:
            taken = [key for key in fields if key in found]
            if taken:
                sections.append((part, tuple(fields[key] for key in taken), len(used)))
                used += taken
        time_key = next((key for key in times.JOURNAL_TIME_FIELDS if key in found), "")
        used += [*_NEEDED, *([time_key] if time_key else []), *(["PRIORITY"] if "PRIORITY" in found else [])]
        if not sections:
            return None
        moved = undefined if self._model.use_undefined else ()
        return _Plan(
            itemgetter(*used),
            tuple(sections),
            (str,) * len(used),
            time_key,
            "PRIORITY" in found,
            tuple(key for key in rest if key not in moved),
            moved,
        )

    def _can_move(self, undefined: tuple[str, ...]) -> bool:
        """Whether such fields are moved, or stay, as they are."""
        most, move = self._model.undefined_max_num_fields, self._model.use_undefined
        dots = self._replacement != UNUSED and any("." in key for key in undefined)
        return move and not dots and not -1 < most < len(undefined)
