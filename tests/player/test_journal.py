# SPDX-License-Identifier: Apache-2.0
"""Recordings in the journal, played: against a journalctl of our own, and against a real journald."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests import peers
from tests.player.logs import PLAYER, play
from tests.recorder.recorder import RECORDER, wait_for
from tests.store.samples import make_recording, message
from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.tlog import encode
from ttyscribe_player.journal import terms

OUTPUTS = [b"one ", b"\xfftwo ", b"three"]


def journal(folder: Path, entries: list[Any]) -> dict[str, str]:
    """A journalctl that prints these entries and remembers what it was asked; the environment that finds it."""
    program = folder / "bin" / "journalctl"
    program.parent.mkdir()
    (folder / "entries").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/asked\ncat {folder}/entries\n')
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}


def test_messages_of_the_journal_are_played_in_their_order(tmp_path: Path) -> None:
    first, second, third = (encode(item).decode() for item in make_recording("rec", OUTPUTS))
    entries = [{"MESSAGE": second}, {"MESSAGE": list(first.encode())}, {"MESSAGE": third}]
    done = play(
        *("-r", "journal", "-S", "1700000000", "-U", "1700009999", "-N", "rec", "-M", "A=b", "-M", "OR", "-M", "C=d"),
        env=journal(tmp_path, entries),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"".join(OUTPUTS), b"")
    asked = (tmp_path / "asked").read_text().split("\n")
    assert asked[-5:] == ["--", "A=b", "+", "C=d", ""]
    assert {"--since=@1700000000", "--until=@1700009999", "--namespace=rec", "--output=json"} <= set(asked)


def test_an_entry_that_is_no_message_is_told(tmp_path: Path) -> None:
    good = encode(message(1, "good")).decode()
    done = play(
        "-r", "journal", env=journal(tmp_path, [{"MESSAGE": None}, {"MESSAGE": good}, {}, [], {"MESSAGE": [999]}])
    )
    assert (done.returncode, done.stdout) == (1, b"good")
    assert len(done.stderr.splitlines()) == 4


def test_several_recordings_in_the_journal_are_listed(tmp_path: Path) -> None:
    entries = [{"MESSAGE": encode(message(1, name, rec=name)).decode()} for name in ("aaa", "bbb")]
    env = journal(tmp_path, entries)
    assert b"the journal holds 2 recordings, choose one" in play("-r", "journal", env=env).stderr
    assert play("-r", "journal", "-m", "bbb", env=env).stdout == b"bbb"
    assert [line.split()[0] for line in play("-r", "journal", "--list", env=env).stdout.splitlines()] == [
        b"aaa",
        b"bbb",
    ]


def test_without_journalctl_it_is_told() -> None:
    done = play("-r", "journal", env={"PATH": "/nonexistent"})
    assert done.returncode == 2
    assert b"journalctl: No such file" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-r", "es"], 2),
        (["-r", "es", "--es-baseurl", "http://127.0.0.1:9/_search", "--es-query", "x"], 1),
        (["-r", "es", "--es-baseurl", "http://127.0.0.1:9/?a", "--es-query", "x"], 2),
        (["-r", "es", "--es-baseurl", "nonsense", "--es-query", "x"], 2),
        (["-r", "journal", "a-file"], 2),
        (["-r", "journal", "-M", "nonsense"], 2),
        (["-r", "journal", "-M", "A=b", "-M", "OR"], 2),
        (["-r", "journal", "-M", "A=b", "-M", "AND", "-M", "AND", "-M", "C=d"], 2),
        (["-r", "journal", "-M", "A=b", "-M", "AND", "-M", "A=d"], 2),
        (["-r", "journal", "-S", "yesterday"], 2),
    ],
)
def test_wrong_use_and_outages_are_one_line(arguments: list[str], status: int, tmp_path: Path) -> None:
    done = play(*arguments, env=journal(tmp_path, []))
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == 1
    assert b"Traceback" not in done.stderr


def test_the_file_may_be_named_by_tlogs_option(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(encode(message(1, "here")) + b"\n")
    assert play("--lax", "--reader=file", "-i", str(log)).stdout == b"here"
    assert play("--list", log).stdout.startswith(b"rec-1 ada@web7.example.com, 2026-11-24 ")


@pytest.mark.parametrize(
    ("matches", "wanted"),
    [
        ("", ""),
        ("A=b C=d", "A=b C=d"),
        ("A=b OR C=d", "A=b + C=d"),
        ("A=1 A=2 B=3 OR C=d", "A=1 A=2 B=3 + C=d"),
        ("A=b AND C=d", "A=b C=d"),
        ("A=1 OR B=2 AND C=3 OR D=4", "A=1 C=3 + A=1 D=4 + B=2 C=3 + B=2 D=4"),
        ("A=1 A=2 AND C=3", "A=1 C=3 + A=2 C=3"),
        ("A=1 OR B=2 AND A=1 OR A=2", "A=1 + B=2 A=1 + B=2 A=2"),
        ("A=x=y+z", "A=x=y+z"),
    ],
)
def test_how_matches_are_joined(matches: str, wanted: str) -> None:
    """As libsystemd joins them, in the words of journalctl, which has no AND between groups."""
    assert terms(matches.split()) == wanted.split()


def test_too_many_ways_to_join_are_refused() -> None:
    with pytest.raises(ConfigError):
        terms(" AND ".join(" OR ".join(f"F{n}{m}=x" for m in range(9)) for n in range(5)).split())


HOSTILE: list[Any] = [
    {"MESSAGE": ["{}", "{}"]},
    {"MESSAGE": [[123, 125], "x"]},
    {"MESSAGE": "x" * 100_000},
    {"MESSAGE": '{"ver":"2.3"'},
    {"MESSAGE": '{"ver":"2.3",\n"host":"\x1b]52;c;eA==\x07"}'},
    {"MESSAGE": 7, "_PID": {}, "_UID": []},
    {"MESSAGE": "{}", "_PID": "-1", "_UID": "99999999999999999999"},
    {"MESSAGE": ""},
    [1],
    "text",
]


def test_hostile_entries_are_told_and_hide_nothing(tmp_path: Path) -> None:
    good = [{"MESSAGE": encode(item).decode(), "_UID": "0", "_PID": "7"} for item in make_recording("rec", OUTPUTS)]
    done = play("-r", "journal", env=journal(tmp_path, [good[0], *HOSTILE, *good[1:]]))
    assert (done.returncode, done.stdout) == (1, b"".join(OUTPUTS))
    assert len(done.stderr.splitlines()) == len(HOSTILE)
    assert b"\x1b" not in done.stderr


def test_an_entry_without_an_end_hides_nothing_behind_it(tmp_path: Path) -> None:
    """Larger than any message may be; in time that grows with its size alone."""
    one, two, three = (json.dumps({"MESSAGE": encode(item).decode()}) for item in make_recording("rec", OUTPUTS))
    env = journal(tmp_path, [])
    large = "printf '{\"MESSAGE\":['; head -c 90000000 /dev/zero | tr '\\0' 1; echo ']}'"
    script = f"#!/bin/sh\ncat <<'END'\n{one}\nEND\n{large}\ncat <<'END'\n{two}\n{three}\nEND\n"
    (tmp_path / "bin" / "journalctl").write_text(script)
    done = play("-r", "journal", env=env)
    assert (done.returncode, done.stdout) == (1, b"".join(OUTPUTS))
    assert done.stderr == b"ttyscribe-play: entry 2 of the journal is no message of a recording\n"


def test_who_wrote_an_entry_decides_who_is_believed(tmp_path: Path) -> None:
    """A recorded user can log in the recording's name, before the recorder does even; root is believed."""
    good = [{"MESSAGE": encode(item).decode(), "_UID": "0", "_PID": "7"} for item in make_recording("rec", OUTPUTS)]
    forged = [
        {"MESSAGE": encode(message(2, "forged", rec="rec")).decode(), "_UID": "65534", "_PID": "66"},
        {"MESSAGE": encode(message(9, "more", rec="rec")).decode(), "_UID": "65534", "_PID": "66"},
    ]
    env = journal(tmp_path, [forged[0], *good, forged[1]])
    done = play("-r", "journal", env=env)
    assert (done.returncode, done.stdout) == (1, b"".join(OUTPUTS) + b"more")
    said = done.stderr.decode()
    assert "several processes sent this recording's messages: 3 by process 7, 2 by process 66" in said
    assert "2 messages claim to be message 2: the most trusted one is played" in said
    assert "message 9 is less trusted than what came before it" in said
    alone = play("-r", "journal", "--sender=7", env=env)
    assert alone.stdout == b"".join(OUTPUTS)


