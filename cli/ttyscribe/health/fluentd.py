# SPDX-License-Identifier: Apache-2.0
"""Checks of Fluentd's configuration where it runs our program; pure. Measured on Fluentd 1.13.3 and 1.16.10."""

import re
from collections.abc import Iterator

from ttyscribe.health.findings import NOTE, PROBLEM, PROGRAM, Finding, Rule, table
from ttyscribe.health.fluentconf import Section

RULES = table(
    Rule(
        "fluentd-1",
        NOTE,
        "exec_filter delivers at most once",
        "What is in the pipes is lost when Fluentd or the program dies, and at every stop.",
        "use @type exec with --protocol fluentd-chunk where that matters",
    ),
    Rule(
        "fluentd-2",
        PROBLEM,
        "records pass as tab separated values",
        "It is the default, and escapes neither tabs nor line ends.",
        "<format> @type msgpack </format> and <parse> @type msgpack </parse>; for exec <format> @type json </format>",
    ),
    Rule(
        "fluentd-3",
        PROBLEM,
        "the two sides speak different formats",
        "One line that is not in the format stops Fluentd's reader for good, and all later output is lost.",
        "the same @type in <format> and <parse>, and --protocol fluentd-msgpack or fluentd-json to match",
    ),
    Rule(
        "fluentd-4",
        PROBLEM,
        "a program that has died is not started again",
        "child_respawn is none by default: nothing is delivered any more.",
        "child_respawn inf",
    ),
    Rule(
        "fluentd-5",
        NOTE,
        "what the program reports is lost",
        "Fluentd sends its standard error to /dev/null.",
        "--log-file /var/log/ttyscribe-normalize.log in the command",
    ),
    Rule(
        "fluentd-6",
        PROBLEM,
        "a time is misread",
        "Fluentd takes a fraction with a unit for another number: 0.2s is 2 s, 1.5s is 5 s, 60.0s is 0.",
        "whole numbers with a unit, or a fraction without one",
    ),
    Rule(
        "fluentd-7",
        PROBLEM,
        "the buffer gives chunks up",
        "After retry_timeout, or when the buffer is full, records are thrown away.",
        "retry_forever true and overflow_action block in <buffer>",
    ),
    Rule(
        "fluentd-8",
        PROBLEM,
        "the buffer is in memory",
        "What waits there is lost when Fluentd dies.",
        "<buffer> @type file with a path",
    ),
    Rule(
        "fluentd-9",
        PROBLEM,
        "the command writes to a pipe that nobody reads",
        "A command of @type exec that writes more than 64 KiB hangs, is killed and gets its chunk again.",
        "an --output that is a store",
    ),
    Rule(
        "fluentd-10",
        PROBLEM,
        "equal records can't be told apart",
        "A chunk's records are named by their content: without a time in them, equal ones are stored once.",
        "<inject> time_key fluentd_time, time_type float </inject>",
    ),
    Rule(
        "fluentd-11",
        PROBLEM,
        "the journal's place is not kept",
        "Without a storage the input begins anew, or at the end, at each start.",
        "<storage> @type local with a path in the systemd source",
    ),
    Rule(
        "fluentd-12",
        PROBLEM,
        "the program can't be started",
        "It works in a shell and not under the daemon: PATH and virtual environments are not the same there.",
        "name an absolute path that exists",
    ),
    Rule(
        "fluentd-13", PROBLEM, "the file can't be read", "Fluentd would refuse it.", "run `fluentd --dry-run -c FILE`"
    ),
)
_FRACTION = re.compile(r"\d*\.\d+\s*[smhd]")
_TIMES = re.compile(r"(?:interval|timeout|wait|expiry|timekey|period)(?:_\w+)?$")
_FORMATS = {"fluentd-json": "json", "fluentd-msgpack": "msgpack"}


def commands(root: Section) -> Iterator[Section]:
    """The sections that run our program."""
    for section in root.walk():
        if section.name in ("match", "store", "source") and PROGRAM in section.get("command"):
            yield section


def check(root: Section) -> Iterator[Finding]:
    """Everything that is wrong."""
    for section in root.walk():
        for name, (value, place) in section.params.items():
            if _FRACTION.fullmatch(value) and _TIMES.search(name):
                yield Finding(RULES["fluentd-6"], place, f"{name} {value}")
        if section.name == "source" and section.get("@type", "type") == "systemd" and not section.section("storage"):
            yield Finding(RULES["fluentd-11"], section.place)
    for section in commands(root):
        kind = section.get("@type", "type")
        if kind == "exec_filter":
            yield from _filter(section)
        elif kind == "exec":
            yield from _chunks(section)
        if "--log-file" not in section.get("command"):
            yield Finding(RULES["fluentd-5"], section.at("command"))


def _filter(section: Section) -> Iterator[Finding]:
    yield Finding(RULES["fluentd-1"], section.place)
    to, back = _format(section, "format"), _format(section, "parse")
    spoken = next((kind for name, kind in _FORMATS.items() if name in section.get("command").split()), "")
    if "tsv" in (to, back):
        yield Finding(RULES["fluentd-2"], section.place, f"format {to}, parse {back}")
    elif to != back or (spoken and spoken != to):
        yield Finding(
            RULES["fluentd-3"], section.place, f"format {to}, parse {back}, the program {spoken or 'neither'}"
        )
    if section.get("child_respawn") in ("", "none", "0"):
        yield Finding(RULES["fluentd-4"], section.at("child_respawn"))
    yield from _buffer(section, durable=False)


def _chunks(section: Section) -> Iterator[Finding]:
    form = _format(section, "format")
    if form not in ("json", "msgpack"):
        yield Finding(RULES["fluentd-2"], section.place, f"format {form}")
    words = section.get("command").split()
    if "--output" in words[:-1] and words[words.index("--output") + 1] == "-":
        yield Finding(RULES["fluentd-9"], section.at("command"))
    inject = section.section("inject")
    if inject is None or not inject.get("time_key"):
        yield Finding(RULES["fluentd-10"], inject.place if inject else section.place)
    yield from _buffer(section, durable=True)


def _format(section: Section, name: str) -> str:
    inner = section.section(name)
    return inner.get("@type", "type", default="tsv") if inner else "tsv"


def _buffer(section: Section, *, durable: bool) -> Iterator[Finding]:
    buffer = section.section("buffer")
    if durable and (buffer is None or buffer.get("@type", "type", default="memory") == "memory"):
        yield Finding(RULES["fluentd-8"], buffer.place if buffer else section.place)
    forever = buffer is not None and buffer.get("retry_forever") == "true"
    blocks = buffer is not None and buffer.get("overflow_action") == "block"
    if not (forever and blocks):
        yield Finding(RULES["fluentd-7"], buffer.place if buffer else section.place)
