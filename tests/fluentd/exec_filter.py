# SPDX-License-Identifier: Apache-2.0
"""Fluentd's side of exec_filter, as it behaves up to 1.19.3: a reader that takes blocks of exactly 8,192 bytes of JSON
and is gone for good after one bad value, and an end that closes the input and sends SIGTERM at once.
"""

import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgpack

BLOCK = 8192
PATIENCE = 30.0


class ExecFilter:
    """Runs `command`; `form` is json or msgpack. `records` is what was read from the child so far."""

    def __init__(self, command: Sequence[str], form: str, folder: Path) -> None:
        self._form = form
        self._errors = folder / "stderr"
        with self._errors.open("ab") as errors:
            self.child = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=folder
            )
        self.records: list[Any] = []
        self.dead_reader = ""
        """Why the reader is gone; empty while it reads."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.child.stdout is not None
        out = self.child.stdout.fileno()
        try:
            self._read_json(out) if self._form == "json" else self._read_msgpack(out)
        except Exception as error:  # noqa: BLE001 - as Fluentd: whatever it is
            self.dead_reader = f"{type(error).__name__}: {error}"

    def _read_json(self, out: int) -> None:
        decoder, text, block = json.JSONDecoder(), "", b""
        while data := os.read(out, BLOCK - len(block)):
            block += data
            if len(block) < BLOCK:
                continue
            text, block = (text + block.decode()).lstrip(), b""  # strictly UTF-8
            while text:
                try:
                    value, end = decoder.raw_decode(text)
                except ValueError:
                    if len(text) > 1000 * BLOCK:
                        raise
                    break  # perhaps its rest is in the next block
                if not isinstance(value, dict):
                    raise TypeError(f"no record: {value!r}")
                self.records.append(value)
                text = text[end:].lstrip()

    def _read_msgpack(self, out: int) -> None:
        unpacker = msgpack.Unpacker(raw=False)
        while data := os.read(out, 65536):
            unpacker.feed(data)
            for value in unpacker:
                if not isinstance(value, dict):
                    raise TypeError(f"no record: {value!r}")
                self.records.append(value)

    def send(self, *records: Any) -> None:
        """Send records as Fluentd formats them."""
        if self._form == "json":
            self.send_raw(b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in records))
        else:
            self.send_raw(b"".join(msgpack.packb(one) for one in records))

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self.child.stdin is not None
        self.child.stdin.write(data)
        self.child.stdin.flush()

    def wait(self, count: int, seconds: float = PATIENCE) -> list[Any]:
        """Wait until so many records were read."""
        end = time.monotonic() + seconds
        while len(self.records) < count:
            assert not self.dead_reader, self.dead_reader
            assert time.monotonic() < end, f"{len(self.records)} of {count} records; {self.said()}"
            time.sleep(0.002)
        return self.records

    def stop(self) -> int:
        """End of the input and SIGTERM, together; the child's status once all of its output is read."""
        assert self.child.stdin is not None
        self.child.send_signal(signal.SIGTERM)
        self.child.stdin.close()
        self._thread.join(PATIENCE)
        return self.child.wait(PATIENCE)

    def join(self) -> None:
        """Wait until all of the child's output is read."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def said(self) -> str:
        """What the child wrote to standard error."""
        return self._errors.read_text(errors="replace")

    def waits(self) -> bool:
        """Whether nothing of the child's output waits to be read."""
        assert self.child.stdout is not None
        return not select.select([self.child.stdout], [], [], 0)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                pass
