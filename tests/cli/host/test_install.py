# SPDX-License-Identifier: Apache-2.0
"""Onto a host below a folder and off again: repeated, interrupted anywhere, over a tlog, past an operator's edits."""

import fcntl
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.host.snapshot import difference, snapshot
from ttyscribe import main
from ttyscribe.host.installation import Step, steps
from ttyscribe.host.layout import Plan, Settings, plan
from ttyscribe.host.machine import Machine
from ttyscribe.host.manifest import Manifest, load, wanted
from ttyscribe.host.removal import remove
from ttyscribe.host.sources import find
from ttyscribe_formats.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
UNIT = "ttyscribe-rsyslog.service"
FULL = Settings(tlog_names=True, list_shell=True)
PLAIN = Settings()
TLOG = b"#!/bin/sh\necho the real tlog\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small host whose programs can't be run, with a tlog of its own."""
    monkeypatch.setattr(Machine, "runs", False)
    monkeypatch.setattr(os, "sync", lambda: None)
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    place = tmp_path / "root"
    for folder in ("usr/bin", "usr/lib", "usr/share", "etc"):
        (place / folder).mkdir(parents=True)
    os.chmod(place, 0o755)
    (place / "usr/bin/python3").touch(0o755)
    for name in ("tlog-rec", "tlog-rec-session", "tlog-play"):
        (place / "usr/bin" / name).write_bytes(TLOG)
        (place / "usr/bin" / name).chmod(0o755)
    (place / "etc/shells").write_text("# shells\n/bin/sh\n")
    (place / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\nalice:x:1:1::/:/bin/sh\n")
    return place


def fake_launcher(made: Plan) -> bytes:
    """What passes for a launcher: a static program that knows its tree and its interpreter."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + bytes(16) + struct.pack("<Q", 64) + bytes(24)
    return head + f"{made.tree}\0{made.settings.python}\0".encode()


def small_plan(version: bytes = b"1", chosen: Settings = PLAIN) -> Plan:
    """A plan with a few files."""
    sources = find("host")
    tree = {"ttyscribe_recorder/rec.py": version, "ttyscribe_recorder/__init__.py": b""}
    return plan(chosen, sources._replace(tree=tree))


def todo(root: Path, made: Plan) -> list[Step]:
    """What is to be done on the host as it is."""
    machine = Machine(str(root))
    old = load(machine, made.settings.manifest) or Manifest(settings=made.settings)
    data = fake_launcher(made)
    new = None if machine.read(made.settings.launcher) == data else data
    return list(steps(machine, made, new, old, wanted(machine, made, old)))


def do(root: Path, made: Plan) -> None:
    """Install it."""
    for step in todo(root, made):
        step.do()


def undo(root: Path, *, purge: bool = False) -> list[str]:
    """Uninstall it."""
    machine = Machine(str(root))
    manifest = load(machine, Settings().manifest)
    return remove(machine, manifest, purge=purge) if manifest else []


def usable(root: Path) -> None:
    """Whoever logs in now finds a program, and the program finds all of its own."""
    session = root / "usr/bin/tlog-rec-session"
    assert session.is_symlink() or session.read_bytes() == TLOG
    if not (root / "usr/bin/ttyscribe-rec-session").is_symlink():
        assert not session.is_symlink()
        return
    link = root / "usr/bin/ttyscribe-rec-session"
    program = (link.parent / os.readlink(link)).read_bytes()
    tree = program[64:].split(b"\0")[0].decode()
    assert (root / tree.lstrip("/") / "ttyscribe_recorder/rec.py").is_file()
    assert (root / tree.lstrip("/") / "ttyscribe_recorder/__init__.py").is_file()


def test_there_and_back(root: Path) -> None:
    """Nothing is left, whatever was chosen; the second installation has nothing to do."""
    before = snapshot(root)
    for chosen in (Settings(), FULL, FULL._replace(prefix="/usr/local"), Settings(journald=False)):
        made = small_plan(chosen=chosen)
        (root / made.settings.prefix.lstrip("/")).mkdir(exist_ok=True)
        before = snapshot(root)
        do(root, made)
        assert todo(root, made) == []
        machine = Machine(str(root))
        manifest = load(machine, made.settings.manifest)
        assert manifest is not None
        assert manifest.complete
        assert remove(machine, manifest, purge=False) == []
        assert difference(before, snapshot(root)) == []


def test_what_is_there(root: Path) -> None:
    """Links lead to the launcher, tlog stands aside, nothing can be written by others."""
    do(root, small_plan(chosen=FULL))
    assert os.readlink(root / "usr/bin/tlog-rec-session") == "/usr/bin/ttyscribe-rec-session"
    assert (root / "usr/bin/tlog-rec-session.distrib").read_bytes() == TLOG
    assert (root / "usr/bin/tlog-play").read_bytes() == TLOG  # the role has no player
    assert (root / "etc/ttyscribe/on-error").read_text() == "refuse\n"
    assert (root / "etc/shells").read_text() == "# shells\n/bin/sh\n/usr/bin/ttyscribe-rec-session\n"
    assert "d /run/ttyscribe/recorders 1777 root root -\n" in (root / "usr/lib/tmpfiles.d/ttyscribe.conf").read_text()
    written = [path for path, entry in snapshot(root).items() if entry[1] & 0o022 and entry[0] != "0o120000"]
    assert written == []
    usable(root)


@pytest.mark.parametrize("role", ["host", "all"])
def test_rsyslogs_samples_and_their_unit_are_there(root: Path, role: str) -> None:
    """A recorded host has those that send to a central one, the host that stores has all."""
    do(root, plan(Settings(role=role), find(role)))
    shipped = {path.name for path in (ROOT / "rsyslog" / "conf").iterdir()}
    samples = {path.name for path in (root / "usr/share/ttyscribe/rsyslog").iterdir()}
    assert samples == ({"host.conf", "host-fast.conf"} if role == "host" else shipped - {UNIT}) | {"README.md"}
    assert (root / "usr/lib/systemd/system" / UNIT).read_bytes() == (ROOT / "rsyslog" / "conf" / UNIT).read_bytes()


@pytest.mark.parametrize("upgrade", [False, True])
def test_interrupted_after_any_step(root: Path, tmp_path: Path, upgrade: bool) -> None:
    """Logins work after each; then it can be gone on from, or taken back without a trace."""
    before = snapshot(root)
    number = 0
    while True:
        if upgrade:
            do(root, small_plan())
        made = small_plan(b"2" if upgrade else b"1", FULL)
        steps_of_this = todo(root, made)
        for step in steps_of_this[:number]:
            step.do()
            usable(root)
        if number % 2:
            do(root, made)
            usable(root)
            assert todo(root, made) == []
        undo(root)
        assert difference(before, snapshot(root)) == []
        if number >= len(steps_of_this):
            break
        number += 1
    assert number > (7 if upgrade else 15)


@pytest.mark.parametrize("role", ["host", "all"])
def test_an_installed_tree_can_be_installed_from(tmp_path: Path, role: str) -> None:
    """`ttyscribe install` on the host itself, to change its options, finds the same again."""
    made = plan(Settings(role=role), find(role))
    for name, data in made.tree_files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from ttyscribe.host.sources import find;"
        f"from ttyscribe.host.layout import *; print(plan(Settings(role={role!r}), find({role!r})).tree)"
    )
    done = subprocess.run([sys.executable, "-IB", "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (made.tree, "")
    assert ("/etc/ttyscribe/ttyscribe-play.conf" in made.configuration) == (role == "all")


class Killed(BaseException):
    """What stands for a SIGKILL: nothing in the product catches it."""


@pytest.mark.parametrize("function", ["rename", "fchmod"])
def test_killed_within_a_step(root: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """With half of a file written under its temporary name, or before any rename."""
    before = snapshot(root)
    real: Callable[..., None] = getattr(os, function)
    for number in range(100):
        left = number

        def kill(*words: object, **more: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            real(*words, **more)

        with monkeypatch.context() as patch:
            patch.setattr(os, function, kill)
            try:
                do(root, small_plan(chosen=FULL))
            except Killed:
                pass
        usable(root)
        undo(root)
        if (root / "usr/lib/.ttyscribe.ttyscribe-new").exists():  # before the manifest stood: the next one clears it
            do(root, small_plan(chosen=FULL))
            undo(root)
        assert difference(before, snapshot(root)) == []
        if left > 0:
            assert number > 8
            return
    pytest.fail("it never came to its end")


def test_upgrade_keeps_the_tree_before_for_logins_that_are_on_their_way(root: Path) -> None:
    """The last two trees stay, older ones go."""
    trees = []
    for version in (b"1", b"2", b"3"):
        made = small_plan(version)
        trees.append(root / made.tree.lstrip("/"))
        do(root, made)
        usable(root)
    assert [tree.is_dir() for tree in trees] == [False, True, True]
    do(root, small_plan(b"2"))  # and back
    usable(root)
    assert [tree.is_dir() for tree in trees] == [False, True, True]


def test_options_go_and_leave_nothing(root: Path) -> None:
    """What a later installation is told not to have is taken back."""
    made = small_plan()
    do(root, made)
    bare = snapshot(root, ["usr/lib/ttyscribe/manifest.json"])
    do(root, small_plan(chosen=FULL))
    do(root, made)
    assert difference(bare, snapshot(root, ["usr/lib/ttyscribe/manifest.json"])) == []


def test_an_operators_configuration_stays(root: Path) -> None:
    """Edited, taken away or written before us: as it is. --purge takes it along."""
    before = snapshot(root)
    (root / "etc/ttyscribe").mkdir()
    (root / "etc/ttyscribe/on-error").write_text("continue\n")
    do(root, small_plan())
    edited, absent = root / "etc/ttyscribe/ttyscribe-rec.conf", root / "etc/ttyscribe/ttyscribe-rec-session.conf"
    edited.write_text('{"latency": 1}\n')
    edited.chmod(0o600)
    absent.unlink()
    do(root, small_plan(b"2"))
    assert (edited.read_text(), edited.stat().st_mode & 0o777) == ('{"latency": 1}\n', 0o600)
    assert not absent.exists()
    assert (root / "etc/ttyscribe/on-error").read_text() == "continue\n"
    stays = undo(root)
    assert [line.partition(" ")[0] for line in stays] == [
        "/etc/ttyscribe/on-error",
        "/etc/ttyscribe/ttyscribe-rec.conf",
    ]
    do(root, small_plan())
    undo(root, purge=True)
    assert difference(before, snapshot(root)) == []


def test_a_changed_file_of_the_tree_is_mended(root: Path) -> None:
    """Run again, it brings the programs back to what they were."""
    made = small_plan()
    do(root, made)
    (root / made.tree.lstrip("/") / "ttyscribe_recorder/rec.py").write_text("evil")
    assert [step.text.partition(" ")[0] for step in todo(root, made)] == ["note", "mend", "manifest"]
    do(root, made)
    usable(root)
    assert todo(root, made) == []


def test_a_program_that_came_later_is_not_removed(root: Path) -> None:
    """What is not ours any more is left, and told."""
    do(root, small_plan(chosen=FULL))
    place = root / "usr/bin/tlog-rec"
    place.unlink()
    place.write_bytes(b"another's")
    assert "/usr/bin/tlog-rec is not ours any more: left as it is" in undo(root)
    assert place.read_bytes() == b"another's"


def call(*words: object) -> int:
    """The command."""
    return main.main([str(word) for word in words])


@pytest.fixture
def fake(root: Path, tmp_path: Path) -> Path:
    """A launcher for what this checkout would install below the folder."""
    path = tmp_path / "launcher"
    path.write_bytes(fake_launcher(plan(Settings(), find("host"))))
    return path


def test_the_command(root: Path, fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run changes nothing and says the same; the manifest remembers options; removal."""
    before = snapshot(root)
    assert call("install", "--root", root, "--tlog-names", "--launcher", fake, "--dry-run") == 0
    dry = capsys.readouterr().out
    assert difference(before, snapshot(root)) == []
    assert call("install", "--root", root, "--tlog-names", "--launcher", fake) == 0
    told = capsys.readouterr().out
    assert dry.splitlines()[:-1] == told.splitlines()[: len(dry.splitlines()) - 1]
    assert "to record a user: usermod --shell /usr/bin/ttyscribe-rec-session USER" in told
    assert call("install", "--root", root) == 0
    assert capsys.readouterr().out == "nothing to do: all is in place\n"
    assert (root / "usr/bin/tlog-rec").is_symlink()
    assert call("uninstall", "--root", root, "--dry-run") == 0
    assert (root / "usr/bin/tlog-rec").is_symlink()
    capsys.readouterr()
    assert call("uninstall", "--root", root) == 0
    assert capsys.readouterr().out == "removed\n"
    assert difference(before, snapshot(root)) == []
    assert call("uninstall", "--root", root) == 2
    assert "nothing is installed here" in capsys.readouterr().err


USES = {
    "etc/passwd": ("alice:x:1:1::/:/usr/bin/ttyscribe-rec-session\nbob:x:2:2::/:/usr/bin/tlog-rec-session-shell-x\n",
                   ["alice has /usr/bin/ttyscribe-rec-session as login shell: usermod --shell /bin/sh alice"]),
    "etc/ssh/sshd_config.d/x.conf": ("Match User x\n\tForceCommand /usr/bin/ttyscribe-rec-session\n",
                                     ["take ForceCommand out of /etc/ssh/sshd_config.d/x.conf, line 2"]),
    "etc/sssd/conf.d/sr.conf": ("[session_recording]\nscope = All\n",
                                ["set scope = none in /etc/sssd/conf.d/sr.conf"]),
}  # fmt: skip


@pytest.mark.parametrize("where", USES)
@pytest.mark.parametrize("with_tlog", [True, False])
def test_nobody_is_locked_out(
    root: Path, fake: Path, capsys: pytest.CaptureFixture[str], where: str, with_tlog: bool
) -> None:
    """While somebody's login needs it, it stays, and says who and what to do; tlog behind it will do as well."""
    if not with_tlog:
        for path in (root / "usr/bin").glob("tlog-*"):
            path.unlink()
    before = snapshot(root)
    call("install", "--root", root, "--tlog-names", "--launcher", fake)
    (root / where).parent.mkdir(parents=True, exist_ok=True)
    found = (root / where).read_text() if (root / where).exists() else None
    text, complaints = USES[where]
    (root / where).write_text(text)
    installed = snapshot(root)
    capsys.readouterr()
    status = call("uninstall", "--root", root)
    said = capsys.readouterr().err
    if "sssd" in where and with_tlog:
        assert status == 0
        return
    assert status == 1
    assert all(complaint in said for complaint in complaints)
    assert ("bob has" in said) == (where == "etc/passwd" and not with_tlog)
    assert difference(installed, snapshot(root)) == []
    assert call("uninstall", "--root", root, "--force") == 0
    if found is not None:
        (root / where).write_text(found)
        assert difference(before, snapshot(root)) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: os.chmod(root / "usr/bin", 0o777), "/usr/bin can be written by others than root (mode 0777)"),
        (lambda root: os.chmod(root / "usr/bin/python3", 0o757), "/usr/bin/python3 can be written by others"),
        (lambda root: os.chmod(root / "usr", 0o700), "/usr can't be entered by ordinary users"),
        (lambda root: (root / "usr/bin/python3").unlink(), "there is no interpreter /usr/bin/python3"),
        (lambda root: (root / "usr/bin/tlog-rec.distrib").touch(), "the name is diverted already"),
        (lambda root: (root / "var/lib/dpkg/info").mkdir(parents=True)
         or (root / "var/lib/dpkg/info/ttyscribe.list").touch(), "the Debian package ttyscribe is installed here"),
    ],
)  # fmt: skip
def test_refused(
    root: Path, fake: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], object], said: str
) -> None:
    """One line, exit status 2, nothing changed."""
    spoil(root)
    before = snapshot(root)
    assert call("install", "--root", root, "--tlog-names", "--launcher", fake) == 2
    assert said in capsys.readouterr().err
    assert difference(before, snapshot(root)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_an_interpreter_of_somebody_else(root: Path, fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where a link leads there."""
    (root / "opt").mkdir()
    (root / "opt/python3").touch(0o755)
    os.chown(root / "opt/python3", 1234, 0)
    (root / "usr/bin/python3").unlink()
    (root / "usr/bin/python3").symlink_to("../../opt/python3")
    assert call("install", "--root", root, "--launcher", fake) == 2
    assert "/opt/python3 belongs to uid 1234, not to root" in capsys.readouterr().err


def test_a_launcher_of_something_else(root: Path, fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Linked dynamically, for another tree, no program: refused, with the command that builds the right one."""
    right = fake.read_bytes()
    dynamic = right[:56] + struct.pack("<H", 1) + right[58:] + struct.pack("<I", 3)
    dynamic = (
        dynamic[:32] + struct.pack("<Q", len(dynamic) - 4) + dynamic[40:54] + struct.pack("<HH", 56, 1) + dynamic[58:]
    )
    for data, said in (
        (b"#!/bin/sh\n", "is no program"),
        (right.replace(b"/usr/lib/ttyscribe/", b"/usr/lib/ttyscribf/"), "was not built for /usr/lib/ttyscribe/"),
        (dynamic, "is linked dynamically"),
    ):
        fake.write_bytes(data)
        assert call("install", "--root", root, "--launcher", fake) == 2
        text = capsys.readouterr().err
        assert said in text
        assert " by `cc -O2 -static -s -Wall '-DPYTHON=\"/usr/bin/python3\"' '-DLIBRARY=\"/usr/lib/ttyscribe/" in text


def test_without_a_compiler(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It says exactly what to do."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert call("install", "--root", root) == 2
    text = capsys.readouterr().err
    assert "there is no C compiler for the launcher here (Debian: apt-get install gcc libc6-dev)" in text
    assert "come back with --launcher FILE" in text


def test_two_at_once(root: Path, fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second one is told."""
    fd = os.open(root, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert call("install", "--root", root, "--launcher", fake) == 2
    assert "another installation is at work" in capsys.readouterr().err
    os.close(fd)


def test_a_manifest_that_is_none(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with its path."""
    (root / "usr/lib/ttyscribe").mkdir(parents=True)
    for text in ("", "[]", "{}", '{"settings": {"x": 1}}'):
        (root / "usr/lib/ttyscribe/manifest.json").write_text(text)
        assert call("uninstall", "--root", root) == 2
        assert "/usr/lib/ttyscribe/manifest.json: is no manifest of ttyscribe" in capsys.readouterr().err


def test_a_name_that_could_break_out_of_a_macro() -> None:
    """The launcher's paths are C text."""
    from ttyscribe.host.trust import check_place

    for path in ('/usr"/x', "/usr\\x", "usr", "/us\nr"):
        with pytest.raises(ConfigError, match="plain absolute path"):
            check_place(Machine("/"), path, "the place")
