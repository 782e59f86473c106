# SPDX-License-Identifier: Apache-2.0
"""Plays a session's script inside a recorder: writes what a program wrote, waits for the keys and sizes it was given.

A program by itself: `python replay.py SCRIPT.json`. Around a key or a size it pauses, so that no two sorts of events
share a millisecond, where tlog's format loses their order.
"""

import base64
import json
import os
import sys
import time
import tty

GAP_S = 0.005


def write(fd: int, data: bytes) -> None:
    """All of it."""
    while data:
        data = data[os.write(fd, data) :]


def take(count: int) -> None:
    """So many bytes of keys."""
    while count > 0:
        count -= len(os.read(0, count))


def main(path: str) -> None:
    """Do it step by step."""
    with open(path, encoding="utf-8") as file:
        steps = json.load(file)["steps"]
    if os.isatty(0):
        tty.setraw(0)
    for sort, *rest in steps:
        if sort in ("out", "err"):
            time.sleep(min(rest[0], 5) / 1000)
            write(1 if sort == "out" else 2, base64.b64decode(rest[1]))
            continue
        if sort == "in":
            take(len(base64.b64decode(rest[0])))
        else:
            while os.get_terminal_size(0) != tuple(rest):
                time.sleep(0.001)
        time.sleep(GAP_S)


if __name__ == "__main__":
    main(sys.argv[1])
