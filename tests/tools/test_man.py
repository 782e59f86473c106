# SPDX-License-Identifier: Apache-2.0
"""Man pages hold what the programs declare, and are good roff."""

import argparse
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.generators import man
from tools.manpage import Page, blocks, from_argparse, render, synopsis
from ttyscribe_recorder import options as recorder

PAGES = man.files(Path())


def plain(roff: str) -> str:
    """The text of a page without its escapes."""
    return roff.replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_clean_roff(name: str) -> None:
    program = shutil.which("man")
    if program is None:
        pytest.skip("man is not installed: apt-get install man-db")
    done = subprocess.run(
        [program, "-l", "--warnings", "-"], input=PAGES[name], capture_output=True, text=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert done.stderr == ""
    assert "SYNOPSIS" in done.stdout


def test_every_option_of_the_recorder_is_on_its_page() -> None:
    page = plain(PAGES["docs/man/ttyscribe-rec.1"])
    for option in recorder.OPTIONS:
        assert f"--{option.long}" in page


@pytest.mark.parametrize("name", man.PROGRAMS)
def test_every_option_of_a_parser_is_on_its_page(name: str) -> None:
    page = plain(PAGES[f"docs/man/{name}.1"])
    for options in from_argparse(man.PROGRAMS[name][1]()).values():
        for option in options:
            assert option.usage in page


def test_the_sections_of_a_help_are_those_of_the_page() -> None:
    page = plain(PAGES["docs/man/ttyscribe-play.1"])
    for heading in (".SH KEYS", ".SH EXAMPLES", ".SH EXIT STATUS"):
        assert heading in page


def test_hostile_text_stays_text() -> None:
    page = Page("x", "does .x", "x [-a]", ".SH no heading\n\n'tis a line \\n", blocks={"examples": ".so /etc/passwd"})
    roff = render(page, "1")
    assert "\n.SH no" not in roff
    assert "\n.so" not in roff
    assert "\n'tis" not in roff
    assert "\\en" in roff


def test_blocks_and_synopsis() -> None:
    assert blocks("examples:\n  a\n    b\n\nexit status: 0 done") == {"examples": "a\n  b", "exit status": "0 done"}
    parser = argparse.ArgumentParser(prog="p")
    parser.add_argument("--flag", action="store_true")
    parser.add_argument("file", nargs="?")
    parser.add_argument("words", nargs="+", metavar="WORD")
    assert synopsis(parser) == "p [option...] [FILE] WORD..."
