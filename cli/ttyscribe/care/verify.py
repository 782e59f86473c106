# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store verify`: whether what is stored is whole."""

import argparse
import contextlib
from collections import Counter

from ttyscribe import stores
from ttyscribe.progress import Advance, progress
from ttyscribe.text import print_json, print_table
from ttyscribe_store.care.findings import KINDS, Finding
from ttyscribe_store.care.verify import verify

DESCRIPTION = """Looks whether what is stored is whole: all recordings, or those that are named."""
_FINDINGS = "\n".join(f"  {kind:<9} {text}" for kind, text in KINDS.items())
EPILOG = f"""findings:
{_FINDINGS}

examples:
  ttyscribe store verify --store sqlite:/var/lib/ttyscribe
  ttyscribe store verify --store https://search:9200 1f0c-1011-13dda
  ttyscribe store verify --json | jq -r 'select(.kind=="gap")|.recording'

exit status: 0 nothing was found; 1 something was, or the store can't be reached; 2 usage"""
_HEADS = ("FOUND", "RECORDING", "WHERE", "WHAT")
_SHOWN = 20
"""Findings of one kind in one recording that a person gets to see."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("recordings", metavar="REC", nargs="*", help="these recordings alone (default: everything)")
    stores.add_store(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each finding")


def run(options: argparse.Namespace) -> int:
    """Look, and say what was found."""
    url, store = stores.opened(options)
    found: list[Finding] = []
    counts: Counter[tuple[str, str]] = Counter()
    recordings = messages = 0
    with contextlib.ExitStack() as stack:
        bars: list[Advance] = []

        def tell(done: int, total: int) -> None:
            if not bars:
                bars.append(stack.enter_context(progress("verifying", total)))
            bars[0](done)

        for looked in verify(store, options.recordings, tell):
            recordings, messages = recordings + bool(looked.messages), messages + looked.messages
            for finding in looked.findings:
                counts[finding.kind, finding.recording] += 1
                if options.json:
                    print_json(as_json(finding))
                elif counts[finding.kind, finding.recording] <= _SHOWN:
                    found.append(finding)
    if not options.json:
        _table(found, counts)
        count = counts.total()
        said = f"{count} finding{'s' * (count != 1)}" if count else "nothing found"
        print(f"{url}: {said} in {messages} messages of {recordings} recordings")
    return 1 if counts else 0


def as_json(finding: Finding) -> dict[str, object]:
    """A finding for programs."""
    return {
        "kind": finding.kind,
        "recording": finding.recording,
        "where": finding.where,
        "text": finding.text,
        **finding.details,
    }


def _table(found: list[Finding], counts: Counter[tuple[str, str]]) -> None:
    rows = [(one.kind, one.recording, one.where, one.text) for one in found]
    for (kind, recording), count in counts.items():
        if count > _SHOWN:
            rows.append((kind, recording, "", f"and {count - _SHOWN} more; --json lists all"))
    if rows:
        print_table(_HEADS, sorted(rows, key=lambda row: (row[1], list(KINDS).index(row[0]))))
