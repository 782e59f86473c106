# SPDX-License-Identifier: Apache-2.0
"""Certificates for servers on loopback and for peers by name, made by openssl."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.peers import require_program


class Certificate(NamedTuple):
    """A certificate that nobody signed, for 127.0.0.1, and its key."""

    file: str
    key: str


def make_certificate(folder: Path, name: str) -> Certificate:
    """Make a certificate of that name."""
    openssl = require_program("openssl")
    file, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    command = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout {key} -out {file}"
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *command.split(), *subject], check=True, capture_output=True)
    return Certificate(file, key)


class Authority:
    """A certificate authority of a test; `file` is its certificate."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._own = make_certificate(folder, name)
        self.file = self._own.file

    def sign(self, name: str, days: int = 2) -> Certificate:
        """A certificate for a host of that name; with days below 0 one whose time is over."""
        openssl = require_program("openssl")
        stem = str(self._folder / f"{Path(self.file).stem}-{name}")
        request, file, key = f"{stem}.csr", f"{stem}.pem", f"{stem}.key"
        make = f"req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {key} -out {request}"
        alternative = f"subjectAltName=DNS:{name}"
        subject = ["-subj", f"/CN={name}", "-addext", alternative]
        subprocess.run([openssl, *make.split(), *subject], check=True, capture_output=True)
        sign = f"x509 -req -in {request} -CA {self._own.file} -CAkey {self._own.key} -CAcreateserial -days {days}"
        sign += f" -copy_extensions copy -out {file}"
        subprocess.run([openssl, *sign.split()], check=True, capture_output=True)
        Path(request).unlink()
        return Certificate(file, key)
