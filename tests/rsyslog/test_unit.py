# SPDX-License-Identifier: Apache-2.0
"""The systemd unit lets each sample write where it must and nowhere else; what that leaves is for its group alone."""

import re
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.chain import Chain
from tests.e2e.traffic import datagram
from tests.peers import require_program, require_root
from tests.rsyslog.daemon import AUDIT_GRADE, CONF, SPOOLED, Rsyslogd

UNIT = CONF / "ttyscribe-rsyslog.service"
SAMPLES = sorted(CONF.glob("*.conf"))


def settings(name: str) -> list[str]:
    """The unit's values of a key."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def writable() -> list[Path]:
    """Folders that the unit's processes may write to."""
    named = [Path(word.removeprefix("-")) for value in settings("ReadWritePaths") for word in value.split()]
    runtime = [Path("/run", name) for name in settings("RuntimeDirectory")]
    return named + runtime + [Path("/var/lib", name) for name in settings("StateDirectory")]


def written(text: str) -> Iterator[Path]:
    """Paths that a sample's rsyslogd and program write."""
    keys = "queue.spoolDirectory|output|StateFile|Socket|file|errorfile"
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    yield from map(Path, re.findall(rf'\b(?:{keys})="(/[^"]*)"', text))
    for binary in re.findall(r'\bbinary="([^"]*)"', text):
        yield from map(Path, re.findall(r"(?:sqlite:|--(?:spool|log-file|dead-letter) )(/\S+)", binary))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_place_that_a_sample_writes_to_is_open_to_the_unit(path: Path) -> None:
    places = set(written(path.read_text()))
    assert Path("/run/ttyscribe/log") in places or path.name == "central.conf"
    assert {place for place in places if not any(place.is_relative_to(folder) for folder in writable())} == set()


def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    verify = require_program("systemd-analyze")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/sbin/rsyslogd", require_program("rsyslogd")))
    done = subprocess.run([verify, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


_CLOSED = """
for place in {writable}; do mount --bind $place $place; done
mount -o remount,bind,ro /
umask {umask}
cd /
exec setpriv --no-new-privs --bounding-set {capabilities} -- "$@"
"""
"""What systemd makes of the unit's words, as far as it can be had without systemd."""


@pytest.mark.root
@pytest.mark.rsyslogd
@pytest.mark.parametrize("sample", [AUDIT_GRADE, SPOOLED], ids=lambda path: path.stem)
def test_a_sample_works_behind_the_units_walls(tmp_path: Path, sample: Path) -> None:
    """Nothing but its folders can be written, no privilege can be won."""
    require_root()
    state = tmp_path / "state"
    state.mkdir(0o700)
    options = ["--spool", str(state / "spool")] if sample == SPOOLED else []
    dropped = [
        word.lower().replace("cap_", "-") for value in settings("CapabilityBoundingSet") for word in value.split()
    ]

    def make(child: Sequence[str]) -> Rsyslogd:
        prefix: list[str] = []
        daemon = Rsyslogd(child, sample=sample, prefix=prefix)
        script = _CLOSED.format(
            writable=f"{state} {daemon.folder}",
            umask=settings("UMask")[0],
            capabilities=",".join(dropped).replace("~", ""),
        )
        prefix += ["unshare", "--mount", "sh", "-ec", script, "sh"]
        return daemon

    with Chain(f"sqlite:{state / 'store'}", state, options=options, daemon=make) as chain:
        chain.daemon.send([datagram(b"word")])
        chain.wait_found("word")
        status = Path(f"/proc/{chain.normalizers()[0]}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        inside = ["nsenter", "-t", str(chain.normalizers()[0]), "-m"]
        assert subprocess.run([*inside, "touch", str(state / "x")], check=False).returncode == 0
        assert subprocess.run([*inside, "touch", "/etc/x"], check=False, stderr=subprocess.DEVNULL).returncode != 0
        assert chain.daemon.stop() == 0


def test_it_leaves_what_recorders_leave_there() -> None:
    """Without Preserve its stop would take /run/ttyscribe away, and with it the word of recorders that run."""
    assert settings("RuntimeDirectoryPreserve") == ["yes"]


def modes(folder: Path) -> dict[str, int]:
    """Modes of all files and folders below one, sockets left out."""
    found = {str(path): path.lstat().st_mode for path in folder.rglob("*")}
    return {path: stat.S_IMODE(mode) for path, mode in found.items() if not stat.S_ISSOCK(mode)}


@pytest.mark.rsyslogd
@pytest.mark.parametrize("sample", [AUDIT_GRADE, SPOOLED], ids=lambda path: path.stem)
def test_nobody_outside_of_the_group_reads_what_waits_or_is_stored(tmp_path: Path, sample: Path) -> None:
    """Under the unit's umask; the socket stays open to every user."""
    (umask,) = settings("UMask")
    private = tmp_path / "private"
    options = ["--spool", str(private / "spool")] if sample == SPOOLED else []
    prefix = ["sh", "-c", f'umask {umask}; exec "$@"', "sh"]

    private.mkdir(0o750)
    url = f"sqlite:{private / 'store'}"
    with Chain(
        url, private, options=options, daemon=lambda child: Rsyslogd(child, sample=sample, prefix=prefix)
    ) as chain:
        chain.daemon.send([datagram(b"word")])
        chain.wait_found("word")
        found = modes(private) | modes(chain.daemon.spool)
        assert {path: oct(mode) for path, mode in found.items() if mode & 0o027} == {}
        assert {path.rpartition(".")[2] for path in found} >= ({"seg", "sqlite"} if options else {"qi", "sqlite"})
        assert stat.S_IMODE(chain.daemon.socket.stat().st_mode) == 0o666
