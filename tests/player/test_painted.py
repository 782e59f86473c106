# SPDX-License-Identifier: Apache-2.0
"""Painted from the emulator's screen, on a real terminal: places both ways, searching, sizes, and hostile recordings.

What the viewer sees is judged by a screen that is fed what the player writes.
"""

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.player.logs import PLAYER, write_log
from tests.recorder.recorder import AtTerminal, wait_for
from tests.store.samples import make_recording, message
from ttyscribe_player.usage import KEYS
from ttyscribe_screen import Screen

HOUR_MS = 3_600_000
SAFE = re.compile(
    rb"(?:[\x20-\x7e\r\n]|[\xc2-\xf4][\x80-\xbf]+|\x1b\[[0-9;]*[mHGJK]"
    rb"|\x1b\[(?:4|20|\?5|\?69)l"
    rb"|\x1b\[\?(?:25|7|1049|1|9|100[0-6]|1015|2004)[hl]|\x1b>|\x1b\(B|\x0f|\x18|\x1b\\)*"
)
"""Everything that the player itself may write."""


class Viewer(AtTerminal):
    """A terminal with somebody who looks at it."""

    def shown(self) -> list[str]:
        """What stands there now, row by row."""
        screen = Screen(80, 24)
        screen.feed(self.look(0.01))
        return [line.rstrip() for line in screen.lines()]

    def wait_for_row(self, row: int, text: str) -> None:
        """Wait until this row is exactly that."""
        wait_for(lambda: self.shown()[row] == text, f"row {row}: {text!r}, not {self.shown()}")

    def wait_for_status(self, text: str) -> None:
        """Wait until the last line says it."""
        wait_for(lambda: text in self.shown()[-1], f"status {text!r}, not {self.shown()[-1]!r}")


@contextlib.contextmanager
def viewing(*arguments: str | Path, env: dict[str, str] | None = None) -> Iterator[Viewer]:
    """The player at a terminal of 80 columns and 24 rows."""
    viewer = Viewer([*PLAYER, *map(str, arguments)], env={**os.environ, "TERM": "xterm", **(env or {})})
    try:
        yield viewer
    finally:
        viewer.close()


def end(viewer: Viewer) -> int:
    """Quit; the exit status. The terminal must be as it was."""
    viewer.type(b"q")
    status = viewer.wait()
    assert viewer.attributes() == viewer.found
    return status


def slow(tmp_path: Path, *outputs: bytes) -> Path:
    """One output an hour, on a terminal of 80x20: there is room for the status."""
    messages = make_recording("rec", outputs, step_ms=HOUR_MS)
    return write_log(tmp_path / "log", [one._replace(timing=one.timing.replace("24", "20")) for one in messages])


def test_it_plays_and_leaves_the_last_screen_on_the_terminal(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"\x1b[31mred", b"\r\nb\xff", b"\x1b[5;5Hc"], step_ms=20))
    with viewing(log) as viewer:
        assert viewer.wait() == 0
        assert viewer.attributes() == viewer.found
        before, _, after = viewer.seen.partition(b"\x1b[?1049l")
        assert b"\x1b[?1049h" in before
        assert b"\x1b[0;31mred\x1b[0m" in after
        assert viewer.shown()[1:6] == ["red", "b\ufffd", "", "", "    c"]


def test_seeking_both_ways_shows_what_stood_there(tmp_path: Path) -> None:
    with viewing(slow(tmp_path, b"one", b"\rtwo", b"\rsix", b"\rten")) as viewer:
        viewer.wait_for_row(0, "one")
        for keys, text in (
            (b"2:30:00G", "six"),
            (b"1:00:00G", "two"),
            (b"0G", "one"),
            (b" 100%", "ten"),
            (b"34%", "two"),
            (b"r", "one"),
            (b"G", "ten"),
            (b"\x1b[H", "one"),
            (b"59:58G\x1b[C", "two"),
            (b"\x1b[D", "one"),
            (b"\x1b[A", "two"),
            (b"\x1b[B", "one"),
        ):
            viewer.type(keys)
            viewer.wait_for_row(0, text)
        assert end(viewer) == 0


