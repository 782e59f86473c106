# SPDX-License-Identifier: Apache-2.0
"""The short ways to clear text, words and sums give what the long ways give, or nothing."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ttyscribe_formats import words
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.identity import tlog_id
from ttyscribe_formats.plain import hidden_text, plain_text
from ttyscribe_formats.proven import Prover, Session
from ttyscribe_formats.readable import moving, onward, readable, size_of
from ttyscribe_formats.reading import measure
from ttyscribe_formats.tally import tally
from ttyscribe_formats.tlog import Message, encode, to_fields

PIECES = [
    "\x1b[0m",
    "\x1b[K",
    "\x1b[0K",
    "\x1b[01;34m",
    "\x1b[?2004h",
    "\x1b[3",
    "\x1b[",
    "\x1b",
    "\x1b]0;t\x07",
    "m",
    "K",
]
PIECES += ["\r\n", "\r", "\n", "\b", "\b \b", " ", "\t", "\0", "\x0b", "\x7f", "\x15", "\x85", "\x9b", "\x18", "\x07"]
PIECES += ["ls", "Grüße", "a_b", "w" * 64, "w" * 65, "ﬁ", "\xa0", "日本", "5", ";", "\ud800"]
OUTPUT = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def long_way(text: str) -> tuple[str, str]:
    clear, hidden = plain_text(text), hidden_text(text)
    return clear, " ".join(words.words(f"{clear}\n{hidden}"))


@settings(max_examples=400)
@given(OUTPUT | st.text(max_size=40))
@example("\x1b[3\x1b[0m1m")
@example("\r\x1b[K\n")
@example("\r\r\n")
@example("\x1b[\x15K")
@example("a\x1b[0K\bb\x1b[K\b")
def test_every_short_way_reads_as_the_long_way_does(text: str) -> None:
    wanted = long_way(text)
    assert readable(text) == wanted
    for short in (onward, moving):
        found = short(text)
        if found is not None:
            assert found == wanted
            assert hidden_text(text) == ""


@pytest.mark.parametrize(
    ("text", "clear", "found"),
    [
        ("$ ls\r\n\x1b[01;34mdir\x1b[0m\x1b[K\tFile_1\r\n", "$ ls\ndir\tFile_1\n", "ls dir file_1"),
        ("\x1b[?2004hada@web7:~$ ", "ada@web7:~$ ", "ada web7"),
        ("Grüße ☃ \x1b[1m日本\x1b[0m", "Grüße ☃ 日本", "grüsse 日本"),
        ("w" * 70, "w" * 70, f"{'w' * 64} {'w' * 6}"),
    ],
)
def test_usual_output_takes_the_shortest_way(text: str, clear: str, found: str) -> None:
    assert onward(text) == (clear, found)


@pytest.mark.parametrize(
    "text",
    [
        "\x7f\b \bada",
        "\b \b",
        "\b \b\x1b[K",
        "\b \bls\x1b[K\n",
        "\b \b\b \bx",
        "10% \r10% done\n",
        "x \b\x1b[Ky",
        "\0a\x07",
    ],
)
def test_what_goes_back_and_loses_nothing_takes_a_short_way(text: str) -> None:
    assert onward(text) is None
    assert moving(text) == long_way(text)


@pytest.mark.parametrize("text", ["sl\b\bls", "secret\r\x1b[K", "\x1b]0;title\x07", "\x1b[3\x1b[0m1m", "a\rb" * 20])
def test_what_loses_something_takes_the_long_way(text: str) -> None:
    assert onward(text) is None
    assert moving(text) is None


NUMBER = st.integers(0, 10**6) | st.integers(2**62, 2**66) | st.just(1)
RECORD = st.one_of(
    st.builds("{}{}".format, st.sampled_from("+<>"), NUMBER),
    st.builds("={}x{}".format, st.integers(0, 70000), st.integers(0, 200)),
    st.builds("[{}/{}".format, NUMBER, NUMBER),
    st.sampled_from([" ", "+", "5", ">01", "=80", "x3", "-1", "+1.5", "+1e3", "٣", "+٣"]),
)


def message(timing: str, typed: int = 0, shown: int = 0) -> Message:
    return Message("2.3", "h", "r", "u", "t", 1, 1, 5, 0, timing, "i" * typed, b"", "o" * shown, b"")


@settings(max_examples=400)
@given(st.lists(RECORD, max_size=6).map("".join))
@example("=80x24>3+120>1")
@example("5>3")
@example(">18446744073709551617+1")
def test_sums_are_those_of_reading_record_by_record(timing: str) -> None:
    typed, shown = (sum(int(n) for n in re.findall(f"{marker}([0-9]+)", timing)) for marker in "<>")
    delayed = tally(timing, typed, shown, json.loads)
    assert tally(timing, typed + 1, shown, json.loads) is None
    assert tally(timing, typed, shown + 1, json.loads) is None
    if delayed is not None and typed + shown < 10**6:
        assert measure(message(timing, typed, shown))[:4] == (typed, shown, 5 + delayed, 0)


@pytest.mark.parametrize(
    ("timing", "typed", "shown", "delayed"),
    [("=80x24+1486>1+120>1+9>222", 0, 224, 1615), (">3", 0, 3, 0), ("=80x24<1+5>1+7<2", 3, 1, 12)],
)
def test_usual_timing_is_summed_at_once(timing: str, typed: int, shown: int, delayed: int) -> None:
    assert tally(timing, typed, shown, json.loads) == delayed


@pytest.mark.parametrize(
    "timing", ["", "5", "5>3", "=80x24>1=90x24", ">1=80x24", "]1/1", " >1", "+>1", ">01", "=70000x1>1"]
)
def test_unusual_timing_is_left_to_the_reader(timing: str) -> None:
    typed, shown = (sum(int(n) for n in re.findall(f"{marker}([0-9]+)", timing)) for marker in "<>")
    assert tally(timing, typed, shown, json.loads) is None


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(["", '"id":', "\x7f/\\\n", "ü"])
SESSION = Session("web7", "ada", "r-1")
KNOWN = Message("2.3", "web7", "r-1", "ada", "xterm", 3, 1, 0, 1000, ">2", "", b"", "hi", b"")


def proven(text: str, prover: Prover) -> object:
    return prover.prove(text, json.loads(text))


@settings(max_examples=200)
@given(TEXT, TEXT, st.integers(0, 2**64), st.integers(0, 2**42), st.integers(0, 2**41))
def test_a_message_of_the_encoder_s_own_is_proven_and_is_what_was_encoded(
    typed: str, shown: str, number: int, pos: int, time_ms: int
) -> None:
    made = KNOWN._replace(
        id=number, pos=pos, time_ms=time_ms, in_txt=typed, out_txt=shown, timing=f"<{len(typed)}+3>{len(shown)}"
    )
    prover = Prover(json.loads)
    prover.learn(encode(KNOWN).decode(), KNOWN, SESSION)
    found = prover.prove(encode(made).decode(), json.loads(encode(made)))
    if number < 2**63 and pos <= 2147483647999:
        assert found is not None
        session, (id_ends, time_ns, *rest) = found
        assert session == SESSION
        assert f"tlog:r-1:{id_ends}" == tlog_id("r-1", made)
        assert (time_ns, *rest) == (time_ms * 1_000_000, typed, shown, measure(made).last_ms)
        assert (size_of(typed), size_of(shown), 0) == (*measure(made)[:2], measure(made).resizes)
    else:
        assert found is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"id":1,', '"id":1.0,'),
        ('"id":1,', '"id":true,'),
        ('"id":1,', '"id":-1,'),
        ('"id":1,', '"id":01,'),
        ('"id":1,', '"id":1, '),
        ('"pos":0,', '"pos":-0,'),
        ('"pos":0', '"user":"eve","pos":0'),
        ('"out_bin":[]', '"out_bin":[],"user":"eve"'),
        ('"out_bin":[]', '"out_bin":[65]'),
        ('"in_bin":[]', '"in_bin":[false]'),
        ('"time":1.000', '"time":1.0'),
        ('"time":1.000', '"time":1.0001'),
        ('"time":1.000', '"time":1000000000000000.000'),
        ('"out_txt":"hi"', '"out_txt":"\\u0068i"'),
        ('"out_txt":"hi"', '"out_txt":"h\x7f"'),
        ('"timing":">2"', '"timing":">3"'),
        ('"timing":">2"', '"timing":">1"'),
        ('"timing":">2"', '"timing":"\\u003e2"'),
        ('"user":"ada"', '"user":"eve"'),
        ('"ver":"2.3"', '"ver":"2.4"'),
        ("}", ',"ttyscribe":{"v":1}}'),
        ("}", "} "),
    ],
)
def test_what_differs_by_a_sign_is_not_proven(old: str, new: str) -> None:
    prover = Prover(json.loads)
    text = encode(KNOWN).decode()
    prover.learn(text, KNOWN, SESSION)
    assert proven(text, prover) is not None
    changed = text.replace(old, new)
    assert changed != text
    try:
        assert proven(changed, prover) is None
    except ValueError:
        pass  # no JSON at all


def test_only_what_the_encoder_would_write_is_learnt() -> None:
    text = encode(KNOWN).decode()
    for other in (text.replace('"ada"', '"\\u0061da"'), text.replace('"id":1', '"id": 1'), f" {text}"):
        prover = Prover(json.loads)
        prover.learn(other, KNOWN, SESSION)
        assert proven(other, prover) is None
        assert proven(text, prover) is None


def test_fields_that_are_none_prove_nothing() -> None:
    prover = Prover(json.loads)
    text = encode(KNOWN).decode()
    prover.learn(text, KNOWN, SESSION)
    fields = to_fields(KNOWN)
    values: list[Any] = [None, [], "x", {}, fields | {"id": "1"}, fields | {"time": 1}]
    for value in values:
        assert prover.prove(text, value) is None


def test_measure_raises_where_sums_are_left_to_it() -> None:
    with pytest.raises(MessageError):
        measure(message(">5", shown=4))
