# SPDX-License-Identifier: Apache-2.0
"""The texts point to what is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
PAGES = [ROOT / name for name in TRACKED if name.endswith(".md") and (ROOT / name).exists()]
NAMES = {Path(name).name for name in TRACKED}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_file_that_the_architecture_names_is_there() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = set(re.findall(r"`(?:[\w.…/]*/)?([a-z_]+\.(?:py|c|toml|conf))`", text))
    assert len(named) > 30
    assert named - NAMES == set()


def test_the_architecture_and_the_test_of_one_message_have_the_same_stops() -> None:
    stops = re.findall(r"# Stop (\d+)\. ", (ROOT / "tests/e2e/test_one_message.py").read_text("utf-8"))
    walked = re.findall(r"^\*\*(\d+)\. ", (ROOT / "docs/architecture.md").read_text("utf-8"), re.MULTILINE)
    assert walked == stops == [str(number) for number in range(1, len(stops) + 1)]


def test_every_program_of_the_readme_is_installed_by_the_package() -> None:
    scripts = (ROOT / "pyproject.toml").read_text("utf-8")
    for program in set(re.findall(r"^(ttyscribe[a-z-]*)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)):
        assert f"\n{program} = " in scripts
