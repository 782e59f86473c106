# SPDX-License-Identifier: Apache-2.0
"""docs/howto/prepare-an-engine.md: its commands are ones that the program takes, and its options are all there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ttyscribe.main import parser

PAGE = (Path(__file__).resolve().parents[2] / "docs/howto/prepare-an-engine.md").read_text()
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_of_the_page_is_taken() -> None:
    lines = [line for block in BLOCK.findall(PAGE) for line in block.splitlines()]
    assert len(lines) > 6
    for line in lines:
        program, verb, *rest = line.split()
        assert program == "ttyscribe"
        assert parser().parse_args([verb, *rest]).store == "https://search:9200"


def test_the_pages_unit_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```ini\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    command = re.search(r"^ExecStart=/usr/bin/ttyscribe (.*)$", text, re.MULTILINE)
    assert command is not None
    assert parser().parse_args(command[1].split()).follow
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "ttyscribe-index.service"
    unit.write_text(text.replace("/usr/bin/ttyscribe ", f"{sys.executable} "))
    run = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60)
    assert (run.returncode, [line for line in run.stderr.splitlines() if "ttyscribe-index" in line]) == (0, [])


def test_every_option_about_engines_stands_on_the_page() -> None:
    verb = next(action for action in parser(whole=True)._actions if action.dest == "verb")
    setup = verb.choices["setup"]  # type: ignore[index]
    names = {name for action in setup._actions for name in action.option_strings if name.startswith("--")}
    about_dashboards = {"--space", "--tenant", "--workspace", "--player-url", "--help"}
    assert "--layout" in names
    assert {name for name in names - about_dashboards if f"{name}" not in PAGE} == set()