def test_a_journalctl_that_fails_is_told_with_its_words(tmp_path: Path) -> None:
    env = journal(tmp_path, [])
    (tmp_path / "bin" / "journalctl").write_text("#!/bin/sh\necho 'No such namespace' >&2\nexit 3\n")
    done = play("-r", "journal", env=env)
    assert done.returncode == 1
    assert b"journalctl ended with status 3: No such namespace" in done.stderr


def test_a_journal_is_followed(tmp_path: Path) -> None:
    """What comes is played when it comes, also in two halves; the end of the player ends journalctl."""
    env = journal(tmp_path, [])
    lines = [json.dumps({"MESSAGE": encode(item).decode()}) for item in make_recording("rec", OUTPUTS)]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "bin" / "journalctl").write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\necho $$ > {tmp_path}/pid\nexec cat {pipe}\n'
    )
    player = subprocess.Popen(
        [*PLAYER, "-r", "journal", "-f"], stdout=subprocess.PIPE, env={**os.environ, **env}, stdin=subprocess.DEVNULL
    )
    assert player.stdout
    with open(pipe, "w", buffering=1) as writer:
        writer.write(lines[0] + "\n" + lines[1][:50])
        assert player.stdout.read(4) == b"one "
        writer.write(lines[1][50:] + "\n")
        assert player.stdout.read(5) == b"\xfftwo "
        player.terminate()
        assert player.wait(60) == -signal.SIGTERM
    player.stdout.close()
    assert {"--follow", "--no-tail"} <= set((tmp_path / "asked").read_text().split())
    reader = int((tmp_path / "pid").read_text())
    wait_for(lambda: not Path(f"/proc/{reader}").exists(), "the end of journalctl")


