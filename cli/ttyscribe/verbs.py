# SPDX-License-Identifier: Apache-2.0
"""A command with verbs, each a module of its own that is imported only when that verb is called."""

import argparse
import textwrap
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any


class Help(argparse.RawDescriptionHelpFormatter):
    """Texts as they were written, but on a narrow terminal paragraphs are filled anew; what is indented never is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        made = []
        for is_prose, group in groupby(text.splitlines(), lambda line: line[:1].strip() != ""):
            lines = list(group)
            fits = not is_prose or max(map(len, lines)) <= width
            made += lines if fits else textwrap.wrap(" ".join(lines), width, break_on_hyphens=False)
        return "\n".join(indent + line for line in made)


class Verb(argparse.ArgumentParser):
    """The command line of one verb; what its module declares is read when something is to be parsed by it."""

    def __init__(self, *, load: Callable[[], Any], **keywords: Any) -> None:
        super().__init__(formatter_class=Help, allow_abbrev=False, **keywords)
        self._load: Callable[[], Any] | None = load

    def declare(self) -> None:
        """Take up what the module declares, once."""
        if self._load:
            module, self._load = self._load(), None
            self.description, self.epilog = module.DESCRIPTION, module.EPILOG
            module.add_arguments(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As of any parser, after `declare`."""
        self.declare()
        return super().parse_known_args(args, namespace)


def add_verbs(
    parser: argparse.ArgumentParser,
    dest: str,
    verbs: Mapping[str, str],
    load: Callable[[str], Any],
    *,
    whole: bool = False,
) -> None:
    """Add each verb with its line of help; `dest` takes the name of the one that is called.

    `load` gives the verb's module, with `DESCRIPTION`, `EPILOG` and `add_arguments(parser)`. `whole`: load all at once.
    """
    added = parser.add_subparsers(metavar="VERB", dest=dest, required=True, parser_class=Verb)
    for name, text in verbs.items():
        verb = added.add_parser(name, help=text, load=lambda name=name: load(name))
        if whole:
            verb.declare()