def test_stepping_both_ways(tmp_path: Path) -> None:
    with viewing("-p", slow(tmp_path, b"one", b"\rtwo", b"\rsix")) as viewer:
        viewer.wait_for_status("paused at 0:00.000")
        for keys, text in ((b".", "one"), (b".", "two"), (b".", "six"), (b",", "two"), (b",", "one"), (b",,,", "")):
            viewer.type(keys)
            viewer.wait_for_row(0, text)
        viewer.type(b"...")
        viewer.wait_for_row(0, "six")
        assert not viewer.ended()
        assert end(viewer) == 0


@pytest.mark.parametrize(("goto", "text"), [("50%", "two"), ("end", "three"), ("1:00:01", "two"), ("start", "one")])
def test_it_begins_where_it_is_told_to(tmp_path: Path, goto: str, text: str) -> None:
    with viewing("-p", "--goto", goto, slow(tmp_path, b"one", b"\rtwo", b"\rthree")) as viewer:
        viewer.wait_for_status("paused")
        if goto == "start":
            viewer.type(b".")
        viewer.wait_for_row(0, text)
        assert end(viewer) == 0


def test_pauses_are_cut_when_asked_to(tmp_path: Path) -> None:
    log = slow(tmp_path, b"one", b"\rtwo", b"\rthree")
    with viewing("--idle-limit=0.1", log) as viewer:
        assert viewer.wait() == 0
        assert b"three" in viewer.seen
    with viewing(log) as viewer:
        viewer.wait_for_row(0, "one")
        viewer.type(b"i")
        viewer.wait_for_status("pauses cut to 2 s")
        assert viewer.wait() == 0


def test_searching_finds_what_stood_on_the_screen_both_ways(tmp_path: Path) -> None:
    log = slow(
        tmp_path, b"one\r\n", b"sec\x1b[31mret", b"\r\n", b"\x1b[2J\x1b[Hnothing", b"\r\nSecret caf\xc3\xa9", b"end"
    )
    with viewing("-p", log) as viewer:
        viewer.type(b"/secrex\x7ft\r")
        viewer.wait_for_status("found: secret")
        viewer.wait_for_status("paused at 1:00:00.000 of 5:00:00.000")
        viewer.type(b"n")
        viewer.wait_for_status("4:00:00.000 of")
        viewer.type(b"n")
        viewer.wait_for_status("not found: secret")
        viewer.type(b"N")
        viewer.wait_for_status("1:00:00.000 of")
        viewer.type(b"N")
        viewer.wait_for_status("not found: secret")
        viewer.type("/café\r".encode())
        viewer.wait_for_status("4:00:00.000 of")
        viewer.type(b"r/Secret\r")
        viewer.wait_for_status("found: Secret")
        viewer.wait_for_status("4:00:00.000 of")
        assert end(viewer) == 0


def test_a_larger_recording_is_cut_round_its_cursor(tmp_path: Path) -> None:
    lines = "".join(f"line {number}\r\n" for number in range(50))
    log = write_log(tmp_path / "log", [message(1, lines, timing=f"=120x60>{len(lines)}"), message(2, "x", pos=HOUR_MS)])
    with viewing(log) as viewer:
        viewer.wait_for_row(22, "line 49")
        viewer.type(b" ")
        viewer.wait_for_status("recorded at 120x60, this terminal has 80x24")
        viewer.wait_for_row(21, "line 49")
        assert b"\x1b[8;60" not in viewer.seen
        assert end(viewer) == 0


def test_the_window_is_resized_when_asked_to(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, "a", timing="=120x60>1"), message(2, "x", pos=HOUR_MS)])
    with viewing("--resize", log) as viewer:
        viewer.wait_to_see(b"\x1b[8;60;120t")
        assert end(viewer) == 0


def test_it_is_painted_anew_when_the_viewer_changes_the_size(tmp_path: Path) -> None:
    with viewing(slow(tmp_path, b"one", b"two")) as viewer:
        viewer.wait_for_row(0, "one")
        before = len(viewer.look())
        viewer.resize((60, 10))
        os.kill(viewer.pid, signal.SIGWINCH)
        wait_for(lambda: b"\x1b[2J" in viewer.look(0.01)[before:], "painted anew")
        assert b"\x1b[10;1H" in viewer.look(0.1)[before:]
        assert end(viewer) == 0


