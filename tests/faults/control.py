# SPDX-License-Identifier: Apache-2.0
"""The control: the least program that omprog can run, which keeps every line before it answers. `control.py FILE`.

What is lost under it, rsyslog has lost. What stands in its file twice, rsyslog has sent twice.
"""

import os
import signal
import sys
import time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
os.write(1, b"OK\n")
inside = False
while line := sys.stdin.buffer.readline():
    if line in (b"BEGIN TRANSACTION\n", b"COMMIT TRANSACTION\n"):
        inside = line.startswith(b"BEGIN")
        os.write(1, b"OK\n")
    elif line.endswith(b"\n"):
        time.sleep(0.003)  # as long as a store takes, so that faults find lines waiting
        os.write(file, line)
        os.write(1, b"DEFER_COMMIT\n" if inside else b"OK\n")
