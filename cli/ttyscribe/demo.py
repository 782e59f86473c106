# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe demo`: the product's main job on real input, in under a minute, with nothing but this machine."""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from ttyscribe.demo_rsyslog import NoRsyslog, Rsyslogd, find_program
from ttyscribe.demo_session import Seen, SessionError, play_through, shell
from ttyscribe_formats.errors import ConfigError, TtyscribeError
from ttyscribe_player.signals import Signalled, Watch, die_of
from ttyscribe_store.base import Query
from ttyscribe_store.care.upgrade import upgrade
from ttyscribe_store.open import open_store

DESCRIPTION = """Records a scripted session on a real terminal, ships it (through a private rsyslogd where rsyslogd is
installed), stores it in SQLite, lists it, finds a word that only the session printed, and plays it. Needs no root and
touches nothing but its own folder: ./demo-data, or $XDG_STATE_HOME/ttyscribe-demo where this folder can't be written.
Each step shows the command that does it. Run again, it adds another session."""
EPILOG = """examples:
  ttyscribe demo
  ttyscribe demo --without-rsyslog

exit status: 0 the session was listed, found and played byte for byte; 1 it was not"""
_FOLDER = "demo-data"
_DELIVERY_SECONDS = 20.0
_STEP_SECONDS = 30.0
_LATENCY = "--latency=1"
"""Messages of one second: a hit's place, which is where its message begins, is near the word."""


class _Failed(Exception):
    """A step did not show what it should."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument(
        "--without-rsyslog", action="store_true", help="ship through a file and a pipe, although rsyslogd is there"
    )


def run(options: argparse.Namespace) -> int:
    """Run the demonstration; 0 if everything was there at the end."""
    folder = _folder()
    try:
        with Watch():
            _Demo(folder).run(with_rsyslog=not options.without_rsyslog)
    except Signalled as signalled:
        return die_of(signalled.number)
    except (_Failed, SessionError, subprocess.TimeoutExpired) as failure:
        _say(f"\nFAILED: {failure}")
        _say(f"What there is of it is in {folder}")
        return 1
    return 0


def _folder() -> Path:
    """The demonstration's own folder, made."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    tried = []
    for place in (Path.cwd() / _FOLDER, Path(state, "ttyscribe-demo")):
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            tried.append(f"{place}: {error.strerror}")
            continue
        if os.access(place, os.W_OK | os.X_OK):
            return place
        tried.append(f"{place}: not writable")
    raise ConfigError("the demonstration needs a folder that it can write: " + "; ".join(tried))


def _program(name: str) -> str:
    """One of our programs: beside this Python, or on PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise ConfigError(f"{name} is not installed beside {sys.executable}: install ttyscribe with pip")
    return found


def _say(text: str = "") -> None:
    print(text, flush=True)


def _show(data: bytes) -> None:
    """What a terminal showed, as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


