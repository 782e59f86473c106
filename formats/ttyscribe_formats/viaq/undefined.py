# SPDX-License-Identifier: Apache-2.0
"""Fields that the model does not define (`handle_undefined_fields`); pure."""

from collections.abc import Callable, Collection

from ttyscribe_formats.viaq import Record, ruby
from ttyscribe_formats.viaq.config import UNUSED, ViaqDataModel
from ttyscribe_formats.viaq.displaced import Displaced

Undefined = Callable[[Record, Displaced], None]
_Handle = Callable[[Record, list[str]], None]


def compile_undefined(model: ViaqDataModel) -> Undefined | None:
    """The step; None where nothing is to be done with such fields."""
    replacement = None if model.undefined_dot_replace_char == UNUSED else model.undefined_dot_replace_char
    most = model.undefined_max_num_fields
    if not (model.undefined_to_string or model.use_undefined or replacement is not None or most > -1):
        return None
    keep = frozenset((*model.default_keep_fields, *model.extra_keep_fields, *model.keep_empty_fields))
    name, handle = model.undefined_name, _compile_handle(model, replacement)

    def handle_undefined_fields(record: Record, displaced: Displaced) -> None:
        keys = [key for key in record if key not in keep]
        if not keys:
            return
        if -1 < most < len(keys):
            text = ruby.json_text({key: record.pop(key) for key in keys})
            if name in record:
                displaced.put(name, record[name])
            record[name] = text
        else:
            handle(record, keys)

    return handle_undefined_fields


def _compile_handle(model: ViaqDataModel, replacement: str | None) -> _Handle:
    if model.lossless:
        return _compile_keeping(model, replacement)
    return _compile_losing(model, replacement)


def _compile_keeping(model: ViaqDataModel, replacement: str | None) -> _Handle:
    name, move, as_text = model.undefined_name, model.use_undefined, model.undefined_to_string

    def keeping(record: Record, keys: list[str]) -> None:
        place = record
        if move:
            place = {key: record.pop(key) for key in keys}
            record[name] = place
        if replacement is not None:
            keys = _rename(place, keys, replacement)
        if as_text:
            for key in keys:
                if type(place[key]) is not str:
                    place[key] = ruby.json_text(place[key])

    return keeping


def _compile_losing(model: ViaqDataModel, replacement: str | None) -> _Handle:
    """As the plugin: a field named as `undefined_name` takes all of them with it, a renamed one overwrites."""
    name, move, as_text = model.undefined_name, model.use_undefined, model.undefined_to_string
    keeping = _compile_keeping(model, replacement)

    def losing(record: Record, keys: list[str]) -> None:
        if move and as_text and name in keys:
            keeping(record, keys)  # the plugin fails over this
            return
        place = {} if move else record
        for key in keys:
            value = record.pop(key) if move else record[key]
            renamed = key
            if replacement is not None and "." in key:
                renamed = key.replace(".", replacement)
                place.pop(key, None)
            place[renamed] = value if not as_text or type(value) is str else ruby.json_text(value)
        if move and name not in keys:
            record[name] = place

    return losing


def _rename(place: Record, keys: Collection[str], replacement: str) -> list[str]:
    """Replace dots in names; the names then. A name that another field has stays as it is: nothing is overwritten."""
    names = []
    for key in keys:
        renamed = key.replace(".", replacement) if "." in key else key
        if renamed != key and renamed not in place:
            place[renamed] = place.pop(key)
            names.append(renamed)
        else:
            names.append(key)
    return names
