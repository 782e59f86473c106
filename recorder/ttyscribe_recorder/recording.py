# SPDX-License-Identifier: Apache-2.0
"""One recording: what happened goes in as packets, messages come out to the log.

Knows no descriptor, no signal and no clock; whoever drives it says what time it is (nanoseconds on the monotonic
clock) and calls `tick` when it is due, so that one process can hold many.
"""

from ttyscribe_formats.chunk import DEFAULT_PAYLOAD, Chunker
from ttyscribe_formats.packet import Input, Output, Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from ttyscribe_formats.chunk import Header
    from ttyscribe_formats.packet import Packet, Stream
    from ttyscribe_recorder.bulk import Bulk, Event
    from ttyscribe_recorder.log import Log
    from ttyscribe_recorder.secrets import Guard, Item, Mask


class Recording:
    """Feeds one log. `what` says which sorts of packets are recorded: input, output, window.

    Data waits at most `latency_ns` for its message to fill up. Without `marks`, messages are tlog's own, and no more.
    At a terminal a `guard` keeps secrets out, on pipes a `bulk` leaves out the middle of binary data.
    """

    def __init__(
        self,
        header: "Header",
        log: "Log",
        latency_ns: int,
        payload: int = DEFAULT_PAYLOAD,
        what: "frozenset[str]" = frozenset(("output", "window")),
        *,
        marks: bool = True,
        guard: "Guard | None" = None,
        bulk: "Bulk | None" = None,
    ) -> None:
        self.log = log
        self.rec = header.rec
        self._chunker = Chunker(header, payload, marks=marks)
        self._latency_ns = latency_ns
        self._input, self._output, self._window = ("input" in what), ("output" in what), ("window" in what)
        self._guard = guard
        self._bulk = bulk
        self._flush_ns: int | None = None
        self._marks = marks
        self._alone_was_lost = self._alarmed = False
        self.broken = ""
        """What stopped the recording, a bug of ours; the session goes on."""

    @property
    def takes_input(self) -> bool:
        """Whether what is typed is recorded."""
        return self._input

    @property
    def hides_input(self) -> bool:
        """Whether typing at hidden prompts is kept out."""
        return self._guard is not None

    @property
    def due_ns(self) -> int | None:
        """When `tick` is to be called next; None for never."""
        if self.broken:
            return None
        flush, log = self._flush_ns, self.log.due_ns
        held = None if self._guard is None else self._guard.due_ns
        bulk = None if self._bulk is None else self._bulk.due_ns
        return min((due for due in (flush, log, held, bulk) if due is not None), default=None)

    @property
    def wait_fd(self) -> int:
        """The descriptor to watch for `room` in the log; -1 for none."""
        return -1 if self.broken else self.log.wait_fd

    @property
    def holding(self) -> bool:
        """Whether no more should be read from the program for now."""
        return self.log.holding and not self.broken

    @property
    def failed(self) -> str:
        """Why what is shown from now on may not be kept, or what was shown was not; empty while all is well.

        A log that only can't be written for a time has not failed; nor has a limit that drops, as it was told to.
        """
        if self.broken:
            return f"a bug of the recorder: {self.broken}"
        return self.log.losses.failed or (self.log.trouble if self.log.nearly_full else "")

    def window(self, columns: int, rows: int, now_ns: int, wall_ns: int) -> None:
        """The terminal has this size from now on."""
        self._take(Window(now_ns, columns, rows), wall_ns)

    def input(self, data: bytes, now_ns: int, wall_ns: int, how: int = 0) -> None:
        """The program was given these bytes; `how` (of `secrets`) says how the terminal took them."""
        if self._input:
            self._take(Input(now_ns, data), wall_ns, how)

    def output(self, data: bytes, stream: "Stream", now_ns: int, wall_ns: int) -> None:
        """The program wrote these bytes."""
        self._take(Output(now_ns, data, stream), wall_ns)

    def mask(self, start_ns: int, end_ns: int, wall_ns: int) -> None:
        """What was typed between these times is kept out of the recording. `wall_ns` is the wall clock at the end."""
        if self._input:
            self._chunker.begin(start_ns, wall_ns - (end_ns - start_ns))
            self._do(lambda: self._chunker.mask(start_ns, end_ns), end_ns)

    def skip(
        self,
        time_ns: int,
        stream: "Stream | Literal['stdin']",
        size: int,
        digest: str,
        wall_ns: int,
        since_ns: int | None = None,
    ) -> None:
        """`size` bytes of a stream are kept out of the recording here. `wall_ns` is the wall clock at that time.

        The latency counts from `since_ns`, when the first of them came.
        """
        if self._input if stream == "stdin" else self._output:
            self._chunker.begin(time_ns, wall_ns)
            since_ns = time_ns if since_ns is None else since_ns
            self._do(lambda: self._chunker.skip(time_ns, stream, size, digest), since_ns, time_ns)

    def lost(self, first_id: int, last_id: int, why: str, now_ns: int) -> None:
        """The log could not take these messages."""
        self._do(lambda: self._chunker.lost(first_id, last_id, why), now_ns)

    def _take(self, packet: "Packet", wall_ns: int, how: int = 0) -> None:
        """Record a packet, or let it wait until it is known what may be recorded."""
        if self._bulk is not None:
            self._sift(self._bulk, packet, wall_ns)
        elif self._guard is None:
            self._record(packet, wall_ns)
        else:
            self._ask(lambda guard: guard.take(packet, how, wall_ns), (packet, wall_ns))

    def _ask(self, ask: "Callable[[Guard], list[Item]]", now: "tuple[Packet, int] | None" = None) -> None:
        """Record what the guard lets pass; it is given `now`."""
        guard = self._guard
        if guard is None:
            return
        try:
            items = ask(guard)
        except Exception as error:  # noqa: BLE001 (a bug of ours: neither reveal a secret nor lose what was shown)
            self._guard, self._input = None, False
            self.log.alarm(f"recording {self.rec} goes on without input: {type(error).__name__}: {error}")
            items = guard.abandon(now)
        for item, wall_ns in items:
            self._record(item, wall_ns)

    def _record(self, item: "Packet | Mask", wall_ns: int) -> None:
        """Record what was asked for."""
        if isinstance(item, Output):
            if self._output:
                self._feed(item, wall_ns)
        elif isinstance(item, Window):
            if self._window:
                self._feed(item, wall_ns)
        elif isinstance(item, Input):
            self._feed(item, wall_ns)
        else:
            self.mask(item.start_ns, item.end_ns, wall_ns)

    def _sift(self, bulk: "Bulk", packet: "Packet", wall_ns: int) -> None:
        """Record what bulk data leaves of it, if it is wanted at all."""
        if isinstance(packet, Window):
            self._record(packet, wall_ns)
        elif self._output or isinstance(packet, Input):
            self._pass(lambda: bulk.feed(packet), packet.time_ns, wall_ns)

    def _pass(self, sift: "Callable[[], list[Event]]", now_ns: int, wall_ns: int = 0) -> None:
        """Record what may be recorded now. `wall_ns` counts for the first of a recording only."""

        def act() -> None:
            for event in sift():
                if isinstance(event, (Input, Output)):
                    self._feed(event, wall_ns, now_ns)
                else:
                    self.skip(event.time_ns, event.stream, event.size, event.digest, wall_ns, event.since_ns)

        self._guarded(act)

    def _feed(self, packet: "Packet", wall_ns: int, now_ns: int | None = None) -> None:
        self._alone_was_lost = False
        self._do(lambda: self._chunker.feed(packet, wall_ns), packet.time_ns, now_ns)

    def _do(self, chunk: "Callable[[], list[bytes]]", time_ns: int, now_ns: int | None = None) -> None:
        """Give the log what this completes; what does not complete a message waits, but not too long.

        It happened at `time_ns`, which may be a while ago.
        """

        def act() -> None:
            messages = chunk()
            if messages:
                self._flush_ns = None  # what is left came just now
                self.log.put(messages, time_ns if now_ns is None else now_ns)
            if self._flush_ns is None and self._chunker.has_data:
                self._flush_ns = time_ns + self._latency_ns

        self._guarded(act)

    def _guarded(self, act: "Callable[[], None]") -> None:
        """A bug of ours, here or in the writer, must not end the user's work by itself."""
        if self.broken:
            return
        try:
            act()
        except Exception as error:  # noqa: BLE001 (whatever it is)
            self.broken = f"{type(error).__name__}: {error}"
            self.log.alarm(f"recording {self.rec} stopped: {self.broken}")

    def tick(self, now_ns: int) -> None:
        """Do what is due."""
        self._ask(lambda guard: guard.tick(now_ns))
        if self._bulk is not None:
            bulk = self._bulk
            self._pass(lambda: bulk.tick(now_ns, busy=self.holding), now_ns)
        if self._flush_ns is not None and now_ns >= self._flush_ns:
            self._flush(now_ns)
        if self.log.due_ns is not None:
            self._guarded(lambda: self.log.tick(now_ns))
        losses = self.log.losses
        if losses and not self.log.full and not self._alone_was_lost:
            self._tell_losses(now_ns)
        if losses.failed and not self._alarmed:
            self._alarmed = True
            self.log.alarm(f"recording {self.rec} loses messages: {losses.failed}")

    def room(self, now_ns: int) -> None:
        """`wait_fd` has room."""
        self._guarded(lambda: self.log.room(now_ns))

    def flush(self, now_ns: int) -> None:
        """Give all that waits to the log."""
        self._settle(now_ns)
        self._flush(now_ns)

    def _settle(self, now_ns: int) -> None:
        self._ask(lambda guard: guard.settle())
        if self._bulk is not None:
            self._pass(self._bulk.release, now_ns)

    def _flush(self, now_ns: int) -> None:
        """Give the message under way to the log."""
        self._flush_ns = None
        alone = not self._chunker.has_events
        self._guarded(lambda: self.log.put(self._chunker.flush(), now_ns))
        # A message that only tells of losses and is lost itself waits for company: else there would be no end of them.
        self._alone_was_lost = alone and bool(self.log.losses)

    def _tell_losses(self, now_ns: int) -> None:
        for first, last, why in self.log.losses.take():
            self.lost(first, last, why, now_ns)

    def end(self, status: int, now_ns: int) -> None:
        """The program has ended with this status (128 + signal): write the last message with the end mark."""
        self._settle(now_ns)
        self._flush_ns = None
        self._guarded(lambda: self._end(status, now_ns))

    def _end(self, status: int, now_ns: int) -> None:
        self._tell_losses(now_ns)
        self.log.put(self._chunker.end(status, now_ns), now_ns, last=True)
        if self.log.losses and self._marks:  # refused for its size, perhaps: the mark alone is small
            self._tell_losses(now_ns)
            self.log.put(self._chunker.end(status, now_ns), now_ns, last=True)

    def give_up(self, status: int, now_ns: int) -> None:
        """Wait for the log no longer. A last, small message may fit where larger ones did not: it says what is lost."""

        def act() -> None:
            self.log.give_up()
            if not self._marks or self._chunker.last_id == 0:
                return
            for first, last, why in self.log.losses.take():
                self._chunker.lost(first, last, why)
            self.log.write_or_not(self._chunker.end(status, now_ns))

        self._guarded(act)
