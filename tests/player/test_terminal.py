# SPDX-License-Identifier: Apache-2.0
"""Exact bytes on a real terminal: keys, clock, marks; and whatever happens, the terminal is put back."""

import contextlib
import os
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.player.logs import PLAYER, write_log
from tests.recorder.recorder import AtTerminal
from tests.store.samples import make_recording, message
from ttyscribe_player.terminal import _sets_region

HOUR_MS = 3_600_000
KEEP = b"\x1b[22;0t"
"""What stands before the first recorded byte: the terminal is to remember its title."""
DRAINED = b"\x1b[5n"
"""What the player asks at the end; the test answers as a terminal does."""


@contextlib.contextmanager
def playing(
    *arguments: str | Path, redirect: Mapping[int, int] | None = None, term: str = "xterm"
) -> Iterator[AtTerminal]:
    """The player at a terminal of 80 columns and 24 rows."""
    given = [*PLAYER, "--raw", *map(str, arguments)]
    screen = AtTerminal(given, env={**os.environ, "TERM": term}, redirect=redirect)
    try:
        yield screen
    finally:
        screen.close()


def slow(tmp_path: Path, *outputs: bytes) -> Path:
    """A recording that takes hours: nothing in it comes by itself after the first."""
    return write_log(tmp_path / "log", make_recording("rec", outputs, step_ms=HOUR_MS))


def end(screen: AtTerminal) -> int:
    """Wait for the end; the exit status. The terminal must be as it was."""
    status = screen.wait()
    assert screen.attributes() == screen.found
    return status


def unread(screen: AtTerminal) -> int:
    """Bytes that the next program at this terminal would read as typed."""
    count: int = struct.unpack("i", ioctl(screen._slave, termios.FIONREAD, b"\0" * 4))[0]
    return count


def test_it_plays_to_the_end_and_leaves_colours_off_and_the_cursor_on(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"\x1b[31m\x1b[?25l", b"b\xff", b"c"], step_ms=50))
    with playing(log) as screen:
        screen.wait_to_see(DRAINED)
        screen.type(b"\x1b[0n")
        assert end(screen) == 0
        played, _, rest = screen.seen.partition(b"\x18")
        assert played == KEEP + b"\x1b[31m\x1b[?25lb\xffc"
        assert b"\x1b[0m\x1b[?25h" in rest


def test_bytes_of_a_recorded_terminal_reach_this_one_unchanged(tmp_path: Path) -> None:
    """The driver adds no carriage return: a bare line feed of a full screen program stays one."""
    log = write_log(tmp_path / "log", [message(1, "down\nand\r\nback\t.")])
    with playing(log) as screen:
        assert end(screen) == 0
        assert screen.seen.startswith(KEEP + b"down\nand\r\nback\t.")


def test_a_recording_of_pipes_gets_its_carriage_returns_from_the_driver(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, "a\nb\n", timing=">4")])
    with playing(log) as screen:
        assert end(screen) == 0
        assert screen.seen.startswith(KEEP + b"a\r\nb\r\n")


def test_a_packet_waits_for_its_time_and_a_step_does_not(tmp_path: Path) -> None:
    with playing(slow(tmp_path, b"first", b"second", b"third")) as screen:
        screen.wait_to_see(b"first")
        assert b"second" not in screen.look(0.5)
        screen.type(b".")
        screen.wait_to_see(b"second")
        assert b"third" not in screen.look(0.3)
        screen.type(b".")
        assert end(screen) == 0
        assert b"third" in screen.seen


def test_it_begins_paused_and_goes_on_at_a_key(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"first", b"second"], step_ms=10))
    with playing("-p", log) as screen:
        screen.wait_to_see(b"paused at 0:00.000")
        assert b"first" not in screen.look(0.5)
        screen.type(b"p")
        assert end(screen) == 0
        assert b"firstsecond" in screen.seen.replace(b"\x1b]2;ttyscribe: playing at 0:00.000\x07", b"")


def test_a_pause_stops_what_is_under_way(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"first", b"second"], step_ms=3000))
    with playing(log) as screen:
        screen.wait_to_see(b"first")
        screen.type(b" ")
        screen.wait_to_see(b"paused at ")
        if b"second" not in screen.seen:  # on a machine that was asleep for three seconds it has come before
            time.sleep(3.5)
            assert b"second" not in screen.look()
        screen.type(b" ")
        assert end(screen) == 0
        assert b"second" in screen.seen


