# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe-rec-session`: is the login shell, runs the user's real one, and records it."""

import os
import sys

from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import assemble, command, options, presence
from ttyscribe_recorder.driver import Driver
from ttyscribe_recorder.header import read_all
from ttyscribe_recorder.names import base, say, session_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ttyscribe_recorder.names import Name
    from ttyscribe_recorder.options import Value

_SHELL_VARIABLE = b"TLOG_REC_SESSION_SHELL"
_MARK = "-shell-"
_ETC_SHELLS = "/etc/shells"
_PLAIN = b"/bin/sh"


def shell_in_name(argv0: str) -> str:
    r"""The shell that a program's name asks for; empty where it asks for none.

    Behind `-shell` each `-` is a `/`, and `\` takes the next character as it is.
    """
    program = base(argv0)
    at = program.find(_MARK)
    if at < 0:
        return ""
    shell, escaped = "", False
    for character in program[at + len(_MARK) - 1 :]:
        if escaped or character not in "-\\":
            shell, escaped = shell + character, False
        elif character == "-":
            shell += "/"
        else:
            escaped = True
    return shell


def allowed_shells(path: str = _ETC_SHELLS) -> set[bytes]:
    """The shells that the host lets its users choose from."""
    lines = (line.partition(b"#")[0].strip() for line in read_all(path).splitlines())
    return {line for line in lines if line.startswith(b"/")}


def choose_shell(
    name: "Name", values: "dict[str, Value]", environment: dict[bytes, bytes], argv0: str, *, installed: bool
) -> bytes:
    """The shell by the program's name, else by the environment (installed: one of /etc/shells), else configured."""
    named = shell_in_name(argv0)
    chosen = os.fsencode(named) if named else _by_environment(name, values, environment, installed=installed)
    if b"rec-session" in chosen.rpartition(b"/")[2] and not shell_in_name(os.fsdecode(chosen)):
        say(name, f"{os.fsdecode(chosen)} is the recorder and would start itself for ever: {os.fsdecode(_PLAIN)} runs")
        return _PLAIN
    return chosen


def _by_environment(
    name: "Name", values: "dict[str, Value]", environment: dict[bytes, bytes], *, installed: bool
) -> bytes:
    configured = os.fsencode(str(values["shell"]))
    wanted = environment.get(_SHELL_VARIABLE, b"")
    if not wanted:
        return configured
    if installed and not values["trust_environment"] and wanted not in allowed_shells():
        variable, shown = _SHELL_VARIABLE.decode(), os.fsdecode(wanted)
        say(name, f"${variable} is {shown!r}, which is not in {_ETC_SHELLS}: {os.fsdecode(configured)} runs")
        return configured
    return wanted


def shell_words(values: "dict[str, Value]", shell: bytes, words: list[str], *, login: bool) -> list[bytes]:
    """The shell's arguments, its own name first."""
    argv = [b"-" + shell.rpartition(b"/")[2] if login else shell]
    if values["command"]:
        argv.append(b"-c")
    elif values["interactive"]:
        argv.append(b"-i")
    return argv + [os.fsencode(word) for word in words]


def main(
    arguments: list[str],
    environment: dict[bytes, bytes],
    ready: "Callable[[], None]" = lambda: None,
    argv0: str = "ttyscribe-rec-session",
    *,
    installed: bool = False,
) -> int:
    """Run with these arguments (without the program's name); the exit status.

    `ready` is called once the session is up, and before any ending that we mean. `installed` says that the recorded
    user's environment is not to be trusted.
    """
    name = session_name(argv0)
    broken: ConfigError | None = None
    try:
        values, words = assemble.read_configuration(name, arguments, environment, trusted=not installed)
    except ConfigError as error:
        try:
            values, words = _without_files(name, arguments)
        except ConfigError:
            values, words = {}, []
        if values.get("on_error") != "continue":
            ready()
            return assemble.explain(name, error)
        broken = error
    if values["command"] and not words:
        ready()
        say(name, "-c needs a command")
        return name.usage_status
    status = None if broken else assemble.answer(name, values, words)
    if status is not None:
        ready()
        return status
    shell = choose_shell(name, values, environment, argv0, installed=installed)
    login = argv0.startswith("-") or bool(values["login"])
    argv = shell_words(values, shell, words, login=login)
    environment[b"SHELL"] = shell
    return Start(name, values, argv, environment, shell).run(ready, broken)


def _without_files(name: "Name", arguments: list[str]) -> "tuple[dict[str, Value], list[str]]":
    given = options.parse(arguments, name)
    return {**options.defaults(name), **given.values}, given.command


class Start:
    """The ways in which a shell begins: recorded, in a recorded session already, or unrecorded by policy."""

    def __init__(
        self,
        name: "Name",
        values: "dict[str, Value]",
        argv: list[bytes],
        environment: dict[bytes, bytes],
        shell: bytes,
    ) -> None:
        self._name = name
        self._values = values
        self._argv = argv
        self._environment = environment
        self._shell = shell

    def run(self, ready: "Callable[[], None]", broken: ConfigError | None) -> int:
        """Run the shell; its status. `broken` is what is wrong with the configuration, where the policy is to go on."""
        if broken is not None:
            return self._continue(ready, broken)
        outer = presence.find(str(self._values["runtime_folder"]), (presence.SESSION,))
        if outer is not None:
            return self._nested(ready, outer)
        try:
            writer = assemble.open_writer(self._name, self._values)
        except (ConfigError, OSError) as error:
            if self._values["on_error"] == "continue":
                return self._continue(ready, error)
            ready()
            return assemble.explain(self._name, error)
        self._give_notice()
        return Driver(self._name, self._values, self._argv, self._environment, self._shell).run(writer, ready)

    def _give_notice(self) -> None:
        notice = str(self._values["notice"])
        try:
            os.write(2, notice.encode("utf-8", "replace"))
        except OSError:
            pass

    def _nested(self, ready: "Callable[[], None]", outer: "presence.Recorder") -> int:
        why = f"not recorded again: process {outer[0]} records this session already"
        if os.isatty(2):
            say(self._name, why)
        assemble.alarm(self._name, self._values, "info", f"a shell of uid {os.getuid()} is {why}")
        ready()
        return command.become(self._argv, self._environment, self._shell, self._name.program)

    def _continue(self, ready: "Callable[[], None]", error: Exception) -> int:
        assemble.explain(self._name, error)
        ready()
        return assemble.run_unrecorded(self._name, self._values, self._argv, self._environment, self._shell, error)


def console_main() -> int:
    """The console script."""
    assemble.open_standard_streams()
    return main(sys.argv[1:], assemble.session_environment(), argv0=sys.argv[0])


if __name__ == "__main__":
    sys.exit(console_main())
