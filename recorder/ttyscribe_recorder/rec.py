# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe-rec`: records one command. Parses, assembles, drives the session, passes the exit status on."""

import os
import pwd
import sys

from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import assemble
from ttyscribe_recorder.driver import Driver
from ttyscribe_recorder.names import is_session, rec_name, say
from ttyscribe_recorder.writers.base import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def default_command(environment: dict[bytes, bytes]) -> list[bytes]:
    """The user's shell: $SHELL, else what the passwd entry says, else /bin/sh."""
    shell = environment.get(b"SHELL", b"")
    if not shell:
        try:
            shell = os.fsencode(pwd.getpwuid(os.getuid()).pw_shell)
        except (KeyError, OSError):
            pass
    return [shell or b"/bin/sh"]


def main(
    arguments: list[str],
    environment: dict[bytes, bytes],
    ready: "Callable[[], None]" = lambda: None,
    argv0: str = "ttyscribe-rec",
) -> int:
    """Run with these arguments (without the program's name); the exit status.

    `ready` is called once the session is up, and before any ending that we mean.
    """
    name = rec_name(argv0)
    try:
        values, words = assemble.read_configuration(name, arguments, environment, trusted=True)
        status = assemble.answer(name, values, words)
    except ConfigError as error:
        ready()
        return assemble.explain(name, error)
    if status is not None:
        ready()
        return status
    argv = [os.fsencode(word) for word in words] or default_command(environment)
    try:
        semaphore = assemble.open_semaphore(str(values["semaphore"]))
    except OSError as error:
        ready()
        say(name, f"can't open the semaphore {error.filename}: {reason(error)}")
        return 1
    try:
        writer = assemble.open_writer(name, values)
    except (ConfigError, OSError) as error:
        ready()
        status = assemble.explain(name, error)
        if values["on_error"] != "continue":
            return status
        return assemble.run_unrecorded(name, values, argv, environment, b"", error)
    return Driver(name, values, argv, environment, semaphore=semaphore).run(writer, ready)


def console_main() -> int:
    """The console script."""
    assemble.open_standard_streams()
    return main(sys.argv[1:], assemble.session_environment(), argv0=sys.argv[0])


def launched() -> None:
    """What launcher.c runs: two numbers of files, `argv[0]` and the arguments follow. Never returns."""
    ready_fd, environment_fd = map(int, sys.argv[1].split(","))
    os.set_inheritable(ready_fd, False)
    environment = assemble.launched_environment(environment_fd)

    def ready() -> None:
        os.write(ready_fd, b"1")

    if is_session(sys.argv[2]):
        from ttyscribe_recorder import session_main

        os._exit(session_main.main(sys.argv[3:], environment, ready, sys.argv[2], installed=True))
    os._exit(main(sys.argv[3:], environment, ready, sys.argv[2]))


if __name__ == "__main__":
    sys.exit(console_main())
