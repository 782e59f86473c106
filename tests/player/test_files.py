# SPDX-License-Identifier: Apache-2.0
"""Files as they are found: several recordings, lines twice, out of order, damaged, behind a log service's prefix."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from tests.player.logs import PLAYER, play, text, write_log
from tests.store.samples import make_recording, message
from ttyscribe_formats.tlog import encode, to_fields
from ttyscribe_player.event import events
from ttyscribe_player.files import Recordings


def told(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """Lines on standard error."""
    return done.stderr.decode().splitlines()


def test_a_file_plays_byte_for_byte_and_nothing_else_is_written(tmp_path: Path) -> None:
    outputs = [b"\xff\xfe\x00", "é".encode()[:1], b"\x1b[2J\x1b[?1049h", b"\r\n" * 3, random.Random(1).randbytes(9000)]
    done = play(write_log(tmp_path / "log", make_recording("rec", outputs)))
    assert done.stdout == b"".join(outputs)
    assert (done.returncode, done.stderr) == (0, b"")


def test_nothing_is_waited_for_and_a_place_changes_nothing_in_a_pipe(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"a", b"b", b"c"], step_ms=100_000_000))
    for arguments in ([], ["--goto", "end"], ["--speed=0.1"], ["--paused"]):
        assert play(*arguments, log).stdout == b"abc"
    assert play(f"{log}@1:00").stdout == b"abc"


def test_lines_out_of_order_and_twice_play_once_and_in_order(tmp_path: Path) -> None:
    messages = make_recording("rec", [b"%d," % n for n in range(50)])
    lines = messages * 2
    random.Random(7).shuffle(lines)
    done = play(write_log(tmp_path / "log", lines))
    assert done.stdout == text(messages)
    assert (done.returncode, done.stderr) == (0, b"")


def test_several_recordings_are_listed_and_one_is_chosen(tmp_path: Path) -> None:
    one, two = make_recording("aaa-1", [b"one", b"1"]), make_recording("aab-2", [b"two"], user="bob\x1b[31m")
    log = write_log(tmp_path / "log", [one[0], two[0], one[1]])
    done = play(log)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "holds 2 recordings, choose one with --match" in told(done)[0]
    assert told(done)[1:] == [
        "  aaa-1 ada@web7.example.com, 2026-11-24 12:00:00+0000, 0:01.000, 2 messages, no end",
        "  aab-2 bob?[31m@web7.example.com, 2026-11-24 12:00:00+0000, 0:00.000, 1 message, no end",
    ]
    assert play("-m", "aaa-1", log).stdout == b"one1"
    assert play("--match=aab", log).stdout == b"two"
    for wrong in ("aa", "zzz"):
        done = play("-m", wrong, log)
        assert (done.returncode, done.stdout) == (2, b"")


def test_messages_of_old_tlog_without_rec_are_one_recording(tmp_path: Path) -> None:
    fields = [to_fields(message(n, str(n))) for n in (1, 2)]
    lines = [json.dumps({k: v for k, v in one.items() if k not in ("rec", "time")} | {"ver": 2}) for one in fields]
    assert play(write_log(tmp_path / "log", [line.encode() for line in lines])).stdout == b"12"


def test_a_shipper_may_have_written_the_fields_anew(tmp_path: Path) -> None:
    messages = make_recording("rec", [b"\xffa", b"b"])
    lines = [json.dumps(dict(sorted(to_fields(item).items())) | {"host2": 1}).encode() for item in messages]
    assert play(write_log(tmp_path / "log", lines)).stdout == b"\xffab"


def test_a_prefix_of_a_log_service_is_passed_over(tmp_path: Path) -> None:
    prefix = b"Nov 24 12:00:00 web7 ttyscribe: "
    log = write_log(tmp_path / "log", [prefix + encode(item) for item in make_recording("rec", [b"a", b"b"])])
    assert play(log).stdout == b"ab"


@pytest.mark.parametrize("damage", ["cut", "noise", "text", "type", "wrong timing", "empty object", "latin-1"])
def test_a_damaged_line_is_told_with_its_number_and_playing_goes_on(tmp_path: Path, damage: str) -> None:
    messages = make_recording("rec", [b"one,", b"two,", b"three"])
    line = encode(messages[1])
    lines = {
        "cut": line[:-20],
        "noise": random.Random(3).randbytes(300).replace(b"\n", b"."),
        "text": b"Nov 24 12:00:00 web7 sshd: hello",
        "type": line.replace(b'"id":2', b'"id":"2"'),
        "wrong timing": line.replace(b">4", b">400"),
        "empty object": b"{}",
        "latin-1": line.replace(b"two", b"t\xe9o"),
    }
    log = write_log(tmp_path / "log", [messages[0], b"", lines[damage], messages[2]])
    done = play(log)
    assert done.stdout == b"one,three"
    assert done.returncode == 1
    assert any("message 2 " in line for line in told(done))
    if damage != "wrong timing":  # found when it is played, told by its own number
        assert told(done)[0].startswith(f"ttyscribe-play: {log}:3: ")


def test_a_flood_of_damaged_lines_is_told_in_short(tmp_path: Path) -> None:
    done = play(write_log(tmp_path / "log", [*make_recording("rec", [b"x"]), *[b"junk"] * 5000]))
    assert done.stdout == b"x"
    assert len(told(done)) == 21
    assert told(done)[-1] == "ttyscribe-play: and 4980 more"


def test_gaps_and_conflicts_are_told_beside_the_bytes(tmp_path: Path) -> None:
    messages = [message(1, "a"), message(3, "c"), message(3, "forged"), message(4, "d")]
    done = play(write_log(tmp_path / "log", messages))
    assert done.stdout == b"ad"
    assert done.returncode == 1
    assert [line.partition(": ")[2] for line in told(done)] == [
        "at 0:00.000: message 2 is missing",
        "at 0:00.000: 2 messages claim to be message 3, none is certain: not played",
    ]


def test_twenty_thousand_messages(tmp_path: Path) -> None:
    messages = [message(n, f"line {n}\r\n") for n in range(1, 20_001)]
    done = play(write_log(tmp_path / "log", messages))
    assert done.stdout == text(messages)
    assert done.returncode == 0


def test_a_line_without_an_end_is_no_danger(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.write(encode(message(1, "a")) + b"\n")
        file.write(b'{"ver":"2.3","host":"' + b"x" * (40 << 20) + b"\n")
        file.write(encode(message(2, "b")) + b"\n")
    done = play(log)
    assert done.stdout == b"ab"
    assert told(done) == [f"ttyscribe-play: {log}:2: longer than 16 MiB"]


def test_an_empty_file_plays_nothing(tmp_path: Path) -> None:
    done = play(write_log(tmp_path / "log", []))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_pipe_and_standard_input_can_be_played(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"a\xff", b"b"]))
    done = subprocess.run([*PLAYER, "-"], input=log.read_bytes(), capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"a\xffb")
    done = subprocess.run(["bash", "-c", f'"$@" <(cat {log})', "bash", *PLAYER], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"a\xffb")


@pytest.mark.parametrize(
    "arguments", [["nothing-here"], ["."], ["--speed=0", "x"], ["--goto=soon", "x"], [], ["-z", "x"]]
)
def test_wrong_use_is_one_clear_line_and_status_2(tmp_path: Path, arguments: list[str]) -> None:
    done = play(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert told(done)[-1].startswith("ttyscribe-play: ")
    assert b"Traceback" not in done.stderr


def test_a_file_that_fails_while_it_is_read_is_told() -> None:
    done = play("/proc/self/mem")
    assert (done.returncode, done.stdout) == (1, b"")
    assert told(done) == ["ttyscribe-play: cannot go on: Input/output error"]


def spoiled(data: bytes, dice: random.Random) -> bytes:
    """The data after some accidents: bytes changed, stretches lost, doubled, or swapped."""
    spoilt = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        start = dice.randrange(len(spoilt) + 1)
        end = min(len(spoilt), start + dice.choice([1, 1, 1, 5, 50, 500]))
        piece = spoilt[start:end]
        spoilt[start:end] = dice.choice([dice.randbytes(len(piece)), b"", piece * 2, piece[::-1], b"9" * len(piece)])
    return bytes(spoilt)


def test_no_damage_breaks_the_player(tmp_path: Path) -> None:
    """Whatever became of a file: each recording in it plays, or is marked, and nothing is raised."""
    dice = random.Random(5)
    outputs = [dice.randbytes(40) + "é日".encode() for _ in range(30)]
    whole = write_log(tmp_path / "log", make_recording("rec", outputs)).read_bytes()
    for _ in range(300):
        (tmp_path / "log").write_bytes(spoiled(whole, dice))
        complaints: list[str] = []
        recordings = Recordings(str(tmp_path / "log"), complaints.append)
        for found in recordings.found.values():
            shown = list(events(recordings.messages(found)))
            assert [event.time_ns for event in shown] == sorted(event.time_ns for event in shown)
        recordings.close()


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1)])
    with open("/dev/full", "wb") as full:
        done = play(log, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert told(done) == ["ttyscribe-play: cannot go on: No space left on device"]


def test_a_reader_that_has_seen_enough_ends_the_player_without_a_word(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(n, "x" * 2000) for n in range(1, 500)])
    script = '"$@" | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}'
    done = subprocess.run(["bash", "-c", script, "bash", *PLAYER, str(log)], capture_output=True, timeout=60)
    assert done.stdout == b"141\n"
    assert done.stderr == b""


@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-", "</dev/null"])
def test_closed_descriptors_do_no_harm(tmp_path: Path, closed: str) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"a", b"b"]))
    done = subprocess.run(["bash", "-c", f'"$@" {closed}', "bash", *PLAYER, str(log)], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"ab")


def test_where_standard_error_is_closed_nothing_of_it_gets_into_the_bytes(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, "a"), b"junk", message(3, "c")])
    for script in ('"$@" 2>&-', '"$@" <&- 2>&-'):
        done = subprocess.run(["bash", "-c", script, "bash", *PLAYER, str(log)], capture_output=True, timeout=60)
        assert (done.returncode, done.stdout) == (1, b"ac")


def test_version_and_help_are_printed() -> None:
    assert play("--version").stdout.startswith(b"ttyscribe-play ")
    done = play("--help")
    assert done.returncode == 0
    assert b"space, p" in done.stdout
    assert b"examples:" in done.stdout
