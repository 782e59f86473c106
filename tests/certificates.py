# SPDX-License-Identifier: Apache-2.0
"""Certificates for servers on loopback, made by openssl."""

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
