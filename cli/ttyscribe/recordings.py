# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe recordings`: which recordings there are, newest first."""

import argparse
import sys

from ttyscribe import deriving, stores, times
from ttyscribe.text import counted, print_json, print_table
from ttyscribe_store.base import RecordingFilter

DESCRIPTION = """Lists recordings, newest first.

On SQLite they are brought up to date first. On Elasticsearch or OpenSearch they are what `ttyscribe index` derived; how
many are behind their messages is said on standard error. These can be played all the same.

STATE names the first messages of a recording that are missing by their numbers, and says how many claim a number that
another one has too, how many have a number below 1, which no recorder gives, and how many users and hosts the messages
claim if it is more than one. `no end`: the last one has no end mark, so that the
recording still runs, was cut off, or was written by tlog, which makes none. User, host and start are those of one
message: of the highest trust, and of these the first whose number no other claims. --user, --host, --since and
--until list each recording with any message that fits, so that a forged one hides nothing. TRUST is the lowest of any
of its messages: system (from a trusted user id, attested by the kernel), user (from the recorded user), none."""
EPILOG = """examples:
  ttyscribe recordings --store sqlite:/var/lib/ttyscribe
  ttyscribe recordings --user alice --since 2026-11-01 --until 2026-11-08
  ttyscribe recordings --host web7 --since 2h --json"""
_HEADS = ("RECORDING", "USER", "HOST", "START", "DURATION", "MESSAGES", "STATE", "TRUST")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    stores.add_store(parser)
    stores.add_bounds(parser, "that ran at or after this time")


def run(options: argparse.Namespace) -> int:
    """List them."""
    url, store = stores.opened(options)
    deriving.derive_if_local(url, store)
    wanted = RecordingFilter(user=options.user, host=options.host, since_ns=options.since, until_ns=options.until)
    found = list(store.recordings(wanted))
    deriving.tell_lag(store)
    if options.json:
        for one in found:
            print_json(stores.as_json(one))
        return 0
    if not found:
        print(f"ttyscribe: no recordings in {url}{' that fit' if wanted != RecordingFilter() else ''}", file=sys.stderr)
        return 0
    rows = [
        (
            one.recording,
            one.user,
            one.host,
            times.local(one.start_ns),
            stores.duration(one.duration_ms),
            str(one.messages),
            stores.state(one),
            one.trust,
        )
        for one in found
    ]
    print_table(_HEADS, rows)
    print(f"{counted(len(found), 'recording')}; times in {times.zone(found[0].start_ns)}")
    return 0
