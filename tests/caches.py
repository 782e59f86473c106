# SPDX-License-Identifier: Apache-2.0
"""Folders in the user's cache for what tests fetch or build once."""

import os
from pathlib import Path


def folder(name: str, variable: str) -> Path:
    """The folder of that name; the environment's `variable` moves it."""
    named = os.environ.get(variable)
    above = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    found = Path(named) if named else Path(above) / name
    found.mkdir(parents=True, exist_ok=True)
    return found
