# SPDX-License-Identifier: Apache-2.0
"""Tells compressed files by their first bytes, so that they can be refused in words."""

_TOOLS = ((b"\x1f\x8b", "zcat"), (b"\xfd7zXZ\0", "xzcat"), (b"\x28\xb5\x2f\xfd", "zstdcat"), (b"BZh", "bzcat"))
LONGEST = 6
"""Bytes that are to be looked at."""


def refusal(head: bytes, name: str, command: str) -> str:
    """What to do with a file that begins so, in words; empty where it is not compressed. `command` reads `-`."""
    for start, tool in _TOOLS:
        if head.startswith(start):
            return f"is compressed: {tool} {name} | {command} -"
    return ""
