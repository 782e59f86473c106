# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas of everything that the program emits, generated from `fields/`: `<name>.schema.json`.

One for each kind of the lossless profile, and `viaq`, `dead-letter`, `status`.
"""

import json
from importlib.resources import files
from typing import Any

_SUFFIX = ".schema.json"


def names() -> list[str]:
    """What there is a schema of."""
    there = (entry.name for entry in files(__package__).iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in there if name.endswith(_SUFFIX))


def load(name: str) -> dict[str, Any]:
    """One schema. Raises FileNotFoundError."""
    found: dict[str, Any] = json.loads(files(__package__).joinpath(f"{name}{_SUFFIX}").read_text("utf-8"))
    return found
