# SPDX-License-Identifier: Apache-2.0
"""The generators that `tools/generate.py` runs. A new one is one module and one line in `GENERATORS`."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tools.generators import conf, dashboards, doctor, man, reference, rsyslog, schema, templates


class Generator(NamedTuple):
    """One source of generated files."""

    name: str
    owns: tuple[str, ...]
    """Patterns, relative to the repository, of the files that are this generator's alone: what it no longer gives is
    removed."""
    files: Callable[[Path], dict[str, str]]
    """Takes the repository's root; gives each file's path, relative to it, and its text."""


GENERATORS: tuple[Generator, ...] = (
    Generator("templates", ("store/ttyscribe_store/templates/*.json",), templates.files),
    Generator("schema", (f"{schema.FOLDER}/*.schema.json", "docs/schema/*.schema.json"), schema.files),
    Generator("fields", ("docs/fields.md",), reference.files),
    Generator("dashboards", ("kibana/ttyscribe_kibana/bundles/*.ndjson",), dashboards.files),
    Generator("conf", ("recorder/conf/*.conf", "player/conf/*.conf", "normalizers/conf/*.toml"), conf.files),
    Generator("rsyslog", ("rsyslog/conf/*.conf",), rsyslog.files),
    Generator("man", ("docs/man/*.1",), man.files),
    Generator("doctor", ("docs/doctor.md",), doctor.files),
)
