# SPDX-License-Identifier: Apache-2.0
"""What --help prints, out of the table of options; loaded only when it is asked for."""

from ttyscribe_recorder.names import REC
from ttyscribe_recorder.options import OPTIONS, option_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ttyscribe_recorder.names import Name
    from ttyscribe_recorder.options import Option, Value

_REC_USAGE = "usage: {program} [option…] [--] [command [argument…]]"
_REC_INTRO = """\
Records a command, or your shell, as it runs: on a terminal everything looks and works as without a recorder, and on
pipes every byte passes unchanged. The command's exit status is passed on (128 + n where signal n ended it).
"""
_REC_EXAMPLES = """\
examples:
  {program} -o session.log               record your shell; leave it with exit
  {program} -o build.log -- make -j4     record one command
  {program} --writer=syslog -- bash      send the recording to syslog
  ttyscribe-play session.log                 play a recording

exit status:
  the command's; 128 + n where signal n ended it, 127 where it can't be run; 1 where recording can't begin,
  {usage_status} for wrong usage or configuration. What the log can't take later is told on standard error and changes
  nothing here.
  With --status: 0 where this session is recorded, 1 where it is not.
"""
_SESSION_USAGE = """\
usage: {program} [option…] [--] [argument…]
       {program} -c [option…] [--] command [name [argument…]]"""
_SESSION_INTRO = """\
Is the login shell of users who are recorded: starts their real shell and records it. With a dash before its name it
starts a login shell. Called by a name like {program}-shell-bin-zsh it runs /bin/zsh; a dash
that belongs to the shell's path is written \\-.
"""
_SESSION_EXAMPLES = """\
examples:
  {program} -l                    record a login shell
  {program} -c 'make install'     record one command of the shell

exit status:
  the shell's; 128 + n where signal n ended it, 127 where it can't be run; 1 where recording can't begin,
  {usage_status} for wrong usage or configuration. With --status: 0 where this session is recorded, 1 where it is not.
"""
_FILES = """\
files:
  {configuration}
    JSON, in which C and C++ comments may stand; absent, the defaults hold. Values on the command line win.

environment:
  {variable}_FILE   a further configuration file, which wins over the one above
  {variable}_TEXT   configuration itself, which wins over both
"""
_SESSION_FILES = """\
  TLOG_REC_SESSION_SHELL   the shell to run, which SSSD sets; installed, it must stand in /etc/shells

  Installed, the others count only where the file above belongs to root and says "trust_environment": true.
"""


def _fill(name: "Name", text: str) -> str:
    return text.format(
        **{field: getattr(name, field) for field in ("program", "configuration", "variable", "usage_status")}
    )


def usage(name: "Name" = REC) -> str:
    """How the program is called."""
    return _fill(name, _SESSION_USAGE if name.session else _REC_USAGE)


def spelled(option: "Option") -> str:
    """The option as it is written, with its value."""
    value = {"flag": "", "bool": f"[={option.metavar}]"}.get(option.kind, f"={option.metavar}")
    short = f"-{option.short}, " if option.short else ""
    return f"{short}--{option.long}{value}"


def help_text(name: "Name" = REC) -> str:
    """What --help prints."""
    lines = [usage(name), "", _fill(name, _SESSION_INTRO if name.session else _REC_INTRO), "options:"]
    for option in OPTIONS:
        if not option_of(name, option):
            continue
        left = f"  {'' if option.short else '    '}{spelled(option)}"
        value = name.defaults.get(option.key, option.default)
        default = "" if value in ("", False) else f" ({show(value)})"
        gap = " " * (34 - len(left)) if len(left) < 34 else "\n" + " " * 34
        lines.append(f"{left}{gap}{option.help}{default}")
        if 0 < len(option.choices) < 4:
            lines[-1] += f": {' or '.join(option.choices)}"
    rest = _SESSION_EXAMPLES if name.session else _REC_EXAMPLES
    files = _FILES + (_SESSION_FILES if name.session else "")
    return "\n".join([*lines, "", _fill(name, rest), _fill(name, files)])


def show(value: "Value") -> str:
    """A value as people write it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
