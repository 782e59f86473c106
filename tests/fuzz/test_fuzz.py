# SPDX-License-Identifier: Apache-2.0
"""Hostile input parses or is one clean error; what broke once holds; cost grows with size and no faster."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import __main__ as program
from tests.fuzz import growth, guided
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import BY_NAME, DATA, TARGETS, Target, found, seeds

_EXAMPLES = 300


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_inputs_to_begin_with_break_nothing(target: Target) -> None:
    """They are what our own programs write, so most of them parse."""
    known = seeds(target)
    assert known
    for data in known:
        target.check(data)


@pytest.mark.parametrize(("target", "path"), found(), ids=lambda item: item.name)
def test_what_broke_once_holds(target: Target, path: Path) -> None:
    """Each was found by fuzzing; its name says what was wrong."""
    target.check(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_changed_inputs_parse_or_are_one_clean_error(target: Target) -> None:
    """Never another exception, and every invariant holds."""
    changed = st.builds(
        lambda data, number: mutate(data, Random(number)), st.sampled_from(seeds(target)), st.integers(0, 2**64)
    )

    @settings(max_examples=_EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(changed | st.binary(max_size=200))
    def holds(data: bytes) -> None:
        target.check(data[: target.most])

    holds()


@pytest.mark.parametrize(
    ("name", "head", "piece", "tail"),
    [
        pytest.param("jsonc", b"[", b"1,\n", b"]", id="the line of each value was counted from the beginning"),
        pytest.param("configuration", b"{", b'"latency": 5, ', b"}", id="the line of each key too"),
        pytest.param("arguments", b"", b"-w\0file\0", b"", id="each option copied the words behind it"),
        pytest.param("arguments", b"-", b"i", b"", id="each letter copied those behind it"),
        pytest.param(
            "records", b"type=CWD msg=audit(1.1:1): ", b"6", b" a=b", id="a long word was tried from each letter"
        ),
        pytest.param("records", b"type=CWD msg=audit(1.1:1): ", b"a={ ", b"", id="each open brace looked for its end"),
        pytest.param("events", b'{"serial":1,"time":#012"', b'\\"', b"", id="an open text was read from each quote"),
        pytest.param("export", b"", b"A=\n", b"", id="a field that stands several times was copied with each"),
    ],
)
def test_cost_grows_no_faster_than_size(name: str, head: bytes, piece: bytes, tail: bytes) -> None:
    """Each took quadratic time once."""
    steep = growth.measure(BY_NAME[name], head, piece, tail)
    assert steep is None, steep.text()


def test_quadratic_cost_is_found_and_linear_is_not() -> None:
    """The search for growth sees what it is for."""

    def quadratic(data: bytes) -> None:
        for place in range(0, len(data), 16):
            data.count(b"x", 0, place)

    def linear(data: bytes) -> None:
        for place in range(len(data)):
            data.count(b"x", place, place + 1)

    bad, good = (Target("t", check, "") for check in (quadratic, linear))
    steep = growth.measure(bad, b"", b"ab", b"")
    assert steep is not None
    assert steep.piece == b"ab"
    assert growth.measure(good, b"", b"ab", b"") is None


def test_without_the_guided_fuzzer_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can't be installed everywhere; the rest runs."""
    monkeypatch.setattr(guided, "available", lambda: False)
    assert program.main(["--seconds", "1", "place"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("fuzz: atheris is not installed")
    assert [line.partition(":")[0] for line in rest] == ["place"]


@pytest.mark.skipif(not guided.available(), reason="atheris is not installed: `tox -e fuzz` has it")
def test_the_guided_fuzzer_runs_and_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean target ends by itself with its numbers."""
    monkeypatch.setattr(program, "BUILD", tmp_path)
    row = program._guided(BY_NAME["place"], 1)
    assert row.runs > 0
    assert row.branches > 0
    assert row.found == ()


def test_every_folder_of_inputs_has_its_target() -> None:
    """None is left behind by a target that went."""
    assert sorted(path.name for path in DATA.iterdir()) == sorted(BY_NAME)
