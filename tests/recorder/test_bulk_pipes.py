# SPDX-License-Identifier: Apache-2.0
"""Bulk data through the real recorder: delivered whole, the middle of binary data left out of the log, text never."""

import os
import random
import signal
import subprocess
import time
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from tests.recorder.recorder import RECORDER, end_status, messages, recorded, wait_for
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Input, Output
from ttyscribe_formats.reading import packets

END = 32 << 10


def noise(size: int) -> bytes:
    """Random bytes without text of 16 bytes and more."""
    data = bytearray(random.randbytes(size))
    data[::8] = b"\xff" * len(data[::8])
    return bytes(data)


def skips(log: Path) -> list[dict[str, Any]]:
    """All marks of what was left out."""
    return [mark for message in messages(log) for mark in tlog.own_fields(message).get("skip", [])]


def record(log: Path, arguments: list[str], stdin: Path | None = None, out: Path | None = None) -> bytes:
    """What the command wrote, from one file to another."""
    with (stdin or Path(os.devnull)).open("rb") as source, (out or log.with_name("out")).open("wb+") as target:
        command = [*RECORDER, "-o", str(log), *arguments]
        subprocess.run(command, stdin=source, stdout=target, check=True, timeout=300)
        target.seek(0)
        return target.read()


def has_size(path: Path, size: int) -> bool:
    """Whether a file has this size by now."""
    return path.stat().st_size == size


def test_100_mb_of_noise_cost_less_than_1_mb(tmp_path: Path) -> None:
    """Purely random bytes; every byte is delivered, and the log accounts for each."""
    log, data = tmp_path / "log", tmp_path / "data"
    data.write_bytes(os.urandom(100_000_000))
    assert record(log, ["--", "cat"], stdin=data) == data.read_bytes()
    assert log.stat().st_size < 1_000_000
    assert len(recorded(log)) + sum(mark["bytes"] for mark in skips(log)) == 100_000_000
    assert recorded(log).startswith(data.read_bytes()[:END])
    assert recorded(log).endswith(data.read_bytes()[-END:])


def test_10_mb_of_text_stay_whole(tmp_path: Path) -> None:
    """Without a mark."""
    log = tmp_path / "log"
    out = record(log, ["--", "seq", "1450000"])
    assert len(out) > 10_000_000
    assert recorded(log) == out
    assert skips(log) == []


@pytest.mark.parametrize("options", [["--log-input"], ["--log-input", "--log-output=no"]])
def test_an_upload(tmp_path: Path, options: list[str]) -> None:
    """What goes in is sifted as well, by itself."""
    log, data = tmp_path / "log", tmp_path / "data"
    data.write_bytes(noise(5_000_000))
    record(log, [*options, "--", "sh", "-c", f"cat >{tmp_path}/copy; echo done"], stdin=data)
    assert (tmp_path / "copy").read_bytes() == data.read_bytes()
    assert len(recorded(log, Input)) + sum(mark["bytes"] for mark in skips(log)) == 5_000_000
    assert log.stat().st_size < 1_000_000
    assert {mark["stream"] for mark in skips(log)} == {"stdin"}
    assert recorded(log) == (b"" if options[1:] else b"done\n")


def test_digests_are_those_of_what_is_missing(tmp_path: Path) -> None:
    """Part by part, in order, without what stays at the ends."""
    log, data = tmp_path / "log", tmp_path / "data"
    for _ in range(20):  # a machine under load may interrupt a run
        data.write_bytes(noise(700 * 4096))
        log.unlink(missing_ok=True)
        record(log, ["--", "cat"], stdin=data)
        if len(recorded(log)) == 2 * END:
            break
    at, middle = 0, data.read_bytes()[END:-END]
    for mark in skips(log):
        part = middle[at : at + mark["bytes"]]
        assert mark["digest"] == blake2b(part, digest_size=16).hexdigest()
        assert mark["stream"] == "stdout"
        at += mark["bytes"]
    assert at == len(middle)


def test_a_shell_hidden_behind_noise_is_recorded(tmp_path: Path) -> None:
    """`head -c 5M /dev/urandom; bash`: every byte of what that shell writes is in the log."""
    log, out = tmp_path / "log", tmp_path / "out"
    with out.open("wb") as target, subprocess.Popen(
        [*RECORDER, "-o", str(log), "--latency=1", "--", "sh", "-c", "head -c 5M /dev/urandom; exec bash"],
        stdin=subprocess.PIPE, stdout=target, stderr=subprocess.STDOUT,
    ) as recorder:  # fmt: skip
        assert recorder.stdin is not None
        wrote = b""
        for number in range(30):
            line = b"%d\n" % number if number % 3 else f"the answer, äöü {number}\n".encode() * 50
            wrote += line
            recorder.stdin.write(b"printf '%s'\n" % line)
            recorder.stdin.flush()
            wait_for(partial(has_size, out, (5 << 20) + len(wrote)), "the shell's answer")
        recorder.stdin.write(b"no-such-command\necho last\n")
        recorder.stdin.close()
        assert recorder.wait(60) == 0
    assert recorded(log).endswith(out.read_bytes()[5 << 20 :])
    assert out.read_bytes().endswith(b"last\n")
    assert wrote in out.read_bytes()
    assert skips(log)


