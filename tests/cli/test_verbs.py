# SPDX-License-Identifier: Apache-2.0
"""Verbs and their help: one module is loaded, and no line is wider than the terminal but for what must stay whole."""

import os
import subprocess
import sys

import pytest

from tests.cli.command import COMMAND
from ttyscribe import main, store

ALL = [(verb,) for verb in main.VERBS] + [("store", verb) for verb in store.VERBS]


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["store", "verify"], {"verify"}),
        (["store", "retention", "--help"], {"retention"}),
        (["store", "--help"], set()),
    ],
)
def test_only_the_verb_that_is_called_is_loaded(arguments: list[str], loaded: set[str]) -> None:
    code = "import atexit, sys; atexit.register(lambda: print(*sys.modules)); from ttyscribe.main import main; "
    code += f"main({[*arguments]})"
    environment = {name: value for name, value in os.environ.items() if name != "TTYSCRIBE_STORE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    modules = done.stdout.splitlines()[-1].split()
    assert "ttyscribe.store" in modules
    assert {name.rpartition(".")[2] for name in modules if name in _modules("care", store.VERBS)} == loaded
    assert not _modules("", main.VERBS).intersection(modules) - {"ttyscribe.store"}


def _modules(package: str, verbs: dict[str, str]) -> set[str]:
    return {".".join(filter(None, ("ttyscribe", package, verb))) for verb in verbs}


@pytest.mark.parametrize("verb", ALL, ids=" ".join)
def test_help_fits_the_terminal(verb: tuple[str, ...]) -> None:
    """Lines that are indented are examples and lists, which are copied, and stay whole."""
    narrow, wide = (help_of(*verb, columns=columns) for columns in (60, 200))
    too_long = [line for line in narrow.splitlines() if len(line) > 60 and not line.startswith("  ")]
    assert not too_long
    module = main._module(verb[0]) if len(verb) == 1 else store._module(verb[1])
    assert module.DESCRIPTION.strip() in wide, "where there is room it stays as it was written"
    assert " ".join(module.DESCRIPTION.split()) in " ".join(narrow.split()), "no word is lost"


def help_of(*verb: str, columns: int) -> str:
    """What `--help` prints on a terminal of so many columns."""
    environment = os.environ | {"COLUMNS": str(columns)}
    done = subprocess.run(
        [*COMMAND, *verb, "--help"], capture_output=True, text=True, timeout=60, env=environment, check=True
    )
    return done.stdout
