# SPDX-License-Identifier: Apache-2.0
"""What both programs do before and instead of a session: the writer, the answers to flags, the errors, the policy."""

import os

from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import __version__, command, config, header, options, presence
from ttyscribe_recorder.names import say
from ttyscribe_recorder.writers.base import reason
from ttyscribe_recorder.writers.syslog import SyslogWriter, alarm_by_syslog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ttyscribe_recorder.names import Name
    from ttyscribe_recorder.options import Value
    from ttyscribe_recorder.writers.base import Writer
    from ttyscribe_recorder.writers.datagram import DatagramWriter


def open_standard_streams() -> None:
    """Put the null device where a standard stream is closed, so that no file of ours lands there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def read_configuration(
    name: "Name", arguments: list[str], environment: dict[bytes, bytes], *, trusted: bool
) -> "tuple[dict[str, Value], list[str]]":
    """All values, and the words behind the options. Raises ConfigError."""
    given = options.parse(arguments, name)
    if given.values.get("help") or given.values.get("version"):
        return {**options.defaults(name), **given.values}, given.command  # a broken file must not keep help away
    values = config.load(name, environment, trusted=trusted)
    values.update(given.values)
    config.check(values)
    return values, given.command


def answer(name: "Name", values: "dict[str, Value]", words: list[str]) -> int | None:
    """Print what a flag asks for; the exit status, None where a session is wanted."""
    if values["help"]:
        from ttyscribe_recorder.usage import help_text

        text, status = help_text(name), 0
    elif values["version"]:
        text, status = f"{name.program} {__version__}", 0
    elif values["configuration"]:
        text, status = config.to_json(name, values, words), 0
    elif values["status"]:
        text, status = tell_status(str(values["runtime_folder"]))
    else:
        return None
    os.write(1, f"{text.rstrip()}\n".encode("utf-8", "surrogateescape"))
    return status


def tell_status(folder: str) -> tuple[str, int]:
    """Whether the session that we run in is recorded, in words and as an exit status."""
    found = presence.find(folder, (presence.SESSION, presence.COMMAND))
    if found is None:
        return "not recorded", 1
    pid, said = found
    rec, _, how = said.partition(" ")
    program, _, writer = how.partition(" ")
    if not writer:
        return f"recorded by process {pid}", 0
    return f"recorded as {rec} by {program} (process {pid}), to {writer}", 0


def open_writer(name: "Name", values: "dict[str, Value]") -> "Writer":
    """The writer that the options ask for. Raises ConfigError, or OSError where its file can't be opened."""
    writer = _open_plain(name, values)
    if values["limit.action"] == "pass":
        return writer
    from ttyscribe_recorder.writers.limit import LimitedWriter

    rate, burst = int(values["limit.rate"]), int(values["limit.burst"])
    return LimitedWriter(writer, rate, burst, delay=values["limit.action"] == "delay")


def open_semaphore(path: str) -> int:
    """A descriptor for the file in which others wait for READY; -1 where none is wanted. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    return os.open(path, flags, 0o600) if path else -1


def _open_plain(name: "Name", values: "dict[str, Value]") -> "Writer":
    if values["writer"] == "file":
        from ttyscribe_recorder.writers.file import FileWriter

        path = str(values["file.path"])
        if not path:
            where = "file.path" if name.session else "--file-path=FILE, or --writer=journal or syslog"
            raise ConfigError(f"no file to record to: say {where}")
        return FileWriter(path)
    path = str(values[f"{values['writer']}.socket"])
    link: DatagramWriter
    if values["writer"] == "journal":
        from ttyscribe_recorder.writers.journal import JournalWriter

        priority, augment = str(values["journal.priority"]), bool(values["journal.augment"])
        link = JournalWriter(path, priority, augment=augment, ident=name.journal_ident)
    else:
        facility, priority = str(values["syslog.facility"]), str(values["syslog.priority"])
        link = SyslogWriter(path, facility, priority, name.syslog_ident)
    if not link.connect():
        service = "the journal" if values["writer"] == "journal" else "syslog"
        waits = "the recording waits in memory, at most 4 MiB of it"
        say(name, f"can't reach {service} at {path}: {link.trouble}; {waits}")
    return link


def explain(name: "Name", error: Exception) -> int:
    """Say why no session begins; the exit status."""
    if isinstance(error, ConfigError):
        say(name, f"{error}; see {name.program} --help")
        return name.usage_status
    assert isinstance(error, OSError)  # noqa: S101 # nothing else is expected here
    say(name, f"can't open {error.filename} to record to: {reason(error)}")
    return 1


def alarm(name: "Name", values: "dict[str, Value]", priority: str, text: str) -> None:
    """Tell syslog, if it is there."""
    alarm_by_syslog(str(values["syslog.socket"]), name.syslog_ident, priority)(text)


def run_unrecorded(
    name: "Name",
    values: "dict[str, Value]",
    argv: list[bytes],
    environment: dict[bytes, bytes],
    path: bytes,
    error: Exception,
) -> int:
    """Where the policy is to go on: become the command, with an alarm; returns only where that fails."""
    say(name, "this session runs unrecorded (on_error is continue)")
    alarm(name, values, "alert", f"a session of uid {os.getuid()} runs unrecorded: {error}")
    return command.become(argv, environment, path, name.program)


def session_environment() -> dict[bytes, bytes]:
    """The environment for the command: ours, without what the interpreter added at its start."""
    environment = dict(os.environb)
    # In the C locale (or one that is not there) the interpreter sets LC_CTYPE, for itself and its children.
    if environment.pop(b"LC_CTYPE", None) is not None:
        found = [line[9:] for line in header.read_all("/proc/self/environ").split(b"\0") if line[:9] == b"LC_CTYPE="]
        environment.update((b"LC_CTYPE", value) for value in found)
    return environment


def launched_environment(fd: int) -> dict[bytes, bytes]:
    """The environment as launcher.c hands it over: in a file, so that none of it steers the interpreter."""
    with open(fd, "rb", 0) as file:
        file.seek(0)
        data = file.read()
    environment: dict[bytes, bytes] = {}
    for entry in data.split(b"\0"):
        variable, equals, value = entry.partition(b"=")
        if variable and equals:
            environment.setdefault(variable, value)
    return environment
