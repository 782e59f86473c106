# SPDX-License-Identifier: Apache-2.0
"""The table of what is fuzzed, and the bytes to begin with."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import answers, audit, exchange, filtering, lines, recordings, settings, streams, viewing

DATA = Path(__file__).parent.parent / "data" / "fuzz"
FOUND = "found-"
"""Files whose names begin so broke an invariant once; each is a test of its own."""


class Target(NamedTuple):
    """One reader. `check` raises AssertionError, or what the reader should not have raised."""

    name: str
    check: Callable[[bytes], None]
    what: str
    most: int = 4096
    """Bytes of an input."""


TARGETS = (
    Target("message", recordings.message, "tlog's message: decoder, encoder, packets, numbers"),
    Target("timing", recordings.timing, "tlog's timing string over texts and bytes"),
    Target("writer", recordings.writer, "packets through the recorder's encoder and back", 1024),
    Target("utf8", recordings.utf8, "the split of a stream into text and bytes", 512),
    Target("jsonc", settings.jsonc_text, "JSON with comments, against the standard library's reader"),
    Target("configuration", settings.configuration, "the recorder's configuration file"),
    Target("arguments", settings.arguments, "the recorder's command line", 512),
    Target("cast", exchange.cast, "asciicast 2 and 3"),
    Target("script", exchange.script, "typescript and timing file"),
    Target("place", exchange.place, "places in recordings, times of log lines", 128),
    Target("keys", viewing.keys, "what the viewer's terminal sends", 512),
    Target("guard", viewing.guard, "the filter in front of the viewer's terminal", 1024),
    Target("screen", viewing.screen, "the emulator, its snapshots, and what is painted of it", 1024),
    Target("files", viewing.files, "files of messages: several recordings, damaged lines", 8192),
    Target("player", viewing.player, "keys and a hostile recording in the player", 8192),
    Target("omprog", lines.omprog, "a line of rsyslog's template, to its documents"),
    Target("mmexternal", filtering.reply, "a line of mmexternal, to its reply"),
    Target("aside", filtering.aside, "what rsyslogd has put aside, to its documents"),
    Target("ndjson", lines.ndjson, "a line of NDJSON in any shape, to its documents"),
    Target("stream", streams.stream, "lines out of reads of any size, each answered once, to their documents"),
    Target("bulk", answers.bulk, "an engine's answer to a bulk request"),
    Target("spool", streams.spool, "a segment of the spool"),
    Target("events", audit.events, "aushape's JSON: every event by itself, exact, and what is none", 8192),
    Target("records", audit.records, "raw audit records, to their documents"),
    Target("sudo", audit.sudo, "sudo's log in JSON and of old, to its documents"),
    Target("entry", lines.entry, "entries of a journal and documents of an index, for the player"),
    Target("export", lines.export, "entries of a journal's export"),
    Target("own", lines.own_key, "our own key of a message"),
    Target("text", lines.text, "clean text, hidden text and words of output", 2048),
)
BY_NAME = {target.name: target for target in TARGETS}


def seeds(target: Target) -> list[bytes]:
    """The committed inputs to begin with."""
    return [path.read_bytes() for path in sorted((DATA / target.name).iterdir())]


def found() -> list[tuple[Target, Path]]:
    """What broke an invariant once."""
    return [(target, path) for target in TARGETS for path in sorted((DATA / target.name).glob(f"{FOUND}*"))]
