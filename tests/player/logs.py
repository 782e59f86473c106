# SPDX-License-Identifier: Apache-2.0
"""Files of messages, stored messages and the player itself, for the player's tests."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.store.samples import stored
from ttyscribe_formats.tlog import Message, encode, to_fields
from ttyscribe_store.base import StoredMessage

PLAYER = [sys.executable, "-m", "ttyscribe_player.play"]
PATIENCE = 60.0


def write_log(path: Path, messages: Iterable[Message | bytes]) -> Path:
    """A file of messages, one a line; bytes are lines as they are."""
    lines = (item if isinstance(item, bytes) else encode(item) for item in messages)
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def from_store(item: Message, trust: str = "system", pid: int = 4113) -> StoredMessage:
    """A message as a store gives it."""
    return StoredMessage(stored(item)["viaq_msg_id"], to_fields(item), trust, pid)


def ordered(messages: Iterable[StoredMessage]) -> list[StoredMessage]:
    """In the order in which stores give them."""
    return sorted(messages, key=lambda item: (item.tlog["id"], item.document_id))


def play(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Play into a pipe."""
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": PATIENCE} | more
    environment = {name: value for name, value in os.environ.items() if name != "TTYSCRIBE_STORE"} | {"TZ": "UTC"}
    options["env"] = environment | more.get("env", {})
    return subprocess.run([*PLAYER, *map(str, arguments)], **options)


def text(messages: Sequence[Message]) -> bytes:
    """What these messages print; text only."""
    return "".join(item.out_txt for item in messages).encode()
