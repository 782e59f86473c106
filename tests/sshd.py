# SPDX-License-Identifier: Apache-2.0
"""A real sshd on loopback: own port, own host key, own configuration, stopped by its process id.

    with throwaway_user("/bin/bash", password="correct horse") as user, Sshd(user) as server:
        server.ssh("echo hello")                 # by key, without a terminal: what subprocess.run gives
        AtTerminal(server.argv("-t", "sh"))      # at a terminal, by key
        AtTerminal(server.argv(password=True))   # asks for the password

As root only: sshd has to become the user.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.peers import require_program, require_root
from tests.users import User

_PATIENCE = 30.0


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


def children(pid: int) -> list[int]:
    """All processes below one, itself first."""
    found = [pid]
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += children(int(child))
    return found


class Sshd:
    """Lets one user in, by key and (where it has one) by password.

    `config` are lines of sshd_config put before ours, which so win; `pam` makes sshd ask PAM (and
    `keyboard-interactive` its questions). `log` holds what sshd said.
    """

    def __init__(self, user: User, config: str = "", *, pam: bool = False) -> None:
        require_root()
        self._program = require_program("sshd")
        self._ssh = require_program("ssh")
        self.user = user
        self._config = config
        self._pam = pam
        self.folder = Path(tempfile.mkdtemp(prefix="ttyscribe-sshd-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        self.log = self.folder / "log"
        self.key = self.folder / "key"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start; returns when it listens."""
        try:
            self._make_keys()
            for _ in range(5):  # another process may take the port between our look and sshd's bind
                self.port = free_port()
                if self._listen():
                    return self
            raise AssertionError(f"sshd does not start: {self.log.read_text()}")
        except BaseException:
            self.stop()
            raise

    def _make_keys(self) -> None:
        for name in ("host", "key"):
            command = [require_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
            subprocess.run(command, check=True, timeout=60)
        shutil.copy(self.folder / "key.pub", self.folder / "authorized_keys")
        (self.folder / "authorized_keys").chmod(0o644)
        host = (self.folder / "host.pub").read_text()
        (self.folder / "known_hosts").write_text(f"ttyscribe-test {host}")

    def _listen(self) -> bool:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd locks itself in before it knows the user
        ours = [
            f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {self.folder}/host", "PidFile none",
            f"AuthorizedKeysFile {self.folder}/authorized_keys", "StrictModes no", f"AllowUsers {self.user.name}",
            f"UsePAM {'yes' if self._pam else 'no'}", f"KbdInteractiveAuthentication {'yes' if self._pam else 'no'}",
            f"PasswordAuthentication {'yes' if self.user.password else 'no'}", "PrintMotd no", "PrintLastLog no",
            "UseDNS no", "LogLevel VERBOSE", "Subsystem sftp internal-sftp",
        ]  # fmt: skip
        path = self.folder / "sshd_config"
        path.write_text("\n".join([self._config, *ours, ""]))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-D", "-e", "-f", str(path)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            if f"listening on 127.0.0.1 port {self.port}" in self.log.read_text():
                return True
            time.sleep(0.02)
        return False

    def argv(self, *words: str, password: bool = False, user: str = "") -> list[str]:
        """The ssh command line: its options and the remote command follow as `words` (options first).

        By key; with `password` it asks for that instead. Reads no configuration of this machine's users.
        """
        options = [
            f"Port={self.port}", f"User={user or self.user.name}", "HostKeyAlias=ttyscribe-test",
            f"UserKnownHostsFile={self.folder}/known_hosts", "StrictHostKeyChecking=yes", "LogLevel=ERROR",
        ]  # fmt: skip
        if password:
            options += ["PubkeyAuthentication=no", "PreferredAuthentications=keyboard-interactive,password"]
        else:
            options += [f"IdentityFile={self.key}", "IdentitiesOnly=yes", "BatchMode=yes"]
        at = next((number for number, word in enumerate(words) if not word.startswith("-")), len(words))
        settings = [piece for option in options for piece in ("-o", option)]
        return [self._ssh, "-F", "none", *settings, *words[:at], "127.0.0.1", *words[at:]]

    def ssh(self, *words: str, stdin: bytes = b"", timeout: float = 60) -> subprocess.CompletedProcess[bytes]:
        """Run a remote command by key, on pipes."""
        return subprocess.run(self.argv(*words), input=stdin, capture_output=True, timeout=timeout)

    def stop(self) -> None:
        """End it and the connections that it serves."""
        if self._process is not None:
            for pid in reversed(children(self._process.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM if pid == self._process.pid else signal.SIGKILL)
            self._process.wait(_PATIENCE)
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