def test_a_recording_of_pipes_has_its_lines_below_each_other(tmp_path: Path) -> None:
    with viewing(
        write_log(tmp_path / "log", [message(1, "a\nb\n", timing=">4"), message(2, "x", pos=HOUR_MS)])
    ) as viewer:
        viewer.wait_for_row(1, "b")
        assert end(viewer) == 0


def test_gaps_are_told_in_the_status_and_at_the_end(tmp_path: Path) -> None:
    messages = [message(1, "a"), message(4, "d", pos=1), message(5, "e", pos=HOUR_MS)]
    with viewing(write_log(tmp_path / "log", messages)) as viewer:
        viewer.wait_for_status("messages 2 to 3 are missing")
        viewer.wait_for_row(0, "ad")
        assert end(viewer) == 1
        assert b"ttyscribe-play: at 0:00.000: messages 2 to 3 are missing" in viewer.seen


HOSTILE = (
    b"\x1b]52;c;cm0gLXJmIC8K\x07\x1b]0;owned\x07\x1b]8;;http://evil\x07link\x1b]8;;\x07\x05\x1b[c\x1b[>c\x1b[6n\x1b[21t"
    b"\x1b[20t\x1b[8;5;5t\x1b[3;0;0t\x1bP+q544e\x1b\\\x1b_payload\x1b\\\x1b[?1003h\x1b[?2004h\x1b[5i\x1b[4i\x1b]1337;File=\x07"
    b"\x1b[!p\x1b[?5h\x1b[2;2;2;2;2$r\x1bZ\x1b#8\x1b]50;font\x1b\\\x9b21t\xc2\x9b21t\xc2\x9d0;x\xc2\x9c\x90\x9e\xe2\x80\xae"
)


def test_nothing_that_was_recorded_reaches_the_terminal(tmp_path: Path) -> None:
    pieces = [
        HOSTILE,
        *(HOSTILE[n : n + 3] for n in range(0, len(HOSTILE), 3)),
        os.urandom(4000),
        b"\x1b]0;never ended",
    ]
    log = write_log(tmp_path / "log", make_recording("rec", pieces, step_ms=1))
    with viewing(log) as viewer:
        assert viewer.wait() == 0
        assert viewer.attributes() == viewer.found
        assert SAFE.fullmatch(viewer.seen)
        for start in range(len(viewer.seen)):
            assert viewer.seen[start : start + 2] not in (b"\xc2\x9b", b"\xc2\x9d", b"\xc2\x90")


WITHOUT = "import sys; sys.modules['avt'] = None; import ttyscribe_screen.screen as s; s.find_spec = lambda _: None"


@contextlib.contextmanager
def viewing_without_emulator(*arguments: str | Path) -> Iterator[Viewer]:
    """The same where the emulator is not installed."""
    code = f"{WITHOUT}; from ttyscribe_player.play import main; sys.exit(main())"
    viewer = Viewer([PLAYER[0], "-c", code, *map(str, arguments)], env={**os.environ, "TERM": "xterm"})
    try:
        yield viewer
    finally:
        viewer.close()


def test_without_the_emulator_a_filter_serves_and_it_is_said(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [HOSTILE, b"\x1b[2J\x1b[3;3H\x1b[31mred\r\n"], step_ms=1))
    with viewing_without_emulator(log) as viewer:
        assert viewer.wait() == 0
        assert viewer.attributes() == viewer.found
        played = viewer.seen.partition(b"\x18")[0]
        for word in (
            b"\x1b]52",
            b"owned",
            b"\x05",
            b"\x1b[c",
            b"\x1b[6n",
            b"\x1b[21t",
            b"\x1bP",
            b"\x1b_",
            b"\x1b[?1003h",
        ):
            assert word not in played
        assert b"link" in played
        assert b"\x1b[2J\x1b[3;3H\x1b[31mred\r" in played
        assert b"no emulator is installed" in viewer.seen