JOURNALD = Path("/lib/systemd/systemd-journald")
INSIDE = """
    set -e
    mount -t tmpfs tmpfs /run
    mkdir -p /run/systemd/journal /run/log/journal /run/systemd/journald.conf.d
    mount -t cgroup2 cgroup2 /sys/fs/cgroup || true
    printf '[Journal]\\nStorage=volatile\\nRateLimitIntervalSec=0\\nReadKMsg=no\\nAudit=no\\n' \\
        > /run/systemd/journald.conf.d/test.conf
    "$JOURNALD" & daemon=$!
    for i in $(seq 600); do [ -S /run/systemd/journal/socket ] && break; sleep 0.05; done
    cd "$FOLDER"
    mkdir dev; mount -t tmpfs tmpfs dev; mkdir dev/pts; mount --bind /dev/pts dev/pts  # a /dev with a log socket
    for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
    ln -s /run/systemd/journal/dev-log dev/log; mount --rbind dev /dev
    "$@" -w journal -- sh -c "$SCRIPT" >/dev/null
    LC_ALL=C.UTF-8 tlog-rec -w journal -- sh -c "$SCRIPT" >/dev/null </dev/null
    LC_ALL=C.UTF-8 tlog-rec -w syslog -- sh -c "$SCRIPT" >/dev/null </dev/null
    echo 'something else' | systemd-cat -t other
    journalctl --sync
    ours=$(journalctl -o cat --output-fields=TLOG_REC SYSLOG_IDENTIFIER=ttyscribe | head -n 1)
    theirs=$(journalctl -o cat --output-fields=TLOG_REC SYSLOG_IDENTIFIER=tlog-rec | head -n 1)
    journalctl -o cat TLOG_REC="$ours" | systemd-cat -t again  # the same messages again, by another process
    journalctl --sync
    play() {
        name=$1; shift; status=0
        "$@" > "$name.out" 2> "$name.err" </dev/null || status=$?
        echo $status > "$name.status"
    }
    play ours $PLAYER -r journal -M TLOG_REC="$ours"
    play theirs $PLAYER -r journal -M TLOG_REC="$theirs" -M _UID=0
    journalctl -o short --all SYSLOG_IDENTIFIER=tlog > shipped.log
    play shipped $PLAYER shipped.log
    play syslog $PLAYER -r journal -M SYSLOG_IDENTIFIER=tlog
    play list $PLAYER -r journal --list -M SYSLOG_IDENTIFIER=ttyscribe -M OR -M SYSLOG_IDENTIFIER=tlog-rec
    play both $PLAYER -r journal -M _UID=0 -M AND -M SYSLOG_IDENTIFIER=other -M OR -M TLOG_REC="$theirs" -m "$theirs"
    play twice $PLAYER -r journal -M SYSLOG_IDENTIFIER=ttyscribe -M OR -M SYSLOG_IDENTIFIER=again
    play late $PLAYER -r journal -S 4000000000 -M TLOG_REC="$ours"
    play early $PLAYER -r journal -U 1000000000 -M TLOG_REC="$ours"
    play other $PLAYER -r journal -M SYSLOG_IDENTIFIER=other
    play space $PLAYER -r journal -N nothing-here
    journalctl -o cat TLOG_REC="$ours" SYSLOG_IDENTIFIER=ttyscribe | sed -n 2p |
        sed 's/"out_txt":"[a-z]*/&FORGED/; s/>[0-9]*"/>9"/' |
        setpriv --reuid 65534 --regid 65534 --clear-groups systemd-cat -t forged
    journalctl --sync
    play forged $PLAYER -r journal -M SYSLOG_IDENTIFIER=ttyscribe -M OR -M SYSLOG_IDENTIFIER=forged -m "$ours"
    sleep 1.1
    $PLAYER -r journal -f -S "$(date +%s)" -M SYSLOG_IDENTIFIER=ttyscribe > live.out 2> live.err </dev/null & live=$!
    "$@" -w journal -- printf live >/dev/null
    for i in $(seq 300); do [ -s live.out ] && break; sleep 0.1; done
    kill $live
    play import $COMMAND import --store "sqlite:$FOLDER/store" --journal TLOG_REC="$ours"
    play stored $PLAYER --store "sqlite:$FOLDER/store" "$ours"
    journalctl -o export > all.export
    journalctl -o json TLOG_REC="$theirs" > theirs.json
    play files $COMMAND import --store "sqlite:$FOLDER/files" all.export theirs.json
    play exported $PLAYER --store "sqlite:$FOLDER/files" "$theirs"
    (sleep 5 | LC_ALL=C.UTF-8 tlog-play -r journal -M TLOG_REC="$ours" -M SYSLOG_IDENTIFIER=ttyscribe -g end > tlog.out)
    kill $daemon
"""
SCRIPT = "printf 'first '; sleep 0.01; printf '\\377\\n'; sleep 0.01; head -c 5000 /dev/zero | tr '\\0' x"
PRINTED = b"first \xff\n" + b"x" * 5000


