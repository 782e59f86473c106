# SPDX-License-Identifier: Apache-2.0
"""The page about looking after a store names what there is."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from ttyscribe.main import parser
from ttyscribe.store import VERBS
from ttyscribe_store.care.findings import KINDS

TEXT = (Path(__file__).parents[3] / "docs/howto/look-after-a-store.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"^(?:    |ExecStart=/usr/bin/)(ttyscribe store .*)$", TEXT, re.MULTILINE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_can_be_given(command: str) -> None:
    options = parser().parse_args(shlex.split(command)[1:])
    assert options.care in VERBS


def test_each_verb_and_each_finding_is_told() -> None:
    assert {command.split()[2] for command in COMMANDS} == set(VERBS)
    told = set(
        re.findall(
            r"`([a-z]+)`", " ".join(re.findall(r"^\| (`.*?) \|.*\|.*\|$", TEXT.partition("## Making")[0], re.MULTILINE))
        )
    )
    assert told == set(KINDS)


@pytest.mark.parametrize("verb", VERBS)
def test_each_example_of_the_help_can_be_given(verb: str) -> None:
    epilog = import_module(f"ttyscribe.care.{verb}").EPILOG
    examples = re.findall(r"^  (ttyscribe store .*?)(?: \|.*)?$", epilog, re.MULTILINE)
    assert verb in {parser().parse_args(shlex.split(example)[1:]).care for example in examples}