def test_speed_is_doubled_halved_and_set_back_and_told(tmp_path: Path) -> None:
    with playing(slow(tmp_path, b"first", b"second")) as screen:
        for keys, told in (
            (b"}}", b"speed x4"),
            (b"{{{", b"speed x0.5"),
            (b"}" * 9, b"speed x16"),
            (b"{" * 20, b"x0.0625"),
        ):
            screen.type(keys)
            screen.wait_to_see(told)
        before = len(screen.seen)
        screen.type(b"\x7f")
        screen.wait_to_see(b"\x07")
        screen.type(b"q")
        assert end(screen) == 0
        assert b"speed" not in screen.seen[before:]


def test_a_high_speed_makes_hours_short(tmp_path: Path) -> None:
    with playing("--speed=100000", slow(tmp_path, b"first", b"second")) as screen:
        assert end(screen) == 0
        assert b"second" in screen.seen


def test_going_to_a_time_and_to_the_end(tmp_path: Path) -> None:
    with playing(slow(tmp_path, b"one,", b"two,", b"three,", b"four")) as screen:
        screen.wait_to_see(b"one,")
        screen.type(b"1:30:00G")
        screen.wait_to_see(b"one,two,")
        assert b"three" not in screen.look(0.3)
        screen.type(b"59:00G")
        screen.wait_to_see(b"\x1b[2Jone,")
        screen.type(b"G")
        assert end(screen) == 0
        again = screen.seen[screen.seen.index(b"\x1b[2Jone,") :]
        assert re.sub(rb"\x1b\]2;[^\x07]*\x07", b"", again).startswith(b"\x1b[2Jone,two,three,four")


def test_it_begins_at_a_place(tmp_path: Path) -> None:
    log = slow(tmp_path, b"one,", b"two,", b"three")
    with playing("--goto=1:30:00", log) as screen:
        screen.wait_to_see(b"one,two,")
        assert b"three" not in screen.look(0.3)
        screen.type(b"q")
        assert end(screen) == 0
    with playing(f"{log}@0:59:00") as screen:
        screen.wait_to_see(b"one,")
        assert b"two" not in screen.look(0.3)
        screen.type(b"q")
        assert end(screen) == 0


def test_quitting_in_a_pause(tmp_path: Path) -> None:
    with playing("-p", slow(tmp_path, b"first")) as screen:
        screen.wait_to_see(b"paused")
        screen.type(b"q")
        assert end(screen) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize("options", [[], ["-p"]], ids=["playing", "paused"])
def test_a_signal_ends_it_by_that_signal_with_the_terminal_restored(
    tmp_path: Path, number: signal.Signals, options: list[str]
) -> None:
    with playing(*options, slow(tmp_path, b"first\x1b[?1049h", b"second")) as screen:
        screen.wait_to_see(b"paused" if options else b"first")
        screen.send(number)
        assert end(screen) == -number
        assert b"\x1b[?25h" in screen.seen


def test_a_terminal_that_is_stuck_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    """Nobody reads what it writes; the signal comes in the middle of a write."""
    log = write_log(tmp_path / "log", make_recording("rec", [b"x" * 5000] * 40, step_ms=1))
    with playing(log) as screen:
        while not select.select([screen.master], [], [], 0.1)[0]:
            pass
        time.sleep(0.5)
        screen.send(signal.SIGTERM)
        for _ in range(3000):
            if screen.ended():
                break
            time.sleep(0.01)
        assert screen._waited == -signal.SIGTERM
        assert screen.attributes() == screen.found


def test_control_c_at_the_keyboard_ends_it(tmp_path: Path) -> None:
    with playing(slow(tmp_path, b"first", b"second")) as screen:
        screen.wait_to_see(b"first")
        screen.type(b"\x03")
        assert end(screen) == -signal.SIGINT


def test_without_a_keyboard_it_plays_to_the_end_and_does_not_spin(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"first", b"second"], step_ms=3000))
    with open(os.devnull, "rb") as nothing, playing(log, redirect={0: nothing.fileno()}) as screen:
        screen.wait_to_see(b"second")
        _, status, used = os.wait4(screen.pid, 0)
        screen._waited = os.waitstatus_to_exitcode(status)
        assert screen._waited == 0
        assert used.ru_utime + used.ru_stime < 2.0


