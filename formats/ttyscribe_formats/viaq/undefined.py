# SPDX-License-Identifier: Apache-2.0
"""Fields that the model does not define (`handle_undefined_fields`); pure."""

from collections.abc import Callable, Collection

from ttyscribe_formats.viaq import Record, ruby
from ttyscribe_formats.viaq.config import UNUSED, ViaqDataModel

Undefined = Callable[[Record], None]


def compile_undefined(model: ViaqDataModel) -> Undefined | None:
    """The step; None where nothing is to be done with such fields."""
    replacement = None if model.undefined_dot_replace_char == UNUSED else model.undefined_dot_replace_char
    most = model.undefined_max_num_fields
    if not (model.undefined_to_string or model.use_undefined or replacement is not None or most > -1):
        return None
    keep = frozenset((*model.default_keep_fields, *model.extra_keep_fields, *model.keep_empty_fields))
    name, move, as_text = model.undefined_name, model.use_undefined, model.undefined_to_string

    def handle_undefined_fields(record: Record) -> None:
        keys = [key for key in record if key not in keep]
        if not keys:
            return
        if -1 < most < len(keys):
            record[name] = ruby.json_text({key: record.pop(key) for key in keys})
            return
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

    return handle_undefined_fields


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
