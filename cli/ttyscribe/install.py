# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe install`: puts the recorder onto a host, or takes the host to another version of it."""

import argparse
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ttyscribe.host import aside, launcher, trust
from ttyscribe.host.installation import kept, steps
from ttyscribe.host.layout import ROLES, Plan, Settings, plan
from ttyscribe.host.machine import Machine
from ttyscribe.host.manifest import Manifest, load, wanted
from ttyscribe.host.sources import find
from ttyscribe_formats.errors import ConfigError

DESCRIPTION = """Puts the recorder onto this host, root's alone: the programs, the launcher (built with the C compiler
that is here), links, default configuration, man pages, tmpfiles and journald settings. What an operator changed in
/etc/ttyscribe stays. Run again it brings the host to this version and to the options given; options that are not given
stay as they were. Sessions go on meanwhile, and a login works at each moment. Nobody is recorded before the recorder
is somebody's login shell; the last lines tell how."""
EPILOG = """examples:
  ttyscribe install --dry-run
  ttyscribe install --tlog-names                 # in tlog's place, for SSSD
  ttyscribe install --launcher ./ttyscribe-launcher   # built elsewhere
  ttyscribe uninstall"""

_PACKAGE = "/var/lib/dpkg/info/ttyscribe.list"


def add_place(parser: argparse.ArgumentParser) -> None:
    """Declare what both verbs need to find a host."""
    parser.add_argument("--root", metavar="DIR", default="/", help="folder that is the host's /, as for an image")
    parser.add_argument("--prefix", metavar="DIR", default="/usr", help="where bin, lib and share are (default: /usr)")
    parser.add_argument("-n", "--dry-run", action="store_true", help="only print what would be done")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    add_place(parser)
    parser.add_argument("--python", metavar="PATH", help="interpreter, 3.11 or newer (default: /usr/bin/python3)")
    roles = "; ".join(f"{name}: {text}" for name, text in ROLES.items())
    parser.add_argument("--role", choices=ROLES, help=f"what is needed here. {roles} (default: host)")
    switch = argparse.BooleanOptionalAction
    parser.add_argument(
        "--tlog-names", action=switch, help="the programs under tlog's names too, in /usr/bin, where SSSD looks; an "
        "installed tlog keeps its own under NAME.distrib"
    )  # fmt: skip
    parser.add_argument(
        "--list-shell", action=switch, help="the session recorder in /etc/shells, for services that ask there; then "
        "recorded users can leave it with chsh"
    )  # fmt: skip
    parser.add_argument("--journald", action=switch, help="journald without its rate limit (default: yes)")
    parser.add_argument(
        "--on-error", choices=("refuse", "continue"), help="where the recorder can't start, refuse the session or let "
        "it go on unrecorded (default: refuse)"
    )  # fmt: skip
    parser.add_argument("--launcher", metavar="FILE", type=Path, help="a launcher that was built elsewhere")


@contextmanager
def alone(machine: Machine) -> Iterator[None]:
    """Let one installation or removal work on a host at a time."""
    fd = os.open(machine.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError("another installation is at work on this host") from None
    else:
        yield
    finally:
        os.close(fd)


def machine_of(options: argparse.Namespace) -> Machine:
    """The host that is meant. Raises ConfigError where we may not change it."""
    machine = Machine(options.root)
    if not machine.at("/").is_dir():
        raise ConfigError(f"--root {options.root} is no folder")
    if machine.live and not machine.privileged and not options.dry_run:
        raise ConfigError("run this as root: what is installed has to be root's alone (or look first with --dry-run)")
    if machine.there(_PACKAGE):
        raise ConfigError("the Debian package ttyscribe is installed here: use apt (or remove it first)")
    return machine


def settings_of(options: argparse.Namespace, old: Settings) -> Settings:
    """What was chosen now, else before."""
    chosen = ("python", "role", "tlog_names", "list_shell", "journald", "on_error")
    given = {name: getattr(options, name) for name in chosen if getattr(options, name) is not None}
    return old._replace(prefix=options.prefix.rstrip("/") or "/", **given)


def run(options: argparse.Namespace) -> int:
    """Install; say what was done."""
    machine = machine_of(options)
    prefix = Settings(prefix=options.prefix.rstrip("/") or "/")
    old = load(machine, prefix.manifest)
    settings = settings_of(options, old.settings if old else prefix)
    trust.check_python(machine, settings.python)
    for path in (settings.home, f"{settings.prefix}/bin", "/etc/ttyscribe", "/usr/bin"):
        trust.check_place(machine, path, "the place")
    sources = find(settings.role)
    made = plan(settings, sources)
    for path, target in made.diversions.items():
        said = aside.conflict(machine, path, target)
        if said:
            raise ConfigError(f"{said}; install without --tlog-names, or clear that up first")
    with alone(machine):
        before = old or Manifest(settings=settings)
        program = _launcher(machine, made, options, sources.launcher)
        _work(machine, made, program, before, dry=options.dry_run)
    return 0


def _launcher(machine: Machine, made: Plan, options: argparse.Namespace, source: bytes) -> bytes | None:
    """The launcher's bytes; None where the one in place is right."""
    if options.launcher is not None:
        try:
            data: bytes = options.launcher.read_bytes()
        except OSError as error:
            raise ConfigError(f"can't be read: {error.strerror}", str(options.launcher)) from None
        launcher.check(made, data, str(options.launcher))
        return None if machine.read(made.settings.launcher) == data else data
    found = machine.read(made.settings.launcher)
    if found is not None and machine.mode(made.settings.launcher) == 0o755:
        try:
            launcher.check(made, found, "this host")
        except ConfigError:
            pass
        else:
            return None
    return launcher.build(made, source)


def _work(machine: Machine, made: Plan, program: bytes | None, old: Manifest, *, dry: bool) -> None:
    stays = kept(machine, made, old)
    todo = list(steps(machine, made, program, old, wanted(machine, made, old)))
    for step in todo:
        print(step.text)
        if not dry:
            step.do()
    for path in stays:
        print(f"kept {path}: it was changed here (the default is in {made.tree}/share/ttyscribe)")
    if not todo:
        print("nothing to do: all is in place")
    elif dry:
        print("nothing was changed (--dry-run)")
    else:
        _tell(machine, made)


def _tell(machine: Machine, made: Plan) -> None:
    if not machine.privileged:
        print("note: the files are not root's; whoever unpacks them has to see to that")
    if made.settings.journald:
        print("journald takes its setting at its next start: systemctl restart systemd-journald")
    print(f"to record a user: usermod --shell {made.settings.session_shell} USER")
    if made.settings.tlog_names:
        print("to record users by SSSD: scope in [session_recording] of /etc/sssd/sssd.conf, then restart sssd")
