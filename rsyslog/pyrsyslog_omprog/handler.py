# SPDX-License-Identifier: Apache-2.0
"""What a plugin's author writes: a Handler, which may raise Retry."""


class Retry(Exception):
    """Raised by a handler that can't do its work now: the same call is made again after `after` seconds.

    Meanwhile rsyslog is kept waiting by dots and never sees an error; `reason` is reported at most once a minute.
    """

    def __init__(self, after: float = 1.0, reason: str = "") -> None:
        super().__init__(reason or f"again in {after:g} s")
        self.after = after


class Handler:
    """Takes rsyslog's lines one by one, in order; subclass it and write `line`.

    All methods are called in the main thread. A method that returns has done its work durably: the line is then
    confirmed and rsyslog forgets it.
    """

    def start(self) -> None:
        """Check what the work needs. Called once, when the first line has come and before it is handed over.

        Retry holds the line back; any other exception ends the program with status 1, the line unanswered, and rsyslog
        starts the program again later. Without a line it is never called.
        """

    def line(self, data: bytes) -> None:
        """Do the work for one line (without its LF, any bytes).

        Retry makes the same call again later. Any other exception declares the line poison: it goes to `poison` and
        is confirmed, because an error answer would block the queue behind it for ever.
        """
        raise NotImplementedError

    def long_line(self, head: bytes, size: int) -> None:
        """Do the work for a line of `size` bytes, longer than the limit, of which only `head` was kept.

        The default declares it poison.
        """
        raise ValueError(f"line of {size} bytes is longer than {len(head)}")

    def defer(self, data: bytes) -> bool:
        """Do the work for one line inside a transaction (`useTransactions="on"`), or keep it until `commit`.

        True: it is kept, and answered `DEFER_COMMIT`. False: it and all that was kept before it is durable; it is
        answered `OK`, which ends the transaction. rsyslog 8.2302 never sends a deferred line again if the program dies
        before COMMIT: keep a line where it survives that, or do nothing but keep it and do all the work in `commit`.
        The default calls `line` and answers False. Exceptions as for `line`.
        """
        self.line(data)
        return False

    def commit(self) -> None:
        """Make durable what `defer` has kept. Called for COMMIT, and before a line is put aside or handed to
        `long_line`. Retry makes the same call again later; any other exception ends the program, COMMIT unanswered.
        """

    def poison(self, data: bytes, error: Exception) -> None:
        """Put a line aside that `line` can't take; it was reported already.

        Retry and OSError (a full disk) make the same call again later.
        """

    def idle(self) -> None:
        """Called when no line has come for the plugin's `idle_after` seconds (never by default), or for its `wake`.

        An exception is reported and changes nothing.
        """

    def stop(self) -> None:
        """Called once at the end, if `start` succeeded: rsyslog has closed the input and all its lines are answered."""