def test_without_the_emulator_going_back_writes_it_again(tmp_path: Path) -> None:
    with viewing_without_emulator(slow(tmp_path, b"one,", b"two,", b"three,")) as viewer:
        viewer.wait_to_see(b"one,")
        viewer.type(b"1:30:00G")
        viewer.wait_to_see(b"two,")
        viewer.type(b"0G")
        viewer.wait_to_see(b"\x1b[2Jone,")
        viewer.type(b"/")
        viewer.wait_to_see(b"searching needs the emulator")
        assert end(viewer) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_the_terminal_restored(tmp_path: Path, number: signal.Signals) -> None:
    with viewing(slow(tmp_path, b"first", b"second")) as viewer:
        viewer.wait_for_row(0, "first")
        viewer.send(number)
        assert viewer.wait() == -number
        assert viewer.attributes() == viewer.found
        assert b"\x1b[?1049l" in viewer.seen


def test_random_keys_break_nothing(tmp_path: Path) -> None:
    log = slow(tmp_path, *[b"\x1b[3;3Hx%d" % number for number in range(30)])
    with viewing(log) as viewer:
        viewer.wait_to_see(b"x0")
        keys = b"rpi.,nN/%GABCD\r0123456789: {}\x7f\x1b["
        viewer.type(bytes(keys[byte % len(keys)] for byte in os.urandom(1500)))
        time.sleep(0.5)
        viewer.send(signal.SIGTERM)
        assert viewer.wait() in (0, -signal.SIGTERM)
        assert viewer.attributes() == viewer.found
        assert b"Traceback" not in viewer.seen


def test_it_is_idle_in_a_pause(tmp_path: Path) -> None:
    with viewing("-p", slow(tmp_path, b"one", b"two")) as viewer:
        viewer.wait_for_status("paused")
        time.sleep(4)
        used = Path(f"/proc/{viewer.pid}/stat").read_text().split()[13:15]
        time.sleep(2)
        assert Path(f"/proc/{viewer.pid}/stat").read_text().split()[13:15] == used
        assert end(viewer) == 0


@pytest.mark.parametrize("unit", [b"\x1b#8", b"\x1bc", b"a\x1b[65535b"], ids=["fill", "reset", "repeat"])
def test_keys_are_heard_while_dear_sequences_are_played(tmp_path: Path, unit: bytes) -> None:
    """A megabyte of them would take a minute and more."""
    text = (unit * (1 << 17)).decode()
    log = write_log(tmp_path / "log", [message(1, text, timing=f"=500x200>{len(text)}"), message(2, "x", pos=HOUR_MS)])
    with viewing(log) as viewer:
        viewer.wait_to_see(b"\x1b[?1049h")
        time.sleep(1)
        start = time.monotonic()
        assert end(viewer) == 0
        assert time.monotonic() - start < 20


def test_the_keys_are_shown_while_the_recording_waits(tmp_path: Path) -> None:
    with viewing(slow(tmp_path, b"first", b"second")) as viewer:
        viewer.wait_for_row(0, "first")
        viewer.type(b"?")
        viewer.wait_for_status("any key goes back")
        shown = "\n".join(viewer.shown())
        for key, text in KEYS:
            assert f"{key:14s} {text}"[:77] in shown
        viewer.type(b"q")  # goes back, and ends nothing
        viewer.wait_for_row(0, "first")
        viewer.wait_for_status("playing")
        viewer.type(b"p?")
        viewer.wait_for_status("any key goes back")
        viewer.type(b"\r")
        viewer.wait_for_status("paused")
        assert end(viewer) == 0


def test_persist_lets_no_key_end_it(tmp_path: Path) -> None:
    """Neither q nor the keys that make signals; a signal does."""
    with viewing("--persist", slow(tmp_path, b"first", b"second")) as viewer:
        viewer.wait_for_row(0, "first")
        viewer.type(b"q\x03\x1c\x1aq")
        time.sleep(0.5)
        assert not viewer.ended()
        viewer.type(b"p")
        viewer.wait_for_status("paused")
        viewer.send(signal.SIGTERM)
        assert viewer.wait() == -signal.SIGTERM
        assert viewer.attributes() == viewer.found


def test_a_speed_of_nothing_begins_with_a_pause(tmp_path: Path) -> None:
    with viewing("--speed=0", slow(tmp_path, b"one", b"\rtwo")) as viewer:
        viewer.wait_for_status("paused at 0:00.000")
        viewer.type(b".")
        viewer.wait_for_row(0, "one")
        viewer.type(b".")
        viewer.wait_for_row(0, "two")
        assert end(viewer) == 0
