# SPDX-License-Identifier: Apache-2.0
"""Recordings leave as other programs' files and come back the same; files of every sort come in once."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, complaint, ok, run
from tests.peers import require_program
from tests.player.logs import play, write_log
from tests.recorder.recorder import AtTerminal, wait_for
from tests.store.samples import listed, make_recording, message
from ttyscribe_formats.tlog import encode
from ttyscribe_store.base import RecordingFilter
from ttyscribe_store.open import open_store

OUTPUTS = [b"one\r\n", b"\x1b[31mtwo\x1b[0m\r\n", "café 日\r\n".encode(), b"end"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file with one recording of four seconds."""
    return write_log(tmp_path / "session.log", make_recording("rec-1", OUTPUTS))


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Where a store may be made."""
    return f"sqlite:{tmp_path / 'store'}"


def only_recording(url: str) -> str:
    """The name of the store's one recording."""
    opened = open_store(url)
    (found,) = listed(opened, RecordingFilter())
    opened.close()
    return found.recording


@pytest.mark.parametrize("form", ["asciicast", "asciicast-v2"])
def test_a_recording_goes_out_as_a_cast_and_comes_back_the_same(
    log: Path, tmp_path: Path, store: str, form: str
) -> None:
    cast = str(tmp_path / "session.cast")
    assert ok("export", str(log), "--format", form, "-o", cast) == ""
    head = json.loads(Path(cast).read_text().partition("\n")[0])
    assert head["version"] == (2 if form.endswith("2") else 3)
    assert head["timestamp"] == 1795521600 or head["timestamp"] > 1_700_000_000
    said = ok("import", "--store", store, "--user", "alice", "--host", "web9", cast)
    assert "stored" in said
    name = only_recording(store)
    done = play("--store", store, name)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"".join(OUTPUTS), b"")
    assert "already there" in ok("import", "--store", store, "--user", "alice", "--host", "web9", cast)
    listed = ok("recordings", "--store", store)
    assert "alice" in listed
    assert "web9" in listed


def test_a_recording_goes_out_as_a_typescript_and_comes_back_byte_for_byte(tmp_path: Path, store: str) -> None:
    data = bytes(range(256)) * 40
    log = write_log(tmp_path / "log", make_recording("rec", [data[:5000], data[5000:]]))
    out, timing = str(tmp_path / "out"), str(tmp_path / "timing")
    ok("export", str(log), "-f", "typescript", "-t", timing, "-o", out)
    replay = [require_program("scriptreplay"), "-T", timing, "-O", out, "--cr-mode", "never", "-d", "1000"]
    done = subprocess.run(replay, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=True)
    assert data in done.stdout
    ok("import", "--store", store, "--timing", timing, out)
    assert play("--store", store, only_recording(store)).stdout == data


def test_text_is_what_stood_on_the_screen(tmp_path: Path) -> None:
    outputs = [
        b"abc\x08\x08XY\r\n",
        b"12345",
        b"\x1b[2K\rline \x1b[1mtwo\x1b[0m\r\n",
        b"\x1b]0;t\x07" + b"n\r\n" * 40,
        b"last",
    ]
    log = write_log(tmp_path / "log", make_recording("rec", outputs))
    assert ok("export", str(log), "-f", "text") == "aXY\nline two\n" + "n\n" * 40 + "last\n"


def test_a_cast_of_pipes_has_its_lines_below_each_other(tmp_path: Path) -> None:
    piped = write_log(tmp_path / "piped", [message(1, "a\nb\r\n", timing=">5")])
    assert ok("export", str(piped)).splitlines()[1] == '[0.000000, "o", "a\\r\\nb\\r\\n"]'
    shown = write_log(tmp_path / "shown", [message(1, "a\nb\r\n", timing="=80x24>5")])
    assert ok("export", str(shown)).splitlines()[1] == '[0.000000, "o", "a\\nb\\r\\n"]'


def test_a_recording_in_a_store_is_exported_too(log: Path, store: str) -> None:
    ok("import", "--store", store, str(log))
    assert ok("export", "--store", store, "rec-1", "-f", "text") == "one\ntwo\ncafé 日\nend\n"
    assert "rec-1" in ok("recordings", env={"TTYSCRIBE_STORE": store})


