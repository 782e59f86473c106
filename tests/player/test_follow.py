# SPDX-License-Identifier: Apache-2.0
"""What is still being recorded: played as it comes, from a file and a store, and nothing twice."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.player.engine import Handler, running
from tests.player.logs import PLAYER, from_store, write_log
from tests.player.test_painted import end, viewing
from tests.recorder.recorder import wait_for
from tests.store.samples import documents, make_recording, message
from ttyscribe_formats.errors import Unavailable
from ttyscribe_formats.packet import Output
from ttyscribe_formats.tlog import encode, to_fields
from ttyscribe_player import source
from ttyscribe_player.event import Event, Mark, following
from ttyscribe_store.base import StoredMessage
from ttyscribe_store.open import open_store


class Following:
    """The player in a pipe."""

    def __init__(self, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [*PLAYER, "--follow", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.seen = b""

    def wait_for(self, wanted: bytes) -> None:
        """Wait until exactly this was written."""
        assert self.process.stdout is not None
        end = time.monotonic() + 60
        while self.seen != wanted and time.monotonic() < end:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                self.seen += os.read(self.process.stdout.fileno(), 4096)
        assert self.seen == wanted

    def stop(self) -> str:
        """End it; what it complained about."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=60)
        assert self.process.returncode == -signal.SIGTERM
        return said.decode()


@contextlib.contextmanager
def follow(*arguments: str | Path) -> Iterator[Following]:
    """Follow something; what is left is ended."""
    one = Following(*arguments)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.communicate(timeout=60)


def append(path: Path, data: bytes) -> None:
    """As a recorder does."""
    with path.open("ab") as file:
        file.write(data)


def test_a_file_is_followed_line_by_line_and_a_line_under_way_is_waited_for(tmp_path: Path) -> None:
    lines = [encode(item) + b"\n" for item in make_recording("rec", [b"one,", b"two,", b"three,", b"four"])]
    log = tmp_path / "log"
    log.write_bytes(lines[0])
    with follow(log) as player:
        player.wait_for(b"one,")
        append(log, lines[1][:50])
        time.sleep(0.6)
        append(log, lines[1][50:] + lines[0] + lines[2])
        player.wait_for(b"one,two,three,")
        append(log, encode(message(1, "other", rec="other")) + b"\n" + lines[3])
        player.wait_for(b"one,two,three,four")
        assert player.stop() == ""


def test_a_file_that_is_empty_yet_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"")
    with follow(log) as player:
        time.sleep(0.5)
        append(log, encode(message(1, "here")) + b"\n")
        player.wait_for(b"here")


def test_a_file_that_is_written_anew_is_told(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"one", b"two"]))
    with follow(log) as player:
        player.wait_for(b"onetwo")
        log.write_bytes(b"")
        _, said = player.process.communicate(timeout=60)
        assert player.process.returncode == 1
        assert b"has become shorter" in said


def test_a_store_is_followed(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'store'}"
    store = open_store(url)
    store.setup()
    made = documents(make_recording("rec-1", [b"one,", b"two,", b"three"]))
    store.write(made[:2])
    with follow("--store", url, "rec-1") as player:
        player.wait_for(b"one,two,")
        store.write(made)
        player.wait_for(b"one,two,three")
        assert player.stop() == ""
    store.close()


def test_on_a_terminal_what_comes_is_painted_and_it_does_not_spin(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, "one", timing="=80x20>3")])
    with viewing("--follow", "--goto", "end", log) as viewer:
        viewer.wait_for_row(0, "one")
        append(log, encode(message(2, "two", pos=10, timing="=80x20>3")) + b"\n")
        viewer.wait_for_row(0, "onetwo")
        before = sum(map(int, Path(f"/proc/{viewer.pid}/stat").read_text().split()[13:15]))
        time.sleep(3)
        used = sum(map(int, Path(f"/proc/{viewer.pid}/stat").read_text().split()[13:15])) - before
        assert used < 2 * os.sysconf("SC_CLK_TCK")
        assert end(viewer) == 0


