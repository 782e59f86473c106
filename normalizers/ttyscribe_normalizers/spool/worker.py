# SPDX-License-Identifier: Apache-2.0
"""One thread that does one task at a time, so that waiting for a far side holds nobody up."""

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue


class Worker:
    """`fd` can be read once a task is done. Its thread dies with the process: what it does must survive that."""

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.busy = False
        """Whether a task was begun whose end was not taken yet."""
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._ends: SimpleQueue[BaseException | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._thread.start()

    def begin(self, task: Callable[[], None]) -> None:
        """Do the task; one at a time."""
        self.busy = True
        self._tasks.put(task)

    def ended(self) -> bool:
        """Whether the task has ended since the last call; raises what it has raised."""
        try:
            os.eventfd_read(self.fd)
        except BlockingIOError:
            return False
        self.busy = False
        error = self._ends.get()
        if error is not None:
            raise error
        return True

    def _run(self) -> None:
        while True:
            task = self._tasks.get()
            error: BaseException | None = None
            try:
                task()
            except BaseException as raised:  # noqa: BLE001 - handed to whoever asks
                error = raised
            self._ends.put(error)
            os.eventfd_write(self.fd, 1)
