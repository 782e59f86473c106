# SPDX-License-Identifier: Apache-2.0
"""The sshd that tests log in through is a real one, and leaves nothing behind."""

import pwd
import subprocess
from pathlib import Path

import pytest

from tests.recorder.recorder import AtTerminal, wait_for
from tests.sshd import Sshd, children
from tests.users import User, processes_of, throwaway_user

pytestmark = pytest.mark.root


@pytest.mark.parametrize("pam", [False, True])
def test_a_login_by_key_and_by_password(pam: bool) -> None:
    """The login shell is the one chosen; a wrong password is refused; all is gone afterwards."""
    with throwaway_user("/bin/dash", password="correct horse") as user:
        with Sshd(user, pam=pam) as server:
            done = server.ssh("echo $0 $USER; cat; exit 3", stdin=b"through\n")
            assert (done.returncode, done.stdout) == (3, f"dash {user.name}\nthrough\n".encode())
            screen = AtTerminal(server.argv(password=True))
            try:
                screen.wait_to_see(b"assword: ")
                screen.type(b"wrong\r")
                wait_for(lambda: screen.look(0.01).count(b"assword: ") == 2, "the second question")
                screen.type(b"correct horse\r")
                screen.wait_to_see(b"$ ")
                assert len(processes_of(user.uid)) >= 1
                screen.type(b"exit 5\r")
                assert screen.wait() == 5
            finally:
                screen.close()
            served = children(server._process.pid) if server._process else []
            folder = server.folder
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in served), "init to take what was ended")
        assert not folder.exists()
    assert_gone(user)


def test_a_user_leaves_nothing_behind() -> None:
    """Not even where its processes would stay."""
    with throwaway_user(sudo=True) as user:
        argv = ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups", "sleep", "1000"]
        process = subprocess.Popen(argv)
        wait_for(lambda: processes_of(user.uid), "the process to be the user's")
        assert pwd.getpwnam(user.name).pw_dir == str(user.home)
    assert process.wait(30) == -9
    assert_gone(user)


def assert_gone(user: User) -> None:
    """No entry, no home, no process, no rule."""
    with pytest.raises(KeyError):
        pwd.getpwnam(user.name)
    assert not user.home.parent.exists()
    assert processes_of(user.uid) == []
    assert not Path(f"/etc/sudoers.d/{user.name}").exists()