class _Demo:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = f"sqlite:{folder / 'store'}"
        self._number = 0

    def run(self, *, with_rsyslog: bool) -> None:
        """All steps. Raises _Failed and SessionError."""
        _say(f"ttyscribe demo: everything is kept in {self._folder}")
        self._take_up()
        seen = self._through_rsyslog() if with_rsyslog else None
        if seen is None:
            seen = self._through_file()
        recording, place = self._find(seen)
        self._play(seen, recording, place)
        self._say_where(recording)

    # ---- steps

    def _take_up(self) -> None:
        """What an earlier version left is brought to this one's schema; what can't be used is told at once."""
        folder = self._folder / "store"
        if not folder.is_dir():
            return
        try:
            for one in upgrade(str(folder)):
                _say(f"{one.name} in it was made by an older version: upgraded, as ttyscribe store upgrade does")
            with closing(open_store(self._store)) as store:
                store.count()
        except TtyscribeError as error:
            raise _Failed(f"{error}; for a new beginning move {folder} away") from None

    def _through_rsyslog(self) -> Seen | None:
        """Record and ship through a private rsyslogd; None (said why) where that is not possible."""
        program = find_program()
        if program is None:
            _say("rsyslogd is not installed: the session goes through a file and a pipe instead")
            return None
        child = self._normalize("omprog")
        try:
            with Rsyslogd(program, child, self._folder) as daemon:
                _say(f"a private rsyslogd ({program}) listens; its program is: {shlex.join(self._shown(child))}")
                seen = self._record(["--writer=syslog", f"--syslog-socket={daemon.socket}"])
                self._heading("Ship it: syslog socket, rsyslogd, ttyscribe-normalize, SQLite", [])
                if not _within(_DELIVERY_SECONDS, lambda: self._arrived(seen.word)):
                    raise NoRsyslog(f"it took the session and did not deliver it: {daemon.said()}")
                _say("all of it has arrived")
                return seen
        except NoRsyslog as why:
            _say(f"going on without rsyslogd: {why}")
            return None

    def _through_file(self) -> Seen:
        log = self._folder / f"session-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
        seen = self._record(["-o", str(log)])
        child = self._normalize("ndjson")
        self._heading("Ship it: file, ttyscribe-normalize, SQLite", [*self._shown(child), "<", str(log)])
        with log.open("rb") as lines:
            done = subprocess.run(child, stdin=lines, timeout=_STEP_SECONDS, check=False)
        if done.returncode or not self._arrived(seen.word):
            raise _Failed(f"ttyscribe-normalize ended with status {done.returncode} and the session is not stored")
        return seen

    def _record(self, way: Sequence[str]) -> Seen:
        command = [_program("ttyscribe-rec"), _LATENCY, *way, "--", *shell()]
        self._heading("Record a session on a terminal", self._shown(command))
        seen = play_through(command, _show)
        if seen.status:
            raise _Failed(f"the recorder ended with status {seen.status}")
        return seen

    def _find(self, seen: Seen) -> tuple[str, str]:
        """List and search, as a person would; the recording and the hit's place."""
        listed = self._command("List the recordings", "ttyscribe", "recordings")
        self._command(f"Find {seen.word}, a word that only the session printed", "ttyscribe", "search", seen.word)
        hits = self._output(["ttyscribe", "search", seen.word, "--json"]).splitlines()[
            :-1
        ]  # the last one tells the end
        if len(hits) != 1:
            raise _Failed(f"the word was found {len(hits)} times instead of once")
        hit = json.loads(hits[0])
        if hit["recording"] not in listed.replace("\n", ""):
            raise _Failed("the list does not show the recording")
        shown = self._command("Show what stood there", "ttyscribe", "show", hit["place"], "--context=0")
        if seen.word not in shown:
            raise _Failed("what stood there does not hold the word")
        return hit["recording"], hit["place"]

    def _play(self, seen: Seen, recording: str, place: str) -> None:
        played = self._output(["ttyscribe-play", recording])
        self._heading("Play it", ["ttyscribe-play", "--store", self._store, "--speed=8", recording])
        if sys.stdout.isatty():
            command = [_program("ttyscribe-play"), "--store", self._store, "--speed=8", recording]
            subprocess.run(command, timeout=2 * _STEP_SECONDS, check=False)
        else:
            _show(played)
        if seen.word.encode() not in played or played not in seen.data:
            raise _Failed("what was played is not what the terminal showed")
        _say(f"\nplayed {len(played)} bytes, the same that the session's terminal showed; from the word on: {place}")

    def _say_where(self, recording: str) -> None:
        _say(f"\nDone. The store is {self._store}; look around with")
        _say(f"  export TTYSCRIBE_STORE={shlex.quote(self._store)}")
        _say(f"  {self._name('ttyscribe')} recordings")
        _say(f"  {self._name('ttyscribe-play')} {recording}")

    # ---- tools

    def _normalize(self, protocol: str) -> list[str]:
        return [_program("ttyscribe-normalize"), "--protocol", protocol, "--output", self._store]

    def _shown(self, command: Sequence[str]) -> list[str]:
        return [os.path.basename(command[0]), *command[1:]]

    def _name(self, name: str) -> str:
        """How a person here calls one of our programs."""
        return name if shutil.which(name) else shlex.quote(os.path.relpath(_program(name)))

    def _arrived(self, word: str) -> bool:
        """Tell whether the session that printed the word is stored up to its end."""
        store = open_store(self._store)
        try:
            for hit in store.search(Query([[word]])):
                last = [message.tlog.get("ttyscribe") or {} for message in store.messages(hit.recording)][-1]
                return "end" in last
        except TtyscribeError:  # the normalizer has not made the store yet, or writes
            pass
        finally:
            store.close()
        return False

    def _heading(self, title: str, command: Sequence[str]) -> None:
        self._number += 1
        _say(f"\n== {self._number}. {title}")
        if command:
            _say("$ " + " ".join(part if part == "<" else shlex.quote(part) for part in command))

    def _command(self, title: str, *command: str) -> str:
        """Run one of our commands under a heading; its output, which is shown too."""
        self._heading(title, [*command, "--store", self._store])
        text = self._output(command).decode("utf-8", "replace")
        _say(text.rstrip())
        return text

    def _output(self, command: Sequence[str]) -> bytes:
        """What one of our commands writes. _Failed where its status is not 0."""
        full = [_program(command[0]), *command[1:], "--store", self._store]
        done = subprocess.run(
            full, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=_STEP_SECONDS, check=False
        )
        if done.returncode:
            raise _Failed(f"{shlex.join(command)} ended with status {done.returncode}")
        return done.stdout


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
