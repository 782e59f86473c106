# SPDX-License-Identifier: Apache-2.0
"""Onto a real Debian and off again, with real logins through its sshd before, meanwhile and after."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import peers
from tests.chroot import base, recorded
from tests.chroot.host import Host
from tests.chroot.recorded import SESSION, bring, command, configure, install, logins, messages, output, trees
from tests.cli.host.snapshot import Entry, difference, snapshot
from tests.recorder.recorder import AtTerminal, wait_for
from tools import deb
from ttyscribe.host.layout import Sources
from ttyscribe.host.sources import find
from ttyscribe_formats import tlog

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(400)]

_VOLATILE = (
    "proc", "dev", "run", "tmp", "home", "root", "opt", "etc/ssh/test_config", "var/log/wtmp", "var/log/lastlog",
    "var/log/btmp", "var/log/faillog", "var/log/recordings", "var/log/dpkg.log", "var/log/alternatives.log",
    "var/cache", "var/lib/dpkg", "var/lib/systemd", "var/lib/pam", "usr/lib/python3", "etc/passwd-", "etc/shadow",
)  # fmt: skip
"""What logins, dpkg itself and tests change."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A fresh one, with a user and an sshd."""
    made = Host(tmp_path)
    try:
        made.user("alice")
        made.start_sshd()
        yield made
    finally:
        made.close()


def state(host: Host) -> dict[str, Entry]:
    """The host's files, but for what changes by itself."""
    return {
        path: entry
        for path, entry in snapshot(host.root, _VOLATILE).items()
        if "/__pycache__" not in path or "ttyscribe" in path
    }


def logged_in(host: Host, *, status: int = 5) -> None:
    """A command by ssh: both streams, the status, standard input."""
    done = host.login("alice", f"cat; echo err >&2; exit {status}", stdin=b"typed\n\xff")
    assert (done.returncode, done.stdout, done.stderr) == (status, b"typed\n\xff", b"err\n")


def at_terminal(host: Host) -> AtTerminal:
    """A login at a terminal."""
    return AtTerminal(host.ssh("alice", options=["-tt"]))


def test_there_and_back_over_a_tlog(host: Host) -> None:
    """By `ttyscribe install`: without a compiler, over the package tlog; refused while in use; upgraded meanwhile."""
    host.run("dpkg", "-i", *host.debs())
    tlogs = host.run("tlog-rec", "--version").stdout
    logged_in(host)
    before = state(host)
    bring(host)
    asked = command(host, "install", "--dry-run", "--tlog-names", check=False)
    assert b"there is no C compiler" in asked.stderr
    assert difference(before, state(host)) == []
    install(host, "--tlog-names", "--list-shell")
    assert b"nothing to do: all is in place" in command(host, "install").stdout
    assert (host.root / "run/ttyscribe/recorders").stat().st_mode & 0o7777 == 0o1777

    assert host.run("tlog-rec", "--version").stdout.startswith(b"tlog-rec 0.")
    assert host.run("tlog-rec.distrib", "--version").stdout == tlogs
    assert SESSION in (host.root / "etc/shells").read_text().split()
    configure(host)
    host.run("chsh", "-s", SESSION, "alice")
    logged_in(host)
    assert output(host, "alice").startswith("typed\n")

    refused = command(host, "uninstall", check=False)
    assert refused.returncode == 1
    assert b"alice has /usr/bin/ttyscribe-rec-session as login shell: usermod --shell /bin/bash alice" in refused.stderr
    logged_in(host)
    upgrade_in_a_session(host)

    host.run("usermod", "--shell", "/bin/bash", "alice")
    assert b"nothing to do: all is in place" in host.run("ttyscribe", "install").stdout
    host.run("ttyscribe", "install", "--no-list-shell")
    assert SESSION not in (host.root / "etc/shells").read_text().split()
    left = host.run("ttyscribe", "uninstall").stdout.decode()
    assert "/etc/ttyscribe/ttyscribe-rec-session.conf was changed here" in left
    (host.root / "etc/ttyscribe/ttyscribe-rec-session.conf").unlink()
    (host.root / "etc/ttyscribe").rmdir()
    assert difference(before, state(host)) == []
    assert not (host.root / "run/ttyscribe").exists()
    assert host.run("dpkg-divert", "--list", "*tlog*").stdout == b""
    assert host.run("dpkg", "--verify", "tlog").stdout == b""
    assert host.run("tlog-rec", "--version").stdout == tlogs
    logged_in(host)


def test_a_tlog_that_comes_later(host: Host) -> None:
    """It is put beside our links, and in their place when we go."""
    before = state(host)
    bring(host)
    install(host, "--tlog-names", "--no-journald")
    host.run("dpkg", "-i", *host.debs())
    assert host.run("tlog-rec", "--version").stdout.startswith(b"tlog-rec 0.")
    missing = host.run("ttyscribe", "recordings", check=False)
    assert missing.returncode == 2
    assert b"is not on this host: install it with --role all" in missing.stderr
    host.run("ttyscribe", "uninstall")
    assert host.run("tlog-rec", "--version").stdout.startswith(b"tlog 1")
    assert host.run("dpkg", "--verify", "tlog").stdout == b""
    host.run("dpkg", "--purge", "tlog", "libtlog0")
    host.run("deluser", "--quiet", "--system", "_tlog")
    assert difference(before, state(host)) == []