def test_a_keyboard_that_is_a_closed_pipe_is_no_keyboard(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"first", b"second"], step_ms=100))
    ours, theirs = os.pipe()
    os.close(theirs)
    with playing(log, redirect={0: ours}) as screen:
        os.close(ours)
        assert end(screen) == 0
        assert b"firstsecond" in screen.seen


def test_a_pause_without_a_keyboard_is_refused(tmp_path: Path) -> None:
    with (
        open(os.devnull, "rb") as nothing,
        playing("-p", slow(tmp_path, b"x"), redirect={0: nothing.fileno()}) as screen,
    ):
        assert screen.wait() == 2
        assert b"--paused needs a keyboard" in screen.seen


def test_replies_to_recorded_questions_are_neither_keys_nor_left_to_the_shell(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"\x1b[c\x1b[21t", b"second"], step_ms=HOUR_MS))
    with playing(log) as screen:
        screen.wait_to_see(b"\x1b[21t")
        screen.type(b"\x1b[?1;2c\x1b]lq.G q\x1b\\")
        screen.type(b" ")
        screen.wait_to_see(b"paused")  # what came before it did not end it
        assert not screen.ended()
        screen.type(b"q")
        screen.wait_to_see(DRAINED)
        screen.type(b"\x1b[?1;2c\x1b]lrm -rf /\x1b\\")
        time.sleep(0.1)
        screen.type(b"\x1b[0n")
        assert end(screen) == 0
        assert unread(screen) == 0


def test_a_terminal_that_answers_nothing_is_not_waited_for_long(tmp_path: Path) -> None:
    with playing(write_log(tmp_path / "log", make_recording("rec", [b"\x1b[c"]))) as screen:
        assert end(screen) == 0
        assert unread(screen) == 0


def test_what_a_recording_leaves_behind_is_undone(tmp_path: Path) -> None:
    hostile = b"\x1b[?1049h\x1b[?1003h\x1b[?2004h\x1b(0\x1b[?1h\x1b]0;never ended"
    with playing(write_log(tmp_path / "log", make_recording("rec", [hostile[:5], hostile[5:]], step_ms=1))) as screen:
        assert end(screen) == 0
        undone = screen.seen[screen.seen.index(b"never ended") :]
        for sequence in (b"\x18\x1b\\", b"\x1b[?1049l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b(B", b"\x1b[?1l"):
            assert sequence in undone


def undone(tmp_path: Path, hostile: bytes, term: str = "xterm") -> bytes:
    """What the player writes behind a recording."""
    log = write_log(tmp_path / "log", make_recording("rec", [hostile + b"played"], step_ms=1))
    with playing(log, term=term) as screen:
        assert end(screen) == 0
        return screen.seen.partition(b"played")[2]


def test_modes_regions_colours_and_title_are_undone(tmp_path: Path) -> None:
    rest = undone(tmp_path, b"\x1b[1;5r\x1b[4h\x1b[?6h\x1b[?5h\x1b[?2026h\x1b]2;TITLE\x07\x1b[>1u\x1b[>4;2m\x1b[6 q")
    sequences = [b"\x1b[4l", b"\x1b[?5l", b"\x1b[?2026l", b"\x1b[!p", b"\x1b[<99u", b"\x1b[>4m", b"\x1b[0 q"]
    sequences += [b"\x1b]104\x07", b"\x1b]110\x07", b"\x1b]111\x07", b"\x1b]112\x07", b"\x1b[23;0t"]
    for sequence in sequences:
        assert sequence in rest
    region, cursor_shown = rest.index(b"\x1b[?6l\x1b[r\x1b[999;1H"), rest.rindex(b"\x1b[?25h")
    assert rest.index(b"\x1b[!p") < region < cursor_shown  # a soft reset turns wrapping off in some terminals
    assert rest.index(b"\x1b[!p") < rest.rindex(b"\x1b[?7h")


