# SPDX-License-Identifier: Apache-2.0
"""The verbs over what is no engine, or one on a bad day: one line that says so, and never a traceback."""

import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.command import COMMAND, run
from tests.store.stand_in import Action, StandIn, answer, standing_in
from tests.store.test_elastic_sizes import HEADS, Endless

VERBS = (
    ("search", "x"),
    ("recordings",),
    ("index",),
    ("store", "verify"),
)
PAGE = b"<html>\x1b[31mlog\nin</html>"
SEARCHED: dict[str, Any] = {"_shards": {"failed": 0}, "hits": {"total": {"value": 1}, "hits": []}}


def _found(*hits: Any) -> Action:
    return answer(200, SEARCHED | {"hits": {"total": {"value": 1}, "hits": list(hits)}})


NONE: dict[str, Action] = {
    "a page": answer(200, PAGE, "text/html"),
    "a proxy's page": answer(502, PAGE, "text/html"),
    "nothing": answer(200),
    "half of it": answer(200, json.dumps(SEARCHED).encode()[:-9]),
    "other JSON": answer(200, [7]),
    "what is no hit": _found(7),
    "a document that somebody else wrote": _found({"_index": "i", "_id": "1", "_source": {"ttyscribe": {}}}),
    "aggregations that are none": answer(200, SEARCHED | {"aggregations": {"recordings": {"buckets": [7]}}}),
    "an answer without end": Endless(HEADS["in chunks"]),
}


@pytest.fixture
def server() -> Iterator[StandIn]:
    """What answers in the engine's place."""
    with standing_in() as started:
        yield started


@pytest.mark.parametrize("said", NONE.values(), ids=NONE)
def test_every_verb_says_in_one_line_what_is_wrong(server: StandIn, said: Action) -> None:
    server.always = said
    for verb in VERBS[:1] if isinstance(said, Endless) else VERBS:
        done = run(*verb, "--store", server.url)
        assert done.returncode in (1, 2), (verb, done)
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1, (verb, done.stderr)
        assert len(done.stderr) < 700
        assert "\x1b" not in done.stderr
        if done.returncode == 1:
            assert server.url in done.stderr, "it says who"


def test_one_who_follows_goes_on(server: StandIn) -> None:
    bad = [NONE[name] for name in ("a page", "half of it", "a document that somebody else wrote", "nothing")]
    server.always = bad.pop()
    command = [*COMMAND, "index", "--store", server.url, "--follow", "--seconds", "0.1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        while bad:
            line = process.stderr.readline()
            assert line.startswith(f"ttyscribe: {server.url}"), line
            assert line.endswith("; trying again\n")
            server.always = bad.pop()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert "Traceback" not in process.stderr.read()