@pytest.mark.root
@pytest.mark.tlog
def test_a_real_journald(tmp_path: Path) -> None:
    """Recordings of both recorders, played and imported; tlog-play plays ours. Doubles and gaps are what they are."""
    peers.require_root()
    if not JOURNALD.exists():
        peers.absent("systemd-journald is not installed: apt-get install systemd")
    peers.require_program("tlog-rec")
    script = tmp_path / "inside"
    script.write_text(textwrap.dedent(INSIDE))
    environment = {**os.environ, "JOURNALD": str(JOURNALD), "FOLDER": str(tmp_path), "SCRIPT": SCRIPT, "TZ": "UTC"}
    environment |= {"PLAYER": " ".join(PLAYER), "COMMAND": f"{sys.executable} -m ttyscribe.main"}
    command = ["unshare", "-m", "-p", "-f", "--mount-proc", "--kill-child", "sh", str(script), *RECORDER]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=110)
    assert done.returncode == 0, done.stderr

    def result(name: str) -> tuple[int, bytes, str]:
        """Exit status, output and complaints."""
        status, output, errors = ((tmp_path / f"{name}.{part}") for part in ("status", "out", "err"))
        return int(status.read_text()), output.read_bytes(), errors.read_text()

    for name in ("ours", "theirs", "stored", "twice", "both"):
        assert result(name)[1] == PRINTED
    for name in ("ours", "theirs", "stored", "exported", "shipped", "syslog"):
        assert result(name) == (0, PRINTED, "")
    assert "is no message of a recording" in result("both")[2]
    assert "several processes sent" in result("twice")[2]
    status, listed, _ = result("list")
    assert (status, len(listed.splitlines())) == (0, 2)
    for name in ("late", "early", "space"):
        status, output, errors = result(name)
        assert (status, output) == (1, b"")
        assert errors.splitlines()[-1] == "ttyscribe-play: the journal holds no message of a recording that fits"
    status, output, errors = result("forged")
    assert (status, output) == (0, PRINTED)
    assert "2 messages claim to be message 2: the most trusted one is played" in errors
    assert (tmp_path / "live.out").read_bytes() == b"live"
    status, output, errors = result("other")
    assert (status, output) == (1, b"")
    assert "entry 1 of the journal is no message of a recording" in errors
    assert result("import")[0] == 0
    assert PRINTED in (tmp_path / "tlog.out").read_bytes()
