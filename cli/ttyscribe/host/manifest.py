# SPDX-License-Identifier: Apache-2.0
"""What a host was given: written before the first change and after the last, so that both ways go on from there."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

from ttyscribe.host.layout import Plan, Settings
from ttyscribe.host.machine import Machine
from ttyscribe_formats.errors import ConfigError


def digest(data: bytes) -> str:
    """What a content is known by."""
    return blake2b(data, digest_size=16).hexdigest()


@dataclass
class Manifest:
    """All that is ours. Lists are in the order of making."""

    complete: bool = False
    """False from the first change of an installation until its last."""
    settings: Settings = field(default_factory=Settings)
    trees: list[str] = field(default_factory=list)
    """The one that runs, and the one before it."""
    folders: list[str] = field(default_factory=list)
    """Those that were not there before."""
    files: list[str] = field(default_factory=list)
    configuration: dict[str, list[str]] = field(default_factory=dict)
    """Digests of what we wrote there; anything else is an operator's."""
    links: dict[str, str] = field(default_factory=dict)
    diversions: dict[str, str] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """As it is stored."""
        return json.dumps({**asdict(self), "settings": self.settings._asdict()}, indent=1).encode() + b"\n"


def load(machine: Machine, path: str) -> Manifest | None:
    """The host's manifest; None where nothing was installed. Raises ConfigError where it can't be understood."""
    data = machine.read(path)
    if data is None:
        return None
    try:
        values: dict[str, Any] = json.loads(data)
        settings = Settings(**values.pop("settings"))
        return Manifest(settings=settings, **values)
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"is no manifest of ttyscribe: {error}", path) from None


def wanted(machine: Machine, plan: Plan, old: Manifest) -> Manifest:
    """What a plan makes of a host; of folders and lines those alone that were not there before us."""
    paths = [
        plan.settings.launcher, *plan.files, *plan.configuration, *plan.links, *plan.diversions,
        plan.settings.manifest,
    ]  # fmt: skip
    lines = {
        path: line
        for path, line in plan.lines.items()
        if old.lines.get(path) == line or line.encode() not in (machine.read(path) or b"").split()
    }
    return Manifest(
        complete=True,
        settings=plan.settings,
        trees=[plan.tree],
        folders=machine.missing_folders(paths),
        files=[plan.settings.launcher, *plan.files],
        configuration={path: [digest(data)] for path, data in plan.configuration.items()},
        links=plan.links,
        diversions=plan.diversions,
        lines=lines,
    )


def union(old: Manifest, new: Manifest) -> Manifest:
    """What may be there while one becomes the other."""
    return Manifest(
        complete=False,
        settings=new.settings,
        trees=list(dict.fromkeys(new.trees + old.trees)),
        folders=list(dict.fromkeys(old.folders + new.folders)),
        files=list(dict.fromkeys(old.files + new.files)),
        configuration={
            path: list(dict.fromkeys(old.configuration.get(path, []) + new.configuration.get(path, [])))
            for path in {**old.configuration, **new.configuration}
        },
        links={**old.links, **new.links},
        diversions={**old.diversions, **new.diversions},
        lines={**old.lines, **new.lines},
    )
