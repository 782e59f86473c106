# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store verify`: whether what is stored is whole."""

import argparse
from collections import Counter

from ttyscribe import stores
from ttyscribe.care.folders import told
from ttyscribe.text import counted, print_json, print_table
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.care.findings import KINDS, Finding
from ttyscribe_store.care.verify import verify_keeping, verify_recordings

DESCRIPTION = """Looks whether what is stored is whole: all recordings, or those that are named. On a folder of SQLite
files it reads every page of every file, and compares all indexes with the documents; on Elasticsearch or OpenSearch it
looks for documents that are in several indices. It changes nothing, and those that write and read go on."""
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
    parser.add_argument("--quick", action="store_true", help="look at pages and ids, not at each document")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each finding")


def run(options: argparse.Namespace) -> int:
    """Look, and say what was found."""
    url, store = stores.opened(options)
    report = _Report(json=options.json)
    recordings = messages = 0
    if not options.recordings:
        with told("looking at files") as tell:
            for finding in verify_keeping(store, tell, quick=options.quick):
                report.add(finding)
    try:
        with told("looking at recordings") as tell:
            for looked in verify_recordings(store, options.recordings, tell):
                recordings, messages = recordings + bool(looked.messages), messages + looked.messages
                for finding in looked.findings:
                    report.add(finding)
    except ConfigError as error:
        if not report.counts:
            raise
        report.add(Finding("damage", "", "", f"recordings could not be looked at: {error}", {}))
    report.end()
    if not options.json:
        said = counted(report.counts.total(), "finding") if report.counts else "nothing found"
        print(f"{url}: {said} in {counted(messages, 'message')} of {counted(recordings, 'recording')}")
    return 1 if report.counts else 0


class _Report:
    """Findings on their way to people or programs."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self._found: list[Finding] = []
        self._once: set[tuple[str, str]] = set()
        self.counts: Counter[tuple[str, str]] = Counter()

    def add(self, finding: Finding) -> None:
        """Tell it now, or keep it for the table."""
        if finding.kind in ("double", "dangling"):  # files and recordings may both tell of it
            key = ("" if "document" in finding.details else finding.recording, str(finding.details.get("document")))
            if key in self._once:
                return
            self._once.add(key)
        self.counts[finding.kind, finding.recording] += 1
        if self._json:
            print_json(as_json(finding))
        elif self.counts[finding.kind, finding.recording] <= _SHOWN:
            self._found.append(finding)

    def end(self) -> None:
        """Show the table."""
        rows = [(one.kind, one.recording, one.where, one.text) for one in self._found]
        for (kind, recording), count in self.counts.items():
            if count > _SHOWN and not self._json:
                rows.append((kind, recording, "", f"and {count - _SHOWN} more; --json lists all"))
        if rows:
            print_table(_HEADS, sorted(rows, key=lambda row: (row[1], list(KINDS).index(row[0]))))


def as_json(finding: Finding) -> dict[str, object]:
    """A finding for programs."""
    told = {"kind": finding.kind, "recording": finding.recording, "where": finding.where, "text": finding.text}
    return told | finding.details
