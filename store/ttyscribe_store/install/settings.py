# SPDX-License-Identifier: Apache-2.0
"""What an operator may choose, and what is remembered of it on the engine. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.install import objects
from ttyscribe_store.install.objects import Asset
from ttyscribe_store.partition import LAYOUTS

_MOST_PRIORITY = 1_000_000
_MOST_DAYS = 36_500


class Settings(NamedTuple):
    """What our objects are made by."""

    layout: str = "monthly"
    priority: int = objects.PRIORITY
    retention_days: int = 0
    """0: kept for ever."""


class Wishes(NamedTuple):
    """What was asked for; None = as it is, or the default where nothing is installed."""

    layout: str | None = None
    priority: int | None = None
    retention_days: int | None = None
    overwrite: bool = False
    rollover: bool = False


def remembered(installed: Iterable[Mapping[str, Any]]) -> Settings:
    """What the installed index templates (their bodies) were made by; the defaults where there are none of ours."""
    for body in installed:
        choices = objects.mark_of("index", body).get("choices")
        if isinstance(choices, dict) and choices.keys() >= set(Settings._fields):
            try:
                return checked(Settings(**{name: choices[name] for name in Settings._fields}))
            except (TypeError, ValueError, ConfigError):
                continue  # somebody's edit; what is asked for, or the default, is written over it
    return Settings()


def resolved(wishes: Wishes, before: Settings) -> Settings:
    """What is to be. Raises ConfigError where that can't be."""
    chosen = {name: value for name, value in wishes._asdict().items() if name in Settings._fields and value is not None}
    return checked(before._replace(**chosen))


def checked(settings: Settings) -> Settings:
    """The same; ConfigError where an engine could not take it."""
    if settings.layout not in LAYOUTS:
        raise ConfigError(f"no layout {settings.layout!r}: choose one of {', '.join(LAYOUTS)}")
    if not 2 <= settings.priority <= _MOST_PRIORITY:
        raise ConfigError(f"priority {settings.priority}: give a number from 2 to {_MOST_PRIORITY}")
    if not 0 <= settings.retention_days <= _MOST_DAYS:
        raise ConfigError(f"a retention of {settings.retention_days} days: give 1d to {_MOST_DAYS}d, or forever")
    return settings


def types_used(assets: Sequence[Asset]) -> set[str]:
    """Types of fields that the shipped templates ask for."""
    return {
        kind
        for asset in assets
        if asset.kind in ("component", "index")
        for _, kind in objects.field_types(objects.properties(asset.body))
    }
