# SPDX-License-Identifier: Apache-2.0
"""One recorded session: the command, the streams between it and the user, and its recording.

Driven from outside: by the loop's callbacks, by `tick` after each turn, and by what its driver hears (a child ended,
the window changed, a signal says to stop). Installs no handler and holds no global, so that one process can hold many.
"""

import os
import time

from ttyscribe_recorder.stream import AHEAD, Flow, Outlet, reopen
from ttyscribe_recorder.terminal import copy_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ttyscribe_formats.packet import Stream
    from ttyscribe_recorder.command import Command
    from ttyscribe_recorder.loop import Loop
    from ttyscribe_recorder.recording import Recording
    from ttyscribe_recorder.terminal import Terminal

_SIGHUP = 1
_LEFTOVER = 1 << 20
"""What a pipe or terminal may still hold when the command has ended; a background process may write for ever."""
_ROUND = 4096
"""What one round of reading is counted as, however little it gives."""
_PARTING_NS = 1_000_000_000
"""How long a command that was told to hang up may take before we go without it."""


def _noted_already(_data: bytes) -> None:
    """The outlet has told the recording."""


class Session:
    """Ends (`done`) when the command has ended and what it wrote is delivered, or soon after `hang_up`.

    `standard` are the user's three streams, of which `at_terminal` says whether they are on `terminal`.
    `release` is called with our end of the inner terminal before it is closed.
    """

    def __init__(
        self,
        loop: "Loop",
        recording: "Recording",
        command: "Command",
        terminal: "Terminal | None",
        at_terminal: tuple[bool, ...],
        standard: tuple[int, int, int] = (0, 1, 2),
        release: "Callable[[int], object] | None" = None,
    ) -> None:
        self._loop = loop
        self._standard = standard
        self._release = release
        self.recording = recording
        self._command = command
        self._terminal = terminal
        self._open = {fd for fd in command[1:] if fd >= 0}  # ours to close
        self._outputs: list[Flow] = []
        self._inputs: list[Flow] = []
        self._leftover = _LEFTOVER
        self._parting_ns: int | None = None
        self._log_fd = -1
        self._held = False
        self._ended = False
        self.status = 0
        """The command's exit status, 128 + n where signal n ended it."""
        self.done = False
        if terminal is not None:
            self.resize()
            self._connect_terminal(terminal, at_terminal)
        self._connect_pipes()

    def _connect_terminal(self, terminal: "Terminal", at_terminal: tuple[bool, ...]) -> None:
        """The keyboard to the inner terminal, the inner terminal to the screen."""
        keyboard = screen = self._reopen(terminal.fd, os.O_RDWR)
        if keyboard < 0:
            keyboard, screen = terminal.fd, next((self._standard[n] for n in (1, 2) if at_terminal[n]), terminal.fd)
        outlet = Outlet(screen, blocking=keyboard == terminal.fd)
        master = self._command.master
        self._outputs.append(Flow(self._loop, master, outlet, self._note_output("terminal"), self._output_ended, AHEAD))
        self._inputs.append(self._keyboard_flow(keyboard, master))

    def _keyboard_flow(self, keyboard: int, master: int) -> Flow:
        if not self.recording.hides_input:
            return Flow(self._loop, keyboard, Outlet(master), self._note_input, self._keyboard_ended)
        from ttyscribe_recorder.keyboard import Keyboard

        typed = Keyboard(master, self._note_typed)
        return Flow(self._loop, keyboard, typed, _noted_already, self._keyboard_ended)

    def _connect_pipes(self) -> None:
        """Those of the standard streams that are not on the terminal."""
        command = self._command
        stdin, stdout, stderr = self._standard
        if command.stdin >= 0:
            self._inputs.append(Flow(self._loop, stdin, Outlet(command.stdin), self._note_input, self._stdin_ended))
        streams: tuple[tuple[int, int, Stream], ...] = (
            (stdout, command.stdout, "stdout"),
            (stderr, command.stderr, "stderr"),
        )
        for number, source, name in streams:
            if source >= 0:
                own = self._reopen(number, os.O_WRONLY)
                outlet = Outlet(own if own >= 0 else number, blocking=own < 0)
                self._outputs.append(
                    Flow(self._loop, source, outlet, self._note_output(name), self._output_ended, AHEAD)
                )

    def _reopen(self, fd: int, flags: int) -> int:
        own = reopen(fd, flags)
        if own >= 0:
            self._open.add(own)
        return own

    # -- what happened -------------------------------------------------------------------------------------------

    def _note_input(self, data: bytes) -> None:
        self.recording.input(data, time.monotonic_ns(), time.time_ns())

    def _note_typed(self, data: bytes, how: int) -> None:
        self.recording.input(data, time.monotonic_ns(), time.time_ns(), how)

    def _note_output(self, stream: "Stream") -> "Callable[[bytes], None]":
        def note(data: bytes) -> None:
            self.recording.output(data, stream, time.monotonic_ns(), time.time_ns())

        return note

    def _output_ended(self, flow: Flow) -> None:
        """The program closed it, or nobody reads it: then the program must feel that, as it would without us."""
        if flow.source != self._command.master:
            self._close(flow.source)
        elif flow.outlet.dead:
            self.hang_up(_SIGHUP)

    def _stdin_ended(self, flow: Flow) -> None:
        """Pass the end on; where the program reads no more, let the writer before us feel that."""
        self._close(flow.outlet.fd)
        if flow.outlet.dead:
            null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            os.dup2(null, flow.source)
            os.close(null)

    def _keyboard_ended(self, _flow: Flow) -> None:
        """The user's terminal is gone."""
        self.hang_up(_SIGHUP)

    # -- what the driver heard -----------------------------------------------------------------------------------

    def resize(self) -> None:
        """The window may have another size now."""
        if self._terminal is not None and self._command.master in self._open:
            columns, rows = copy_size(self._terminal.fd, self._command.master)
            self.recording.window(columns, rows, time.monotonic_ns(), time.time_ns())

    def reap(self) -> None:
        """Some child ended; perhaps ours."""
        if self._ended:
            return
        pid, waited = os.waitpid(self._command.pid, os.WNOHANG)
        if pid:
            self._ended = True
            code = os.waitstatus_to_exitcode(waited)
            self.status = code if code >= 0 else 128 - code

    def hang_up(self, number: int) -> None:
        """Stop: the command loses its terminal (and so gets SIGHUP), or on pipes the signal; it has a second to end."""
        if self._parting_ns is not None:
            return
        now_ns = time.monotonic_ns()
        self._parting_ns = now_ns + _PARTING_NS
        self.recording.flush(now_ns)
        if not self._ended:
            self.status = 128 + number
        if self._terminal is None:
            if not self._ended:
                os.kill(self._command.pid, number)
            return
        for flow in (*self._outputs, *self._inputs):
            if self._command.master in (flow.source, flow.outlet.fd):
                flow.stop()
        self._close(self._command.master)
        self._close(self._command.slave)

    def cut_off(self) -> None:
        """Hang up, and show nothing more: it could not be kept."""
        self.hang_up(_SIGHUP)
        self._leftover = 0
        for flow in self._outputs:
            flow.held = True
            flow.update()

    # -- what is due ---------------------------------------------------------------------------------------------

    @property
    def due_ns(self) -> int | None:
        """When `tick` is to be called at the latest; None where nothing but events matters."""
        due, parting = self.recording.due_ns, self._parting_ns
        if parting is None or due is None:
            return due if parting is None else parting
        return min(due, parting)

    def tick(self) -> None:
        """After each turn of the loop: what time has made due, what the log needs, whether it is over."""
        now_ns = time.monotonic_ns()
        self.recording.tick(now_ns)
        self._serve_log()
        if self._ended:
            self._drain()
        if self._parting_ns is not None and (now_ns >= self._parting_ns or self._ended):
            self.done = True

    def _serve_log(self) -> None:
        """Listen for room in the log, and read no more while it is full."""
        recording = self.recording
        if recording.wait_fd != self._log_fd:
            if self._log_fd >= 0:
                self._loop.writer(self._log_fd, None)
            self._log_fd = recording.wait_fd
            if self._log_fd >= 0:
                self._loop.writer(self._log_fd, self._log_has_room)
        if recording.holding != self._held:
            self._held = recording.holding
            # Keys that are not recorded need no room in the log, and may be what stops the flood.
            inputs = self._inputs if recording.takes_input else ()
            for flow in (*self._outputs, *inputs):
                flow.held = self._held
                flow.update()

    def _log_has_room(self) -> None:
        self.recording.room(time.monotonic_ns())

    def _drain(self) -> None:
        """The command has ended: deliver what it has written, wait for nobody who still holds its streams."""
        open_flows = [flow for flow in self._outputs if not flow.ended]
        for flow in open_flows:
            while not flow.outlet.pending and self._leftover > 0 and flow.pump():
                self._leftover -= _ROUND
            if not flow.ended and not flow.outlet.pending:
                flow.stop()
            flow.update()
        if all(flow.ended and not flow.outlet.pending for flow in self._outputs):
            self.done = True

    def _close(self, fd: int) -> None:
        if fd in self._open:
            self._open.remove(fd)
            if fd == self._command.master and self._release is not None:
                self._release(fd)
            os.close(fd)

    def end(self) -> None:
        """Write the recording's end."""
        self.recording.end(self.status, time.monotonic_ns())

    def close(self) -> None:
        """Let go of everything but the recording."""
        for flow in (*self._outputs, *self._inputs):
            flow.stop()
        if self._log_fd >= 0:
            self._loop.writer(self._log_fd, None)
            self._log_fd = -1
        for fd in list(self._open):
            self._close(fd)