def test_what_is_held_comes_out_by_itself(tmp_path: Path) -> None:
    """A second after the last byte, though the session goes on; and it sleeps again then."""
    log = tmp_path / "log"
    script = "head -c 1M /dev/urandom; printf the-end; exec sleep 1000"
    with subprocess.Popen(
        [*RECORDER, "-o", str(log), "--latency=1", "--", "sh", "-c", script], stdout=subprocess.DEVNULL
    ) as recorder:
        wait_for(log.exists, "the log")
        wait_for(lambda: log.stat().st_size and recorded(log).endswith(b"the-end"), "what was held")
        total = len(recorded(log)) + sum(mark["bytes"] for mark in skips(log))
        assert total == (1 << 20) + len("the-end")
        recorder.send_signal(signal.SIGTERM)
        assert recorder.wait(60) == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_a_run(tmp_path: Path, number: int) -> None:
    """All that was delivered is in the log or in a mark."""
    log, out = tmp_path / "log", tmp_path / "out"
    with (
        out.open("wb") as target,
        subprocess.Popen([*RECORDER, "-o", str(log), "--", "cat", "/dev/urandom"], stdout=target) as recorder,
    ):
        wait_for(lambda: out.stat().st_size > 1_000_000, "some data")
        recorder.send_signal(number)
        assert recorder.wait(60) == -number
    data = out.read_bytes()
    assert len(recorded(log)) + sum(mark["bytes"] for mark in skips(log)) == len(data)
    assert recorded(log).endswith(data[-END:])
    assert end_status(log) == 128 + number


def test_progress_on_standard_error_keeps_its_place(tmp_path: Path) -> None:
    """Lines on the other stream neither end a run nor move."""
    log = tmp_path / "log"
    script = "for n in 1 2 3 4 5 6; do head -c 2M /dev/urandom; echo step $n >&2; sleep 0.2; done"
    record(log, ["--", "bash", "-c", script])
    found = [packet for packet in packets(messages(log)) if isinstance(packet, Output)]
    errors = b"".join(packet.data for packet in found if packet.stream == "stderr")
    assert errors == b"".join(b"step %d\n" % n for n in range(1, 7))
    assert log.stat().st_size < 2_000_000
    last = max(packet.time_ns for packet in found if packet.stream == "stderr") // 1_000_000
    assert any(mark["ms"] <= last for mark in skips(log)), "no line moved before what it came after"


def test_kept_by_wish_and_under_tlogs_names(tmp_path: Path) -> None:
    """With log.bulk=keep, and by default through a link named tlog-rec."""
    data = tmp_path / "data"
    data.write_bytes(noise(300_000))
    log = tmp_path / "log"
    record(log, ["--log-bulk=keep", "--", "cat"], stdin=data)
    assert recorded(log) == data.read_bytes()
    code = "import sys; sys.argv[0] = 'tlog-rec'\n" + RECORDER[2]
    with data.open("rb") as source:
        command = [RECORDER[0], "-c", code, "-o", str(tmp_path / "log2"), "cat"]
        done = subprocess.run(command, stdin=source, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, data.read_bytes())
    assert recorded(tmp_path / "log2") == data.read_bytes()
    assert b"ttyscribe" not in (tmp_path / "log2").read_bytes()


def test_memory_stays_small(tmp_path: Path) -> None:
    """However much flows."""
    log = tmp_path / "log"
    with subprocess.Popen(
        [*RECORDER, "-o", str(log), "--", "cat", "/dev/urandom"], stdout=subprocess.DEVNULL
    ) as recorder:
        time.sleep(1)
        wait_for(lambda: sum(mark["bytes"] for mark in skips_so_far(log)) > 20_000_000, "20 MB to be left out")
        lines = Path(f"/proc/{recorder.pid}/status").read_text().splitlines()
        peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        recorder.terminate()
        recorder.wait(60)
    assert peak < 24 * 1024


def skips_so_far(log: Path) -> list[dict[str, Any]]:
    """Marks in the whole lines of a log that grows."""
    lines = log.read_bytes().rpartition(b"\n")[0].splitlines()
    return [mark for line in lines for mark in tlog.own_fields(tlog.decode(line)).get("skip", [])]


def test_the_recorder_killed_outright_in_a_run(tmp_path: Path) -> None:
    """What it had passed on a while before is in the log or told by a mark, and the log parses."""
    log, out = tmp_path / "log", tmp_path / "out"
    script = "while :; do head -c 1M /dev/urandom; sleep 0.1; done"
    command = [*RECORDER, "-o", str(log), "--latency=1", "--"]
    with (
        out.open("wb") as target,
        subprocess.Popen([*command, "sh", "-c", script], stdout=target) as recorder,
    ):
        wait_for(lambda: out.stat().st_size > 5_000_000, "some data")
        before = out.stat().st_size
        time.sleep(4)
        recorder.kill()
        recorder.wait(60)
    assert before <= len(recorded(log)) + sum(mark["bytes"] for mark in skips(log)) <= out.stat().st_size
    assert end_status(log) is None
    assert log.stat().st_size < 5_000_000