@pytest.mark.parametrize(
    ("sets", "moves"),
    [
        (b"\x1b[r", True),
        (b"\x1b[2;\x009r", True),
        (b"\x1b[?7;6h", True),
        (b"\x1b[?06h", True),
        (b"\xc2\x9b1;5r", True),
        (b"\x1b[?2026h\x1b[?1006h\x1b[?25h\x1b[31mr", False),
        (b"plain", False),
    ],
)
def test_the_cursor_moves_at_the_end_only_where_a_region_is_undone(tmp_path: Path, sets: bytes, moves: bool) -> None:
    assert (b"\x1b[999;1H" in undone(tmp_path, sets)) is moves


@pytest.mark.parametrize("data", [b"\x1b[?" + b"6;" * 200_000, b"\x1b[" * 200_000, b"\x1b[?25h" * 60_000])
def test_looking_for_regions_takes_linear_time(data: bytes) -> None:
    """Quadratic time would be minutes; the bound is generous."""
    start = time.process_time()
    assert not _sets_region(data)
    assert time.process_time() - start < 10


def test_a_console_without_titles_gets_nothing_that_it_would_print(tmp_path: Path) -> None:
    rest = undone(tmp_path, b"x", term="linux")
    assert b"\x1b]" not in rest
    assert b"\x1b[>" not in rest
    assert b"t" not in rest
    assert b"\x1b[4l" in rest


def test_the_main_screen_is_not_left_where_the_recording_did_not_leave_it(tmp_path: Path) -> None:
    with playing(write_log(tmp_path / "log", make_recording("rec", [b"\x1b[?1049hvi\x1b[?1049l$"]))) as screen:
        assert end(screen) == 0
        assert screen.seen.count(b"\x1b[?1049l") == 1


def test_gaps_and_conflicts_stand_as_marks_in_reverse_video(tmp_path: Path) -> None:
    log = write_log(
        tmp_path / "log", [message(1, "a"), message(4, "d", pos=1), message(5, "e", pos=2), message(5, "f", pos=2)]
    )
    with playing(log) as screen:
        assert end(screen) == 1
        assert b"\r\n\x1b[0;7m[ttyscribe: messages 2 to 3 are missing]\x1b[0m\r\n" in screen.seen
        assert b"[ttyscribe: 2 messages claim to be message 5, none is certain: not played]" in screen.seen


def test_damaged_lines_are_told_when_the_terminal_is_free_again(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, "a"), b"junk"])
    with playing(log) as screen:
        assert end(screen) == 1
        assert screen.seen.index(b"\x1b[?25h") < screen.seen.index(b"log:2: not a JSON object")


def test_another_size_is_a_hint_in_a_pause_and_nothing_is_resized(tmp_path: Path) -> None:
    messages = [message(1, "a", timing="=120x50>1"), message(2, "b", pos=HOUR_MS)]
    with playing(write_log(tmp_path / "log", messages)) as screen:
        screen.wait_to_see(b"a")
        screen.type(b"p")
        screen.wait_to_see(b"recorded at 120x50, this terminal has 80x24")
        screen.type(b"q")
        assert end(screen) == 0
        assert b"\x1b[8;" not in screen.seen


def test_random_bytes_play_through(tmp_path: Path) -> None:
    data = os.urandom(60_000)
    pieces = [data[n : n + 3000] for n in range(0, len(data), 3000)]
    with playing(write_log(tmp_path / "log", make_recording("rec", pieces, step_ms=1))) as screen:
        assert screen.wait() == 0
        assert screen.attributes() == screen.found


def test_random_keys_break_nothing(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"x"] * 20, step_ms=HOUR_MS))
    with playing(log) as screen:
        screen.wait_to_see(b"x")
        screen.type(bytes(byte for byte in os.urandom(2000) if byte not in b"\x03\x1c\x1a\x13q"))
        time.sleep(0.2)
        screen.send(signal.SIGTERM)
        assert screen.wait() in (0, -signal.SIGTERM)  # a G among them plays to the end
        assert screen.attributes() == screen.found


def test_a_hung_up_terminal_ends_it(tmp_path: Path) -> None:
    with playing(slow(tmp_path, b"first", b"second")) as screen:
        screen.wait_to_see(b"first")
        screen.hang_up()
        for _ in range(3000):
            if screen.ended():
                break
            time.sleep(0.01)
        assert screen._waited is not None
        assert screen._waited != 0
