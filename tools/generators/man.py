# SPDX-License-Identifier: Apache-2.0
"""Man pages out of what the programs declare: their options, descriptions and the sections of their `--help`."""

import argparse
from collections.abc import Callable
from pathlib import Path

import ttyscribe
import ttyscribe.main
import ttyscribe_normalizers.options
import ttyscribe_player.options
from tools.manpage import Option, Page, blocks, from_argparse, render, synopsis, verb_blocks
from ttyscribe_recorder import options as recorder

FOLDER = "docs/man"
PROGRAMS: dict[str, tuple[str, Callable[[], argparse.ArgumentParser]]] = {
    "ttyscribe": ("find, show and prepare session recordings", ttyscribe.main.parser),
    "ttyscribe-play": ("play a recording in the terminal", ttyscribe_player.options.parser),
    "ttyscribe-normalize": ("turn log lines into documents and store them", ttyscribe_normalizers.options.parser),
}


def _recorder() -> Page:
    """The recorder parses without argparse; its table is its own."""
    listed = []
    for option in recorder.OPTIONS:
        value = {"flag": "", "bool": f"[={option.metavar}]"}.get(option.kind, f"={option.metavar}")
        short = f"-{option.short}, " if option.short else ""
        text = option.help[0].upper() + option.help[1:] + "."
        if option.choices:
            text += f" One of: {', '.join(option.choices)}."
        if option.default not in ("", False):
            text += f" Default: {'yes' if option.default is True else option.default}."
        listed.append(Option(f"{short}--{option.long}{value}", text))
    intro, _, epilog = recorder.help_text().partition("\noptions:\n")
    usage, _, description = intro.partition("\n\n")
    return Page(
        name="ttyscribe-rec",
        summary="record a command or a shell as it runs",
        synopsis=usage.removeprefix("usage: "),
        description=description,
        groups={"Options": listed},
        blocks=blocks(epilog[epilog.index("\nexamples:") :]),
        see_also=_others("ttyscribe-rec"),
    )


def _others(name: str) -> tuple[str, ...]:
    return tuple(sorted({*PROGRAMS, "ttyscribe-rec"} - {name}))


def _page(name: str) -> Page:
    summary, make = PROGRAMS[name]
    parser = make()
    return Page(
        name=name,
        summary=summary,
        synopsis=synopsis(parser),
        description=parser.description or "",
        groups=from_argparse(parser),
        blocks=blocks(parser.epilog or "") | verb_blocks(parser),
        see_also=_others(name),
    )


def files(_root: Path) -> dict[str, str]:
    """One page a program."""
    pages = [_recorder(), *map(_page, PROGRAMS)]
    return {f"{FOLDER}/{page.name}.1": render(page, ttyscribe.__version__) for page in pages}
