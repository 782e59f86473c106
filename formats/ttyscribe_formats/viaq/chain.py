# SPDX-License-Identifier: Apache-2.0
"""The chain: one function of each filter, compiled once, and one of each tag, made when the tag is first seen; pure."""

from collections.abc import Callable, Sequence

from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.viaq import Record, journal, json_file, tags, var_log
from ttyscribe_formats.viaq.config import Filter, Formatter, Surroundings, ViaqDataModel
from ttyscribe_formats.viaq.displaced import Displaced
from ttyscribe_formats.viaq.empties import compile_empties
from ttyscribe_formats.viaq.index_name import Name, compile_index_name
from ttyscribe_formats.viaq.levels import FindLevel, compile_levels
from ttyscribe_formats.viaq.metadata import compile_metadata
from ttyscribe_formats.viaq.parts import Format, Parts
from ttyscribe_formats.viaq.payload import parse_json_field
from ttyscribe_formats.viaq.times import of_ns
from ttyscribe_formats.viaq.undefined import compile_undefined
from ttyscribe_formats.viaq.usual import Usual, compile_usual

Step = Callable[[Record, int, int], Record]
"""One filter for one tag: of a record, the event's time and the time now in nanoseconds. The record may be changed."""
_Compiled = Callable[[str], Step]

_MAX_TAGS = 1024
_FORMATTERS: dict[str, Callable[[Parts], Format]] = {
    "sys_journal": journal.compile_sys_journal,
    "k8s_journal": journal.compile_k8s_journal,
    "sys_var_log": var_log.compile_sys_var_log,
    "k8s_json_file": json_file.compile_k8s_json_file,
}


class Chain:
    """Filters in a row."""

    def __init__(self, filters: Sequence[_Compiled], usual: Callable[[str], Usual | None]) -> None:
        self._filters = filters
        self._steps: dict[str, Step] = {}
        self.usual = usual
        """The short ways for records with a tag; None where the chain has none."""

    def step(self, tag: str) -> Step:
        """The whole chain for records with this tag."""
        found = self._steps.get(tag)
        if found is None:
            if len(self._steps) >= _MAX_TAGS:
                self._steps.clear()
            found = self._steps[tag] = _joined([compiled(tag) for compiled in self._filters])
        return found

    def filter(self, tag: str, record: Record, time_ns: int, now_ns: int) -> Record:
        """What becomes of one record; never raises on data."""
        return self.step(tag)(record, time_ns, now_ns)


def compile_chain(filters: Sequence[Filter], surroundings: Surroundings, *, quick: bool = True) -> Chain:
    """The chain of a configuration. Not `quick`: without short ways, step by step. Raises ConfigError."""
    compiled = [_compile(wanted, surroundings, quick=quick) for wanted in filters]
    alone = filters[0] if quick and len(filters) == 1 else None

    def usual(tag: str) -> Usual | None:
        return _usual_of(alone, surroundings, *_chooser(alone)(tag)) if isinstance(alone, ViaqDataModel) else None

    return Chain(compiled, usual)


def _joined(steps: Sequence[Step]) -> Step:
    if len(steps) == 1:
        return steps[0]

    def all_steps(record: Record, time_ns: int, now_ns: int) -> Record:
        for step in steps:
            record = step(record, time_ns, now_ns)
        return record

    return all_steps


def _compile(wanted: Filter, surroundings: Surroundings, *, quick: bool) -> _Compiled:
    if isinstance(wanted, ViaqDataModel):
        return _compile_model(wanted, surroundings, quick=quick)

    def parse(record: Record, time_ns: int, now_ns: int) -> Record:  # noqa: ARG001
        return parse_json_field(record, wanted)

    return lambda tag: parse  # noqa: ARG005 - the same for all


def _check(model: ViaqDataModel) -> None:
    keep = {*model.default_keep_fields, *model.extra_keep_fields, *model.keep_empty_fields}
    if model.use_undefined and model.undefined_name in keep:
        raise ConfigError(f"undefined_name {model.undefined_name!r} is in a list of fields to keep: it can't be both")
    if model.use_undefined and model.rename_time and model.src_time_name not in keep:
        raise ConfigError(f"src_time_name {model.src_time_name!r} must be in default_keep_fields or extra_keep_fields")
    for index in model.index_names:
        if index.name_type == "static" and not index.static_index_name:
            raise ConfigError("an elasticsearch_index_name of type static needs static_index_name")


