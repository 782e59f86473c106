# SPDX-License-Identifier: Apache-2.0
"""One such host: a writable layer over the Debian that is kept, in namespaces of its own, and an sshd.

All of it ends with the process that holds the namespaces: no mount, no process stays.
"""

import os
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests import peers
from tests.chroot import base
from tests.recorder.recorder import PATIENCE

_HOLD = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount -t tmpfs -o mode=755 tmpfs "$1/root/dev"
mkdir "$1/root/dev/pts" "$1/root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$1/root/dev/pts"
ln -s pts/ptmx "$1/root/dev/ptmx"
ln -s /proc/self/fd "$1/root/dev/fd"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$1/root/dev/${node%:*}" c 1 "${node#*:}"
done
mknod -m 666 "$1/root/dev/tty" c 5 0
touch "$1/root/run/utmp"
echo up
while :; do sleep 1000 & wait; done
"""

SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM yes
PasswordAuthentication no
PermitUserEnvironment yes
AcceptEnv *
PrintMotd no
PrintLastLog no
LogLevel VERBOSE
PidFile none
Subsystem sftp {sftp}
"""

Done = subprocess.CompletedProcess[bytes]


class Host:
    """`root` is the host's / as this process sees it, `key` the file of the key that its users take."""

    def __init__(self, folder: Path) -> None:
        for program in ("unshare", "nsenter", "ssh", "ssh-keygen"):
            peers.require_program(program)
        self._folder = folder
        below = folder / "host"
        below.mkdir()
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        self._holder = subprocess.Popen(
            [*apart, "sh", "-c", _HOLD, "sh", str(below), str(base.get())],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._holder.stdout is not None
        said = b""
        while b"up\n" not in said:
            assert select.select([self._holder.stdout], [], [], PATIENCE)[0], said
            more = os.read(self._holder.stdout.fileno(), 4096)
            assert more, f"no namespaces: {said.decode()}"
            said += more
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()
        self._inside = children[0]
        self.root = Path(f"/proc/{self._inside}/root{below}/root")
        self._chroot = f"{below}/root"
        self.key = folder / "key"
        self._sshd: subprocess.Popen[bytes] | None = None
        self._port = 0

    def close(self) -> None:
        """End it all."""
        if self._sshd is not None:
            self._sshd.kill()
            self._sshd.wait()
        self._holder.kill()
        self._holder.wait()
        assert self._holder.stdout is not None
        self._holder.stdout.close()

    def command(self, *words: str | Path) -> list[str]:
        """What runs a command inside, as root."""
        enter = ["nsenter", "-t", self._inside, "-m", "-p", "chroot", self._chroot]
        return [*enter, *map(str, words)]

    def run(self, *words: str | Path, env: Mapping[str, str] | None = None, check: bool = True) -> Done:
        """Run a command inside, as root."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", **(env or {})}
        done = subprocess.run(
            self.command(*words), env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE * 4
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout.decode()} {done.stderr.decode()}"
        return done

    def write(self, path: str, text: str | bytes, mode: int = 0o644, owner: int = 0) -> Path:
        """Write a file inside."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
        place.chmod(mode)
        os.chown(place, owner, owner)
        return place

    def user(self, name: str, shell: str = "/bin/bash") -> int:
        """Make a user who can log in by our key; the uid."""
        if not self.key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.run("useradd", "--create-home", "--shell", shell, name)
        uid = int(self.run("id", "-u", name).stdout)
        home = self.root / "home" / name
        self.write(f"/home/{name}/.ssh/authorized_keys", self.key.with_suffix(".pub").read_bytes(), 0o600, uid)
        os.chown(home / ".ssh", uid, uid)
        (home / ".ssh").chmod(0o700)
        return uid

    def start_sshd(self, more: str = "", sftp: str = "internal-sftp") -> None:
        """Start (again) the host's sshd on a port of this machine's loopback; `sftp` serves that protocol."""
        if self._sshd is not None:
            self._sshd.kill()
            self._sshd.wait()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.write("/etc/ssh/test_config", SSHD.format(port=self._port, sftp=sftp) + more)
        (self.root / "run/sshd").mkdir(exist_ok=True)
        log = (self._folder / "sshd.log").open("ab")
        command = self.command("/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/test_config")
        with log:
            self._sshd = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                assert self._sshd.poll() is None, (self._folder / "sshd.log").read_text()
                assert time.monotonic() < end, "sshd does not answer"
                time.sleep(0.05)

    def options(self) -> list[str]:
        """What ssh, scp and sftp need to be told to come here."""
        return [
            "-F", "none", "-i", str(self.key), "-o", f"Port={self._port}", "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
        ]  # fmt: skip

    def ssh(self, user: str, *words: str, options: Sequence[str] = ()) -> list[str]:
        """The command line of an ssh login."""
        return ["ssh", *self.options(), *options, f"{user}@127.0.0.1", *words]

    def login(
        self,
        user: str,
        *words: str,
        options: Sequence[str] = (),
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """Run a command by ssh, with these variables on the client's side."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), **(env or {})}
        command = self.ssh(user, *words, options=options)
        return subprocess.run(command, env=environment, input=stdin, capture_output=True, timeout=PATIENCE * 2)

    def debs(self) -> list[str]:
        """The package tlog, as files inside."""
        return [f"/root/{path.name}" for path in sorted((self.root / "root").glob("*.deb"))]


def copy_in(host: Host, path: Path, target: str) -> None:
    """Copy a file to the host."""
    shutil.copyfile(path, host.root / target.lstrip("/"))
