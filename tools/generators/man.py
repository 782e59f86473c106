# SPDX-License-Identifier: Apache-2.0
"""Man pages out of what the programs declare: their options, descriptions and the sections of their `--help`."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import ttyscribe
import ttyscribe.main
import ttyscribe.store
import ttyscribe_normalizers.options
import ttyscribe_player.options
from tools.manpage import Option, Page, blocks, from_argparse, render, synopsis, verb_blocks
from ttyscribe_recorder import options as recorder
from ttyscribe_recorder import usage as recorder_usage
from ttyscribe_recorder.names import REC, SESSION, Name

FOLDER = "docs/man"
PROGRAMS: dict[str, tuple[str, Callable[[], argparse.ArgumentParser]]] = {
    "ttyscribe": ("find, show and prepare session recordings", partial(ttyscribe.main.parser, whole=True)),
    "ttyscribe-store": ("look after a store of session recordings", ttyscribe.store.parser),
    "ttyscribe-play": ("play a recording in the terminal", ttyscribe_player.options.parser),
    "ttyscribe-normalize": ("turn log lines into documents and store them", ttyscribe_normalizers.options.parser),
}


RECORDERS = (
    (REC, "record a command or a shell as it runs"),
    (SESSION, "be the login shell of users who are recorded"),
)


def _recorder(name: Name, summary: str) -> Page:
    """The recorders parse without argparse; their table is their own."""
    intro, _, epilog = recorder_usage.help_text(name).partition("\noptions:\n")
    synopsis, _, description = intro.partition("\n\n")
    listed = [option for option in recorder.OPTIONS if recorder.option_of(name, option)]
    keys = [option for option in recorder.keys(name) if option not in listed]
    return Page(
        name=name.program,
        summary=summary,
        synopsis="\n".join(line.strip() for line in synopsis.removeprefix("usage: ").split("\n")),
        description=description,
        groups={
            "Options": [Option(recorder_usage.spelled(option), _describe(name, option)) for option in listed],
            "Keys of the configuration alone": [Option(option.key, _describe(name, option)) for option in keys],
        },
        blocks=blocks(epilog[epilog.index("\nexamples:") :]),
        see_also=_others(name.program),
    )


def _describe(name: Name, option: recorder.Option) -> str:
    text = option.help[0].upper() + option.help[1:] + "."
    if option.choices:
        text += f" One of: {', '.join(option.choices)}."
    default = name.defaults.get(option.key, option.default)
    if default not in ("", False) and "\n" not in str(default):
        text += f" Default: {recorder_usage.show(default).strip()}."
    if option in recorder.keys(name) and option.long:
        text += f" Key: {option.key}."
    return text


def _others(name: str) -> tuple[str, ...]:
    return tuple(sorted({*PROGRAMS, *(known.program for known, _ in RECORDERS)} - {name}))


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
    pages = [*(_recorder(name, summary) for name, summary in RECORDERS), *map(_page, PROGRAMS)]
    return {f"{FOLDER}/{page.name}.1": render(page, ttyscribe.__version__) for page in pages}
