# SPDX-License-Identifier: Apache-2.0
"""Typescripts in both directions, also against the real `script` and `scriptreplay`."""

import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.peers import require_program
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Input, Output, Packet, Window
from ttyscribe_formats.typescript import Encoder, decode, started

START_NS = 1_700_000_000 * 10**9
sizes = st.integers(1, 65535)
packet = st.builds(Output, st.just(0), st.binary(min_size=1, max_size=20)) | st.builds(Window, st.just(0), sizes, sizes)


def written(packets: list[Packet]) -> tuple[str, bytes]:
    """Both files."""
    encoder = Encoder(START_NS)
    pieces = [encoder.begin(), *map(encoder.piece, packets), encoder.end()]
    return "".join(piece.timing for piece in pieces), b"".join(piece.data for piece in pieces)


def read(timing: str, data: bytes) -> list[Packet]:
    """What both files tell."""
    file = io.BytesIO(data)
    file.readline()
    return list(decode(timing.splitlines(), file.read))


@given(st.lists(st.tuples(st.integers(0, 10**7), packet), max_size=20))
def test_what_is_written_is_read_again(gaps: list[tuple[int, Any]]) -> None:
    now, size = 0, (80, 24)
    packets: list[Packet] = []
    for gap, item in gaps:
        if isinstance(item, Window):
            if item[1:] == size:
                continue  # nothing has changed, nothing is written
            size = (item.columns, item.rows)
        now += gap * 1000
        packets.append(item._replace(time_ns=now))
    timing, data = written(packets)
    assert read(timing, data) == [Window(0, 80, 24), *packets]
    assert started(data.partition(b"\n")[0]) == START_NS


def test_input_is_not_written() -> None:
    assert Encoder(0).piece(Input(0, b"secret")) == ("", b"")


def test_classic_timing_files_are_read() -> None:
    assert read("0.5 3\n1.25 2\n", b"Script started on x\nabcde\nScript done") == [
        Output(500_000_000, b"abc"),
        Output(1_750_000_000, b"de"),
    ]


def test_bytes_that_are_missing_at_the_end_are_no_error() -> None:
    assert read("0.5 3\n1.25 200\n1 5\n", b"\nabcde") == [Output(500_000_000, b"abc"), Output(1_750_000_000, b"de")]


@pytest.mark.parametrize("line", ["x", "1", "1 -2", "1e9 1", "O 1", "O 1 99999999", "9999999999 1", "nan 1", "\x00"])
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(MessageError, match="line 2: "):
        read(f"0 1\n{line}\n", b"\nab")


@given(st.text(max_size=200), st.binary(max_size=50))
def test_whatever_is_read_gives_packets_or_one_error(timing: str, data: bytes) -> None:
    try:
        for item in read(timing, data):
            assert item.time_ns >= 0
    except MessageError:
        pass


@pytest.mark.parametrize("form", ["classic", "advanced"])
def test_what_script_wrote_is_read(tmp_path: Path, form: str) -> None:
    command = [require_program("script"), "-q", "-O", "out", "-T", "timing", "--logging-format", form]
    given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "cwd": tmp_path, "check": True, "timeout": 60}
    subprocess.run([*command, "-c", "printf 'a\\377'; sleep 0.2; echo b"], **given)  # type: ignore[call-overload]
    data = (tmp_path / "out").read_bytes()
    found = read((tmp_path / "timing").read_text(), data)
    assert b"".join(item.data for item in found if isinstance(item, Output)) == b"a\xffb\r\n"
    assert found[-1].time_ns > 100_000_000
    assert started(data.partition(b"\n")[0]) > 0


def test_scriptreplay_plays_what_is_written(tmp_path: Path) -> None:
    packets: list[Packet] = [Output(0, b"a\xff\x1b[31m"), Window(1000, 100, 30), Output(10**8, b"b\r\n")]
    timing, data = written(packets)
    (tmp_path / "timing").write_text(timing)
    (tmp_path / "out").write_bytes(data)
    command = [require_program("scriptreplay"), "-T", "timing", "-O", "out", "--cr-mode", "never"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=True)
    assert b"a\xff\x1b[31mb\r\n" in done.stdout
