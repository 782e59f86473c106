# SPDX-License-Identifier: Apache-2.0
"""Levels: ViaQ's own names, those of other programs, numbers of syslog, and what a message says (2021); pure."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.viaq import Record, ruby
from ttyscribe_formats.viaq.config import MAX_LEVELS, Level

UNKNOWN = "unknown"
PRIORITY_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "trace", UNKNOWN)
NORMAL_LEVELS = {name: name for name in PRIORITY_LEVELS} | {
    "panic": "emerg",
    "critical": "crit",
    "error": "err",
    "warn": "warning",
}
OF_PRIORITY: dict[Any, str] = dict(enumerate(PRIORITY_LEVELS)) | {
    str(number): name for number, name in enumerate(PRIORITY_LEVELS)
}
_RUBY_ONLY = ((r"\(\?<([A-Za-z_])", r"(?P<\1"), (r"\\h", "[0-9a-fA-F]"), (r"\\z", r"\\Z"))

FindLevel = Callable[[Any], str | None]
"""The level that a message names; None: it names none."""


def normalize_level(record: Record, priority: Any, find: FindLevel | None) -> str:
    """What `level` becomes: the record's own, in ViaQ's words where these have one; else of its priority."""
    level = record.get("level")
    if level is not None:
        if type(level) is not str:
            return ruby.to_s(level)
        return NORMAL_LEVELS.get(level) or NORMAL_LEVELS.get(level.lower(), level)
    found = None
    if type(priority) is str or type(priority) is int:
        found = OF_PRIORITY.get(priority)
    if found is None and find is not None:
        found = find(record.get("message"))
    return found or UNKNOWN


def compile_levels(levels: Sequence[Level]) -> FindLevel | None:
    """The function that looks for levels in messages; None where no level is configured.

    The expressions are tried together: at each place of the message in their order, the first one at any place of its
    line. Raises ConfigError for an expression that can't be understood.
    """
    if not levels:
        return None
    used = levels[:MAX_LEVELS]
    parts = "|".join(f"(?P<level_{number}>{_translated(level.match)})" for number, level in enumerate(used))
    try:
        search = re.compile(f"^.*{parts}.*$", re.MULTILINE).search
    except re.error as error:
        raise ConfigError(f"the levels' expressions can't be understood: {error}") from None

    def find(message: Any) -> str | None:
        found = search(message) if type(message) is str else None
        if found is None:
            return None
        return next((level.name for n, level in enumerate(used) if found[f"level_{n}"] is not None), None)

    return find


def _translated(expression: str) -> str:
    """An expression of Ruby's in Python's words, as far as these differ."""
    for ruby_form, python_form in _RUBY_ONLY:
        expression = re.sub(ruby_form, python_form, expression)
    return expression