def _compile_model(model: ViaqDataModel, surroundings: Surroundings, *, quick: bool) -> _Compiled:
    """The filter `viaq_data_model`."""
    _check(model)
    find_level, choose = compile_levels(model.levels), _chooser(model)
    formatters = [_compile_formatter(model, surroundings, find_level, one) for one in model.formatters]
    names = [compile_index_name(one, model) for one in model.index_names]
    rest = _compile_rest(model, surroundings)

    def step_of(tag: str) -> Step:
        place, named = choose(tag)
        step = rest(formatters[place] if place >= 0 else None, names[named] if named >= 0 else None)
        return _or_usual(step, _usual_of(model, surroundings, place, named) if quick else None)

    return step_of


def _chooser(model: ViaqDataModel) -> Callable[[str], tuple[int, int]]:
    """The function that tells the places of formatter and index name for a tag; -1: none."""
    formatters = [tags.compile_patterns(one.tag).fullmatch for one in model.formatters]
    names = [tags.compile_patterns(one.tag).fullmatch for one in model.index_names]

    def choose(tag: str) -> tuple[int, int]:
        place = next((number for number, fits in enumerate(formatters) if fits(tag)), -1)
        named = next((number for number, fits in enumerate(names) if fits(tag)), -1)
        return (
            place if place >= 0 and model.formatters[place].enabled else -1,
            named if named >= 0 and model.index_names[named].enabled else -1,
        )

    return choose


def _usual_of(model: ViaqDataModel, surroundings: Surroundings, place: int, named: int) -> Usual | None:
    if place < 0 or model.formatters[place].type != "sys_journal":
        return None
    name = model.index_names[named] if named >= 0 else None
    return compile_usual(model, surroundings, model.formatters[place], name)


def _or_usual(step: Step, usual: Usual | None) -> Step:
    """The short way where a record is fit for it."""
    if usual is None:
        return step
    take = usual.take

    def either(record: Record, time_ns: int, now_ns: int) -> Record:
        made = take(record, time_ns, now_ns)
        return step(record, time_ns, now_ns) if made is None else made

    return either


def _compile_formatter(
    model: ViaqDataModel, surroundings: Surroundings, find_level: FindLevel | None, one: Formatter
) -> Format:
    events = one.process_kubernetes_events
    parts = Parts(
        model,
        find_level,
        surroundings.node_name,
        model.process_kubernetes_events if events is None else events,
        one.remove_keys,
    )
    return _FORMATTERS[one.type](parts)


def _compile_rest(model: ViaqDataModel, surroundings: Surroundings) -> Callable[[Format | None, Name | None], Step]:
    """Everything behind the formatters, which is the same for all tags but for the index's name."""
    stamp = compile_metadata(model.pipeline_type, surroundings)
    undefined = compile_undefined(model)
    remove_empties = compile_empties(model.keep_empty_fields, lossless=model.lossless)
    rename, if_missing = model.rename_time or model.rename_time_if_missing, model.rename_time_if_missing
    source, dest = model.src_time_name, model.dest_time_name
    undefined_name, as_text, lossless = model.undefined_name, model.undefined_to_string, model.lossless

    def rest(format_record: Format | None, add_name: Name | None) -> Step:
        displaced = Displaced(lossless)

        def viaq_data_model(record: Record, time_ns: int, now_ns: int) -> Record:
            nonlocal displaced
            if format_record is not None:
                remove_keys = format_record(record, displaced, time_ns, now_ns)
                if record.get("time") is None and record.get(dest) is None:
                    record["time"] = of_ns(time_ns)
                for key in remove_keys:
                    record.pop(key, None)
            stamp(record, displaced, now_ns)
            if undefined is not None:
                undefined(record, displaced)
            remove_empties(record)
            if rename and source in record:
                value = record.pop(source)
                if not (if_missing and dest in record):
                    record[dest] = value
            if add_name is not None:
                add_name(record, displaced, time_ns, now_ns)
            if displaced.values or displaced.is_error:
                displaced.into(record, undefined_name, as_text=as_text)
                displaced = Displaced(lossless)
            return record

        return viaq_data_model

    return rest
