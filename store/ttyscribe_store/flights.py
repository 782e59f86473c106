# SPDX-License-Identifier: Apache-2.0
"""Several bulk requests under way at once: each waits for its answer in a thread of its own."""

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.base import Outcome
from ttyscribe_store.bulk import Chunk, Encoder, Limits, cut

_SHOWN = 500
Post = Callable[[Chunk], list[Outcome] | str]
"""Sends one request and gives its outcomes, or the reason where it is refused for what is in it (too large, not to be
parsed). Raises `Unavailable` where nothing is known of any of its documents."""
Reply = tuple[Chunk, list[Outcome] | str | BaseException]


class Crew:
    """Threads that are started when first needed and die with the process: what they do must survive that."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._count = 0

    def do(self, task: Callable[[], None], most: int) -> None:
        """Do the task, in one of at most so many threads; it raises nothing."""
        if self._count < most:
            self._count += 1
            threading.Thread(target=_work, args=(self._tasks,), name=self._name, daemon=True).start()
        self._tasks.put(task)

    def close(self) -> None:
        """Let the threads end once they have done what they were given."""
        for _ in range(self._count):
            self._tasks.put(None)
        self._count = 0


def _work(tasks: "SimpleQueue[Callable[[], None] | None]") -> None:
    while (task := tasks.get()) is not None:
        task()


def send(
    documents: Sequence[Document], encoder: Encoder, limits: Limits, post: Post, crew: Crew, flights: int = 1
) -> list[Outcome]:
    """Send documents, up to so many requests at once, and give their outcomes, in order.

    A request that is refused for what is in it is halved until one document is left, which is rejected. Once one finds
    the far side `Unavailable`, no further one is begun; documents that nothing is known of are `retry` then, and where
    that is all of them it is raised. No more is in memory than the requests under way and the next one.
    """
    sending = _Sending(documents, encoder, limits, post)
    sending.run(crew, max(1, flights))
    return sending.outcomes()


class _Sending:
    """One call's requests: cut, under way, answered."""

    def __init__(self, documents: Sequence[Document], encoder: Encoder, limits: Limits, post: Post) -> None:
        self._refused: dict[int, Outcome] = {}
        self._cut = cut(documents, encoder, limits, self._refused)
        self._halves: list[Chunk] = []
        self._post = post
        self._replies: SimpleQueue[Reply] = SimpleQueue()
        self._flying = 0
        self._found: list[Outcome | None] = [None] * len(documents)
        self._failed: Unavailable | None = None

    def run(self, crew: Crew, flights: int) -> None:
        """Until nothing is left to send, or can be sent, and all that was begun has ended."""
        chunk = self._next()
        while chunk is not None or self._flying:
            if chunk is None or self._flying >= flights:
                self._flying -= 1
                self._take(*self._replies.get())
                chunk = self._next() if chunk is None or self._failed else chunk
                continue
            following = self._next() if flights > 1 else None
            if following is None and not self._flying:
                self._take(chunk, self._answer(chunk))  # there is nothing to do meanwhile
            else:
                self._begin(chunk, crew, flights)
            chunk = following or self._next()

    def outcomes(self) -> list[Outcome]:
        """Of all documents, in order. Raises `Unavailable` where nothing is known of any."""
        failed = self._failed
        known = self._found
        for position, outcome in self._refused.items():
            known[position] = outcome
        if failed is None:
            return [outcome for outcome in known if outcome is not None]
        if not any(known):
            raise failed
        held = Outcome("retry", str(failed)[:_SHOWN], failed.after)
        return [outcome or held for outcome in known]

    def _next(self) -> Chunk | None:
        if self._failed is not None:
            return None
        return self._halves.pop() if self._halves else next(self._cut, None)

    def _begin(self, chunk: Chunk, crew: Crew, flights: int) -> None:
        replies = self._replies
        crew.do(lambda: replies.put((chunk, self._answer(chunk))), flights)
        self._flying += 1

    def _answer(self, chunk: Chunk) -> list[Outcome] | str | BaseException:
        try:
            return self._post(chunk)
        except BaseException as error:  # noqa: BLE001 - raised by whoever takes it
            return error

    def _take(self, chunk: Chunk, answer: list[Outcome] | str | BaseException) -> None:
        """Note what became of one request. Raises what is a fault of ours."""
        positions = chunk.positions
        if isinstance(answer, Unavailable):
            self._failed = self._failed or answer
        elif isinstance(answer, BaseException):
            raise answer
        elif not isinstance(answer, str):
            if positions[-1] - positions[0] + 1 == len(positions) == len(answer):
                self._found[positions[0] : positions[-1] + 1] = answer
            else:
                for position, outcome in zip(positions, answer, strict=True):
                    self._found[position] = outcome
        elif len(positions) == 1:
            self._found[positions[0]] = Outcome(
                "rejected", f"refused whole, {len(chunk.body)} bytes: {answer}"[:_SHOWN]
            )
        else:
            first, second = chunk.halves()
            self._halves += [second, first]