def told(*batches: list[StoredMessage]) -> list[Event | None]:
    """What becomes of batches."""
    return list(following(item for batch in batches for item in [*batch, None]))


def stored(number: int, text: str, pid: int = 1) -> StoredMessage:
    return from_store(message(number, text), pid=pid)


def test_a_message_that_comes_late_is_played_late_and_said() -> None:
    events = [event for event in told([stored(1, "a"), stored(4, "d")], [stored(3, "c"), stored(2, "b")]) if event]
    assert b"".join(event.data for event in events if isinstance(event, Output)) == b"adbc"
    marks = [event.text for event in events if isinstance(event, Mark)]
    assert marks == ["messages 2 to 3 are missing", "message 2 comes late", "message 3 comes late"]
    times = [event.time_ns for event in events]
    assert times == sorted(times)


def test_what_was_told_is_not_told_again() -> None:
    events = told([stored(1, "a")], [stored(1, "a"), stored(1, "forged", pid=66)], [stored(2, "b")])
    assert [event.data for event in events if isinstance(event, Output)] == [b"a", b"b"]
    assert events.count(None) == 3


def test_what_is_not_there_can_not_be_followed(tmp_path: Path) -> None:
    done = subprocess.run([*PLAYER, "--follow", "nothing-here"], capture_output=True, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) == 1


def test_a_message_that_says_something_else_later_is_marked() -> None:
    """Whoever comes first, the second one is not hidden; the same again is nothing new."""
    events = told([stored(1, "a")], [stored(1, "a"), stored(1, "forged", pid=66)], [stored(1, "forged", pid=66)])
    marks = [event for event in events if isinstance(event, Mark)]
    assert [mark.text for mark in marks] == ["another message claims to be message 1, late: not played"]
    assert marks[0].is_loss


def test_an_index_is_followed_through_an_outage() -> None:
    """What comes is asked for from the first that may be missing; a late one is played late, and that is said."""
    held = [to_fields(message(number, f"{number},")) for number in (1, 2, 4)]
    down: list[bool] = []

    def rule(handler: Handler) -> bool:
        if down:
            handler.answer(503, {"error": "down"})
        return bool(down)

    with running(held, rule) as server:
        address = ["--es-baseurl", f"http://{server.place}/tlog/_search", "--es-query", "x"]
        with follow("-r", "es", *address) as player:
            player.wait_for(b"1,2,4,")
            down.append(True)
            asked = len(server.asked)
            wait_for(lambda: len(server.asked) > asked + 1, "that it asks while the engine is down")
            server.documents = [*held, *(to_fields(message(number, f"{number},")) for number in (3, 5))]
            down.clear()
            player.wait_for(b"1,2,4,3,5,")
            said = player.stop()
    assert "message 3 is missing" in said
    assert "message 3 comes late" in said
    assert said.count("asking again") == 1
    lows = [one["query"]["bool"]["filter"][1]["range"]["id"]["gte"] for one in server.asked if _asks_on(one)]
    assert lows[0] == 3


def _asks_on(asked: dict[str, Any]) -> bool:
    return len(asked["query"]["bool"].get("filter", ())) == 2 and "id" in asked["query"]["bool"]["filter"][1]["range"]


def test_a_store_that_goes_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told once an outage."""

    class Store:
        answers: ClassVar[list[Any]] = [[stored(1, "a")], None, None, [stored(1, "a"), stored(2, "b")], None]

        def messages(self, _: str) -> Any:
            answer = self.answers.pop(0)
            if answer is None:
                raise Unavailable("the engine is down")
            return answer

    monkeypatch.setattr(source, "opened", lambda *_, **__: (Store(), "rec"))
    monkeypatch.setattr(source, "_ASK_SECONDS", 0)
    said: list[str] = []
    following = source.follow_store("url", "rec", said.append, is_sure=True)
    found = [next(following) for _ in range(7)]
    assert [item and item.tlog["id"] for item in found] == [1, None, None, None, 2, None, None]
    assert said == ["the engine is down; asking again"] * 2
