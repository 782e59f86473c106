# SPDX-License-Identifier: Apache-2.0
"""docs/howto/deploy-rsyslog.md on a fresh Debian: its lines are typed as they stand, and lead where it says.

What is done otherwise: the package is built here, the page's own lines for hosts without systemd are taken, and
RECORDING is the name that the page's own command has listed.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import peers
from tests.chroot.host import Host
from tests.recorder.recorder import PATIENCE, AtTerminal, wait_for
from tools import deb

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.rsyslogd]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "deploy-rsyslog.md"
ELSEWHERE = ("build", "systemd")
"""Kinds of blocks that this Debian has no means for."""
_BLOCK = re.compile(r"^```sh ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SEQUENCE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")
_PROMPT = re.compile(rb"\n(?:\w+@\S+[#$]|>) $")
_PLAYED = b"\x1b[23;0t"
"""What the player gives back at its end, the terminal's title: recorded prompts come before it."""
RECORDING = re.compile(rb"[0-9a-f]{32}-[0-9a-f]+-[0-9a-f]+")


class Block(NamedTuple):
    """Lines of the page; `kind` is the word behind `sh`."""

    kind: str
    lines: list[str]


def blocks(text: str) -> list[Block]:
    """All of a page's blocks of commands."""
    return [Block(found[1], found[2].splitlines()) for found in _BLOCK.finditer(text)]


class Newcomer:
    """Types at root's shell on the host, a line when the last is answered; `RECORDING` becomes what was listed last."""

    def __init__(self, host: Host) -> None:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        words = [f"{name}={value}" for name, value in environment.items()]
        command = host.command("/usr/bin/env", "-i", "-C", "/root", *words, "/bin/bash")
        self.screen = AtTerminal(command, size=(200, 50))
        self._from = 0
        self.name = b""
        self._wait("the shell", b"\n")

    def _wait(self, what: str, before: bytes = b"") -> bytes:
        """Wait for a prompt behind what was typed, and behind what the player shows; what was shown until then."""
        behind = _PLAYED if what.startswith("ttyscribe-play") else b""

        def there() -> bool:
            shown = self.screen.look(0.05)[self._from :]
            return behind in shown and bool(_PROMPT.search(before + _SEQUENCE.sub(b"", shown)))

        wait_for(there, what, PATIENCE * 6)
        shown = before + _SEQUENCE.sub(b"", self.screen.seen[self._from :])
        self._from = len(self.screen.seen)
        return shown

    def type(self, line: str) -> str:
        """Type one line; what it answered."""
        self.screen.type(line.encode().replace(b"RECORDING", self.name) + b"\r")
        shown = self._wait(line)
        found = RECORDING.search(shown)
        self.name = found[0] if found and b"recordings" in shown.partition(b"\n")[0] else self.name
        return shown.partition(b"\n")[2].decode()

    def until(self, line: str, text: str) -> str:
        """Type one line, again while the answer lacks a text: what was sent a moment ago may still be on its way."""
        answers: list[str] = []

        def there() -> bool:
            answers.append(self.type(line))
            return text in answers[-1]

        wait_for(there, f"{text!r} from {line}", PATIENCE)
        return answers[-1]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A fresh Debian, and root's shell on it; rsyslogd, which went into the background, ends with its namespace."""
    made = Host(tmp_path)
    yield made
    made.close()


WANTED = {
    "rsyslogd -N1 -f /etc/ttyscribe/rsyslog.conf": "End of config validation run",
    'ttyscribe search "is anybody there"': "trust system",
    "ttyscribe recordings": "root",
    'ttyscribe search "hello from"': "hello from",
    "ttyscribe show RECORDING@0:00": "hello from",
    "ttyscribe-play RECORDING": "hello from",
    "ttyscribe recordings --user alice": "user",
}
"""What must come of a line."""


@pytest.mark.timeout(400)
def test_its_lines_lead_to_ones_own_session_in_the_store(host: Host, tmp_path: Path) -> None:
    peers.require_program("dpkg-deb")
    page = blocks(PAGE.read_text())
    for path in deb.build(tmp_path / "build"):
        if path.name.startswith("ttyscribe_"):
            host.write(f"/root/{path.name}", path.read_bytes())
    newcomer = Newcomer(host)
    answers: dict[str, str] = {}
    try:
        for block in page:
            if block.kind in ELSEWHERE:
                continue
            for line in block.lines:
                answers[line] = newcomer.until(line, WANTED[line]) if line in WANTED else newcomer.type(line)
    finally:
        print(newcomer.screen.seen.decode(errors="replace"))
        newcomer.screen.send(signal.SIGHUP)
        newcomer.screen.close()
    assert set(WANTED) <= set(answers)
    assert [line for line, answer in answers.items() if "command not found" in answer] == []
    assert (
        "alice was here"
        in host.run("ttyscribe-play", "--store", "sqlite:/var/lib/ttyscribe", alices(answers)).stdout.decode()
    )
    log = host.root / "var/log/ttyscribe-normalize.log"
    assert not log.exists() or log.read_text() == ""
    for folder in ("var/spool/ttyscribe", "var/lib/ttyscribe"):
        assert oct((host.root / folder).stat().st_mode & 0o777) == "0o700"
    assert oct((host.root / "etc/ttyscribe/rsyslog.conf").stat().st_mode & 0o777) == "0o640"
    assert os.path.exists(host.root / "usr/lib/systemd/system/ttyscribe-rsyslog.service")


def alices(answers: dict[str, str]) -> str:
    """The recording of alice that was listed."""
    found = RECORDING.search(answers["ttyscribe recordings --user alice"].encode())
    assert found is not None
    return found[0].decode()


def test_every_block_is_of_a_kind_that_is_known() -> None:
    """A word that the test does not know would be a block that nobody types."""
    kinds = {block.kind for block in blocks(PAGE.read_text())}
    assert kinds == {"", "without-systemd", *ELSEWHERE}
    assert PAGE.read_text().count("```") == 2 * len(blocks(PAGE.read_text()))