def upgrade_in_a_session(host: Host) -> None:
    """Two newer versions come while a session runs and others log in: nobody notices."""
    screen = at_terminal(host)
    try:
        screen.type(b"PS1=; echo $((40 + 2)) first\r")
        screen.wait_to_see(b"42 first")
        old = trees(host)
        with logins(host, "alice") as results:
            for mark in ("second", "third"):
                bring(host, mark)
                install(host)
        assert results
        assert {(done.returncode, done.stdout, done.stderr) for done in results} == {(0, b"in\n", b"")}
        assert not {path.name for path in old} & {path.name for path in trees(host)}
        screen.type(b"echo $((40 + 3)) last; exit 7\r")
        screen.wait_to_see(b"43 last")
        assert screen.wait() == 7
    finally:
        screen.close()
    wait_for(lambda: any(tlog.own_fields(one).get("end") == {"status": 7} for one in messages(host)), "its end")
    assert "43 last" in output(host, "alice")


def packages(folder: Path, monkeypatch: pytest.MonkeyPatch, mark: str = "") -> list[Path]:
    """Both Debian packages; a mark makes them another version."""

    def marked(role: str) -> Sources:
        sources = find(role)
        tree = {**sources.tree, "ttyscribe_recorder/mark.py": mark.encode()} if mark else sources.tree
        return sources._replace(tree=tree)

    monkeypatch.setattr(deb, "find", marked)
    folder.mkdir()
    return deb.build(folder)


def test_the_debian_packages(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed over tlog, used, upgraded under a session, refused to go while in use, purged without a trace."""
    peers.require_program("dpkg-deb")
    tlogs_packages = host.debs()
    for mark in ("", "second"):
        for path in packages(tmp_path / f"debs{mark}", monkeypatch, mark):
            host.write(f"/root/{mark}{path.name}", path.read_bytes())
    first, second = (
        [f"/root/{mark}{path.name}" for path in sorted((tmp_path / "debs").iterdir(), reverse=True)]
        for mark in ("", "second")
    )
    host.run("dpkg", "-i", *tlogs_packages)
    tlogs = host.run("tlog-rec", "--version").stdout
    logged_in(host)
    before = state(host)

    host.run("dpkg", "-i", *first)
    assert b"the Debian package ttyscribe is installed here" in host.run("ttyscribe", "install", check=False).stderr
    assert host.run("tlog-rec", "--version").stdout.startswith(b"tlog-rec 0.")
    assert host.run("tlog-rec.distrib", "--version").stdout == tlogs
    for program in ("ttyscribe", "ttyscribe-play", "ttyscribe-normalize", "ttyscribe-rec", SESSION, "tlog-play"):
        assert host.run(program, "--version").returncode == 0
    configure(host)
    host.run("usermod", "--shell", "/usr/bin/tlog-rec-session", "alice")
    of_tlog = (host.root / "etc/tlog/tlog-rec-session.conf").read_bytes()
    configure(host, "/etc/tlog/tlog-rec-session.conf")
    logged_in(host)
    host.run("usermod", "--shell", SESSION, "alice")
    logged_in(host)

    screen = at_terminal(host)
    try:
        screen.type(b"PS1=; echo $((40 + 2)) first\r")
        screen.wait_to_see(b"42 first")
        with logins(host, "alice") as results:
            host.run("dpkg", "-i", "--force-confold", *second)
        assert {(done.returncode, done.stdout, done.stderr) for done in results} == {(0, b"in\n", b"")}
        assert len(trees(host)) == 1
        screen.type(b"echo $((40 + 3)) last; exit 7\r")
        screen.wait_to_see(b"43 last")
        assert screen.wait() == 7
    finally:
        screen.close()
    assert "43 last" in output(host, "alice")

    refused = host.run("dpkg", "--purge", "ttyscribe-tlog", "ttyscribe", check=False)
    assert refused.returncode != 0
    assert b"alice has /usr/bin/ttyscribe-rec-session as login shell" in refused.stderr
    logged_in(host)
    host.run("usermod", "--shell", "/bin/bash", "alice")
    host.run("dpkg", "--purge", "ttyscribe-tlog", "ttyscribe")
    host.write("/etc/tlog/tlog-rec-session.conf", of_tlog)
    assert difference(before, state(host)) == []
    assert host.run("tlog-rec", "--version").stdout == tlogs
    assert host.run("dpkg", "--verify", "tlog").stdout == b""
    logged_in(host)


def test_packages_are_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte, at another time and in another folder."""
    peers.require_program("dpkg-deb")
    peers.require_program("cc")
    one, two = (packages(tmp_path / name, monkeypatch) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_the_cache_is_outside_of_the_checkout() -> None:
    """It would be a few hundred MB in somebody's working tree."""
    assert not base.cache().is_relative_to(Path(recorded.__file__).parents[2])