def test_what_is_missing_and_what_is_no_text_is_said(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, "a"), *make_recording("rec-1", [b"x", b"y", b"\xff\xfez"])[2:]])
    log.write_bytes(log.read_bytes().replace(b'"user":"ada","term":"xterm",', b'"user":"ada","term":"xterm-256color",'))
    done = run("export", str(log), "--match", "rec-1")
    assert done.returncode == 1
    assert "message 2 is missing" in done.stderr
    assert "2 characters stand for bytes that are no text" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])[2] == "\ufffd\ufffdz"


def test_files_of_messages_come_in_with_what_stands_among_them(tmp_path: Path, store: str) -> None:
    lines = [encode(item) for item in make_recording("rec-1", OUTPUTS)]
    log = write_log(
        tmp_path / "log", [lines[0], b"", b'{"MESSAGE":"a journal entry","_HOSTNAME":"h"}', *lines[1:], b"junk"]
    )
    done = run("import", "--store", store, str(log))
    assert done.returncode == 1
    assert "1 could not be stored: see" in done.stderr
    assert play("--store", store, "rec-1").stdout == b"".join(OUTPUTS)


def test_standard_input_can_be_imported(log: Path, store: str) -> None:
    done = subprocess.run(
        [*COMMAND, "import", "--store", store, "-"], input=log.read_bytes(), capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert play("--store", store, "rec-1").stdout == b"".join(OUTPUTS)


def test_a_journal_comes_in(tmp_path: Path, store: str) -> None:
    entries = [
        {"MESSAGE": encode(item).decode(), "_HOSTNAME": "web7", "_UID": "0", "_PID": "7", "__CURSOR": f"c{number}"}
        for number, item in enumerate(make_recording("rec-1", OUTPUTS))
    ]
    fake = tmp_path / "bin" / "journalctl"
    fake.parent.mkdir()
    text = "\n".join(map(json.dumps, entries))
    fake.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\ncat <<'END'\n{text}\nEND\n")
    fake.chmod(0o755)
    ok("import", "--store", store, "--journal", "A=b", env={"PATH": f"{fake.parent}:{os.environ['PATH']}"})
    assert (tmp_path / "asked").read_text().endswith("-- A=b\n")
    assert play("--store", store, "rec-1").stdout == b"".join(OUTPUTS)


def test_a_spoilt_cast_is_told_and_what_came_before_it_stays(tmp_path: Path, store: str) -> None:
    cast = tmp_path / "x.cast"
    cast.write_text(
        '{"version":2,"width":80,"height":24,"timestamp":1700000000}\n' + '[0.1,"o","good"]\n' * 900 + "[1]\n"
    )
    done = run("import", "--store", store, str(cast))
    assert complaint(done, 1).endswith(
        "line 902: an event is a list of time, code and data; what came before it is imported"
    )
    assert play("--store", store, only_recording(store)).stdout.startswith(b"good" * 100)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["import"], "what is to be imported"),
        (["import", "{tmp}/nothing"], "cannot be read"),
        (["import", "{tmp}/typescript"], "give its timing file"),
        (["import", "--timing", "x", "a", "b"], "one typescript"),
        (["export", "{tmp}/nothing"], "no recording '{tmp}/nothing'"),
        (["export", "{tmp}/empty"], "there is nothing to export"),
        (["export", "{tmp}/empty", "-f", "typescript"], "needs --timing"),
        (["export", "{tmp}/session.log", "-o", "{tmp}/no/x"], "cannot be written"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(
    arguments: list[str], error: str, tmp_path: Path, store: str, log: Path
) -> None:
    (tmp_path / "typescript").write_bytes(b"Script started on 2026-11-25 02:38:11+00:00\nx")
    (tmp_path / "empty").write_bytes(b"")
    open_store(store).setup()
    filled = [argument.format(tmp=tmp_path) for argument in arguments]
    done = run(*filled, env={"TTYSCRIBE_STORE": store})
    assert error.format(tmp=tmp_path) in complaint(done, 2)


def test_a_bar_shows_how_far_it_came_where_a_person_looks(log: Path, store: str) -> None:
    with open(os.devnull, "wb") as nothing:
        arguments = [*COMMAND, "import", "--store", store, str(log)]
        screen = AtTerminal(arguments, env={**os.environ, "TERM": "xterm"}, redirect={1: nothing.fileno()})
        try:
            assert screen.wait() == 0
            assert b"importing" in screen.seen
        finally:
            screen.close()


def exported(source: str, folder: Path, form: str, *more: str) -> tuple[bytes, bytes]:
    """What a recording becomes, and its timing file."""
    folder.mkdir(exist_ok=True)
    timing = ["-t", str(folder / "timing")] if form == "typescript" else []
    ok("export", source, *more, "-f", form, "-o", str(folder / "out"), *timing)
    return (folder / "out").read_bytes(), (folder / "timing").read_bytes() if timing else b""


@pytest.mark.parametrize("form", ["asciicast", "asciicast-v2", "typescript"])
def test_out_and_in_and_out_again_gives_the_same_bytes(tmp_path: Path, store: str, form: str) -> None:
    """With sizes that change, exit status and all: equal byte for byte, but for the name of who was recorded."""
    whole = make_recording("rec", OUTPUTS)
    end = whole[-1]._replace(timing="=132x43" + whole[-1].timing[6:], extra=b'{"v":1,"end":{"status":3}}')
    log = write_log(tmp_path / "log", [*whole[:-1], end])
    first = exported(str(log), tmp_path / "first", form)
    out = str(tmp_path / "first" / "out")
    timing = ["-t", str(tmp_path / "first" / "timing")] if form == "typescript" else []
    ok("import", "--store", store, out, *timing, "--user", "ada", "--host", "web7.example.com")
    again = exported(only_recording(store), tmp_path / "again", form, "--store", store)
    assert again == first
    if form == "asciicast":
        assert first[0].endswith(b'"x", "3"]\n')
    if form == "typescript":
        assert b"H 0.000000 EXIT_CODE 3\n" in first[1]
        assert first[0].endswith(b'\nScript done [COMMAND_EXIT_CODE="3"]\n')
    if form != "asciicast-v2":
        assert "no end" not in ok("recordings", "--store", store)


SCRIPTS = {
    "classic": ["-m", "classic"],
    "advanced": ["-m", "advanced"],
    "both in one file": ["-B"],
    "two files": ["-I"],
}


@pytest.mark.parametrize("form", SCRIPTS)
def test_what_script_wrote_comes_in(tmp_path: Path, store: str, form: str) -> None:
    """Each form of it, as it is on this system, and its input if it is there."""
    command = [require_program("script"), "-q", "-c", "read a; printf 'got %s\\377' $a; exit 3", "-T", "timing"]
    more = {"-B": ["-B", "out"], "-I": ["-I", "in", "-O", "out"]}.get(SCRIPTS[form][0], [*SCRIPTS[form], "out"])
    subprocess.run([*command, *more], input=b"typed\n", stdout=subprocess.DEVNULL, cwd=tmp_path, timeout=60, check=True)
    given = ["--timing", str(tmp_path / "timing"), str(tmp_path / "out")]
    if form == "two files":
        left = run("import", "--store", f"sqlite:{tmp_path / 'other'}", *given)
        assert "6 bytes of input left out: give their file with --input" in left.stderr
        given += ["--input", str(tmp_path / "in")]
    said = run("import", "--store", store, *given)
    assert (said.returncode, said.stderr) == (0, "")
    name = only_recording(store)
    assert play("--store", store, name).stdout.endswith(b"got typed\xff")
    opened = open_store(store)
    messages = list(opened.messages(name))
    opened.close()
    assert ("typed" in "".join(one.tlog["in_txt"] for one in messages)) is (form in ("both in one file", "two files"))
    end = messages[-1].tlog.get("ttyscribe", {}).get("end")
    assert end == (None if form == "classic" else {"status": 3})


def test_a_typescript_that_is_shorter_than_its_timing_says_is_told(tmp_path: Path, store: str) -> None:
    (tmp_path / "timing").write_text("0.1 5\n0.1 5\n")
    (tmp_path / "out").write_bytes(b"Script started on 2026-11-25 02:38:11+00:00\n1234567")
    done = run("import", "--store", store, "--timing", str(tmp_path / "timing"), str(tmp_path / "out"))
    assert "3 bytes are missing at its end" in complaint(done, 1)
    assert play("--store", store, only_recording(store)).stdout == b"1234567"
    (tmp_path / "timing").write_text("0.1 5\nnonsense\n")
    done = run("import", "--store", store, "--timing", str(tmp_path / "timing"), str(tmp_path / "out"))
    assert "line 2: no line of a timing file" in complaint(done, 1)


def test_markers_of_a_cast_are_left_out_and_it_is_said(tmp_path: Path, store: str) -> None:
    (tmp_path / "c").write_text(
        '{"version":3,"term":{"cols":80,"rows":24}}\n[1,"m","here"]\n[1,"o","x"]\n[1,"x","0"]\n'
    )
    done = run("import", "--store", store, str(tmp_path / "c"))
    assert done.returncode == 0
    assert "1 marker left out" in done.stderr


def test_a_journal_export_comes_in(tmp_path: Path, store: str) -> None:
    parts = []
    for number, item in enumerate(make_recording("rec-1", OUTPUTS)):
        text = encode(item)
        fields = (
            b"__CURSOR=c%d\n__REALTIME_TIMESTAMP=1795521600000000\n_HOSTNAME=web7\n_UID=0\n_PID=7\nMESSAGE" % number
        )
        parts.append(fields + (b"=" + text if number % 2 else b"\n" + len(text).to_bytes(8, "little") + text) + b"\n\n")
    (tmp_path / "export").write_bytes(b"".join(parts))
    ok("import", "--store", store, str(tmp_path / "export"))
    assert play("--store", store, "rec-1").stdout == b"".join(OUTPUTS)
    (tmp_path / "export").write_bytes(b"".join(parts)[:-20])
    done = run("import", "--store", store, str(tmp_path / "export"))
    assert "entry 4: it ends in the middle" in complaint(done, 1)


def test_damaged_lines_are_told_with_their_numbers(tmp_path: Path, store: str) -> None:
    good = encode(message(1))
    log = write_log(tmp_path / "log", [good, b"junk", b"", b"\x1b]0;junk\x07", b"{" + b"x" * (17 << 20)])
    done = run("import", "--store", store, str(log))
    assert done.returncode == 1
    for number in (2, 4, 5):
        assert f"{log}:{number}: " in done.stderr
    assert "\x1b" not in done.stderr
    assert "3 could not be stored: see" in done.stderr


@pytest.mark.parametrize(("head", "tool"), [(b"\x1f\x8b\x08", "zcat"), (b"\xfd7zXZ\0", "xzcat"), (b"BZh9", "bzcat")])
def test_compressed_files_are_refused_in_words(tmp_path: Path, store: str, head: bytes, tool: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(head + os.urandom(100))
    assert f"{tool} {path} | ttyscribe import -" in complaint(run("import", "--store", store, str(path)), 2)
    done = play(path)
    assert done.returncode == 2
    assert f"{tool} {path} | ttyscribe-play -".encode() in done.stderr


def test_old_casts_are_refused_in_words(tmp_path: Path, store: str) -> None:
    (tmp_path / "c").write_text('{"version": 1, "width": 80, "height": 24, "stdout": []}')
    assert "version 1 is not read: `asciinema convert`" in run("import", "--store", store, str(tmp_path / "c")).stderr


def test_a_file_that_is_there_is_not_touched(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("precious")
    assert "is there already; --force" in complaint(run("export", str(log), "-o", str(target)), 2)
    assert target.read_text() == "precious"
    ok("export", str(log), "-o", str(target), "--force")
    assert target.read_text().startswith('{"version": 3')
    link = tmp_path / "link"
    link.symlink_to(target)
    ok("export", str(log), "-f", "text", "-o", str(link), "--force")
    assert link.is_symlink()
    assert "two" in target.read_text()
    both = ["-f", "typescript", "-o", str(tmp_path / "x"), "-t", str(tmp_path / "x")]
    assert "is named twice" in complaint(run("export", str(log), *both), 2)
    assert not (tmp_path / "x").exists()


def test_devices_and_pipes_are_written_at_once(log: Path) -> None:
    ok("export", str(log), "-o", "/dev/null")
    assert ok("export", str(log), "-f", "text", "-o", "/dev/stdout").startswith("one\n")


def test_no_half_file_is_left(tmp_path: Path, store: str) -> None:
    """Where there is no room, and where it is killed half way."""
    log = write_log(tmp_path / "log", make_recording("rec", [b"x" * 2000] * 500, step_ms=1))
    out = tmp_path / "folder"
    out.mkdir()
    limited = f"ulimit -f 100; trap '' XFSZ; exec {shlex.join(COMMAND)} export {log} -o {out}/x"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert list(out.iterdir()) == []
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        killed_half_way(number, log, out)


def killed_half_way(number: signal.Signals, log: Path, out: Path) -> None:
    """Kill an export once it has a file open in its folder; it leaves nothing, or a whole file if it was quicker."""
    process = subprocess.Popen([*COMMAND, "export", str(log), "-o", str(out / "x")], stderr=subprocess.DEVNULL)

    def writes() -> bool:
        try:
            held = [os.readlink(path) for path in Path(f"/proc/{process.pid}/fd").iterdir()]
        except OSError:
            held = []
        return process.poll() is not None or any(path.startswith(str(out)) for path in held)

    wait_for(writes, "that it writes")
    process.send_signal(number)
    process.wait(60)
    assert [path for path in out.iterdir() if path.name != "x"] == []
    if (out / "x").exists():
        assert process.returncode == 0
        (out / "x").unlink()


def test_words_tell_how_far_it_came_without_rich(tmp_path: Path, store: str) -> None:
    """And a name with brackets and braces is a name."""
    path = tmp_path / "[red]{x}.log"
    write_log(path, make_recording("rec-1", OUTPUTS))
    for without in ("", "import sys; sys.modules['rich'] = sys.modules['rich.console'] = None; "):
        code = f"{without}import sys; from ttyscribe.main import main; sys.exit(main())"
        with open(os.devnull, "wb") as nothing:
            arguments = [sys.executable, "-c", code, "import", "--store", store, str(path)]
            screen = AtTerminal(arguments, env={**os.environ, "TERM": "xterm"}, redirect={1: nothing.fileno()})
        try:
            assert screen.wait() == 0
            assert b"importing" in screen.seen
            assert b"[red]{x}.log" in screen.seen.replace(b"\r\n", b"")
            assert b"Traceback" not in screen.seen
        finally:
            screen.close()


@pytest.mark.parametrize("form", ["asciicast", "log", "typescript"])
def test_a_pipe_that_gives_byte_for_byte_is_read_as_a_file_is(tmp_path: Path, store: str, log: Path, form: str) -> None:
    """What it is can be told although its first line comes in pieces."""
    data = log.read_bytes() if form == "log" else exported(str(log), tmp_path / "x", form)[0]
    timing = ["--timing", str(tmp_path / "x" / "timing")] if form == "typescript" else []
    with subprocess.Popen(
        [*COMMAND, "import", "--store", store, "-", *timing], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin
        for byte in data[:300]:
            process.stdin.write(bytes([byte]))
            time.sleep(0.001)
        process.stdin.write(data[300:])
        process.stdin.close()
        assert process.wait(60) == 0
    assert play("--store", store, only_recording(store)).stdout == b"".join(OUTPUTS)


def test_a_long_header_is_a_header(tmp_path: Path, store: str) -> None:
    head = {"version": 3, "term": {"cols": 80, "rows": 24}, "env": {"LONG": "x" * 20_000}}
    (tmp_path / "c").write_text(json.dumps(head) + '\n[0, "o", "seen"]\n')
    ok("import", "--store", store, str(tmp_path / "c"))
    assert play("--store", store, only_recording(store)).stdout == b"seen"
