# SPDX-License-Identifier: Apache-2.0
"""A log service that is absent, stands still, and comes back: what was shown is in the log or in a `lost` mark.

tlog loses all of it without a word where the socket is missing, and stands still with the session where it is blocked.
"""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from tests.recorder.recorder import GO_ON, PATIENCE, RECORDER
from tests.recorder.test_journal import Journal
from tests.recorder.test_on_error import told
from tests.recorder.test_syslog import FORM, Receiver
from ttyscribe_formats import tlog

FLOOD = (
    "seq 1 1000000; : >{ready}; until [ -e {back} ]; do sleep 0.05; done;"
    "sleep {latency}.5; echo back; sleep 0.5; exit 3"
)


class Service:
    """A syslog or journal socket that opens, or begins to read, when it is told to."""

    def __init__(self, folder: Path, writer: str) -> None:
        self._path, self._writer = folder / "socket", writer
        self._syslog: Receiver | None = None
        self._journal: Journal | None = None
        self._entries: list[dict[bytes, bytes]] = []
        self._stop = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.options = [f"--writer={writer}", f"--{writer}-socket={self._path}", f"--syslog-socket={self._path}"]
        if writer == "journal":
            self.options[-1] = f"--syslog-socket={folder / 'none'}"

    def open(self) -> None:
        """Be there, and take nothing."""
        if self._writer == "syslog":
            self._syslog = Receiver(self._path, reading=False)
        else:
            self._journal = Journal(self._path)

    def read(self) -> None:
        """Take what comes."""
        if self._syslog is not None:
            self._syslog.reading.set()
        else:
            self._reader.start()

    def _read(self) -> None:
        assert self._journal is not None
        while not self._stop.is_set():
            self._entries += self._journal.entries()

    def messages(self) -> list[tlog.Message]:
        """The messages of the recording, when it is over."""
        self._stop.set()
        if self._syslog is not None:
            self._syslog.close()
            found = [FORM.fullmatch(datagram) for datagram in self._syslog.received]
            return [tlog.decode(match[5]) for match in found if match is not None]
        self._reader.join()
        assert self._journal is not None
        self._entries += self._journal.entries()
        self._journal.socket.close()
        return [tlog.decode(entry[b"MESSAGE"]) for entry in self._entries]


@pytest.mark.parametrize("writer", ["syslog", "journal"])
@pytest.mark.parametrize("trouble", ["missing", "blocked"])
def test_what_was_shown_is_there_or_told(tmp_path: Path, writer: str, trouble: str) -> None:
    """Far more than memory holds comes meanwhile; then recording resumes, tells what is lost, and has its end."""
    service, ready, back = Service(tmp_path, writer), tmp_path / "ready", tmp_path / "back"
    if trouble == "blocked":
        service.open()
    script = FLOOD.format(ready=ready, back=back, latency=1)
    argv = [*RECORDER, *service.options, "--latency=1", "--", "sh", "-c", script]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **GO_ON}
    ) as recorder:
        shown: list[bytes] = []

        def watch() -> None:
            assert recorder.stdout is not None
            while data := os.read(recorder.stdout.fileno(), 65536):
                shown.append(data)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            end = PATIENCE / 0.05
            while not ready.exists() and end > 0:
                watcher.join(0.05)
                end -= 1
            if trouble == "missing":
                service.open()
            service.read()
            back.touch()
            assert recorder.wait(PATIENCE) == 3
        finally:
            recorder.kill()
        watcher.join(PATIENCE)
        assert recorder.stderr is not None
        said = recorder.stderr.read()
    found = service.messages()
    out = b"".join(shown)
    assert out.endswith(b"\n1000000\nback\n")
    ids = [message.id for message in found]
    assert ids == sorted(set(ids))
    missing = set(range(1, ids[-1] + 1)) - set(ids)
    assert told(found) == missing
    assert len(missing) > 100
    assert b"lacks %d messages" % len(missing) in said
    assert tlog.own_fields(found[-1])["end"] == {"status": 3}
    before = [message.out_txt for message in found if message.id < min(missing)]
    after = [message.out_txt for message in found if message.id > max(missing)]
    assert out.startswith("".join(before).encode())
    assert out.endswith("".join(after).encode())
    assert "".join(after).endswith("back\n")
