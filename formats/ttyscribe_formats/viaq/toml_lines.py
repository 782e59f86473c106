# SPDX-License-Identifier: Apache-2.0
"""A TOML text's tables, and where a key stands in it, for messages to its author; pure."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from ttyscribe_formats.errors import ConfigError

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*=""")

Place = tuple[str | int, ...]
"""Names of tables and keys; behind the name of a table that comes several times its number, from 0."""


def tables_of(text: str, path: str) -> dict[str, Any]:
    """What it holds; of the file at `path`. Raises ConfigError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"no TOML: {error}", path) from None
    except RecursionError:
        raise ConfigError("no TOML: nested too deep", path) from None


def line_of(text: str, place: Sequence[str | int]) -> int:
    """The line, from 1, of a key or a table; of what is not there that of the table it should be in; 1 in doubt."""
    wanted, best, best_line = tuple(place), -1, 1
    table: Place = ()
    counts: dict[Place, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = found = _numbered(header[2], header[1] == "[[", counts)
        elif key := _KEY.match(line):
            found = (*table, key[1] or key[2] or key[3])
        else:
            continue
        if len(found) > best and wanted[: len(found)] == found:
            best, best_line = len(found), number
    return best_line


def _numbered(name: str, is_one_of_many: bool, counts: dict[Place, int]) -> Place:
    """The place of a table's header; the tables above it are the last ones of their names."""
    made: Place = ()
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for part in parts[:-1]:
        made = (*made, part)
        if made in counts:
            made = (*made, counts[made])
    made = (*made, parts[-1])
    if is_one_of_many:
        counts[made] = counts.get(made, -1) + 1
        made = (*made, counts[made])
    return made
