# SPDX-License-Identifier: Apache-2.0
"""Option by option, word by word beside the real tlog-rec and tlog-rec-session: what they take, mean and answer."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import LIBRARY
from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import assemble, config, options
from ttyscribe_recorder.names import TLOG_REC, TLOG_SESSION, Name

pytestmark = pytest.mark.tlog

Found = dict[str, object] | None
"""The configuration that holds, by key; None where the words are refused."""

TLOGS_OWN_CONFIGURATION = ("/usr/share/tlog/{}.default.conf", "/etc/tlog/{}.conf")
NUMBERS = (
    "",
    " ",
    "0",
    "1",
    "31",
    "32",
    "+5",
    "-5",
    "-0",
    " 5",
    "5 ",
    "5x",
    "05",
    "0x5",
    "1.5",
    "1e3",
    "9" * 19,
    "9" * 30,
)
SWITCHES = ("", "0", "1", "yes", "YES", "on", "true", "True", "no", "Off", "false", "y", "t", "enabled")
NEARLY = ("", "FILE", "Pass", "security", "local8", "mark", "warn", "error", "panic", "none", "é")
SPELLINGS = {"int": NUMBERS, "bool": SWITCHES, "str": NEARLY}


def flat(tree: Mapping[str, object], above: str = "") -> dict[str, object]:
    """Nested objects as keys with dots."""
    found: dict[str, object] = {}
    for key, value in tree.items():
        found |= flat(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
    return found


def real(name: Name, words: list[str], env: Mapping[str, str] | None = None, argv0: str = "") -> Found:
    """What the real program says that it would do."""
    path = peers.require_program(name.program)
    done = subprocess.run(
        [argv0 or path, *words, "--configuration"], executable=path, stdin=subprocess.DEVNULL, capture_output=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(env or {})}, timeout=60,
    )  # fmt: skip
    if done.returncode:
        return None
    found = flat(json.loads(done.stdout))
    return {key: value for key, value in found.items() if key not in ("configuration", "args", "login")}


def ours(name: Name, words: list[str], env: Mapping[str, str] | None = None) -> Found:
    """What we say."""
    environment = {os.fsencode(key): os.fsencode(value) for key, value in (env or {}).items()}
    try:
        values, command = assemble.read_configuration(name, words, environment, trusted=True)
    except ConfigError:
        return None
    return flat(json.loads(config.to_json(name, values, command)))


def agree(name: Name, words: list[str], env: Mapping[str, str] | None = None) -> None:
    """Both refuse, or ours means at least all that theirs means."""
    theirs, mine = real(name, words, env), ours(name, words, env)
    assert (theirs is None) == (mine is None), (words, env, theirs, mine)
    if theirs is not None and mine is not None:
        flags = {key for key in ("login", "interactive", "command", "help", "version", "semaphore") if key in theirs}
        assert {key: value for key, value in theirs.items() if key not in flags}.items() <= mine.items(), (words, env)


def options_in_help(name: Name) -> dict[str, str]:
    """The long options of the real program, each with the name of its value."""
    text = subprocess.run([peers.require_program(name.program), "--help"], capture_output=True, text=True).stdout
    return {found[1]: found[3] or "" for found in re.finditer(r"--([a-z-]+)(\[?=([A-Z]+)\]?)?", text)}


@pytest.mark.parametrize("name", [TLOG_REC, TLOG_SESSION])
def test_every_option_of_theirs_is_one_of_ours_of_the_same_sort(name: Name) -> None:
    """Switches and values alike."""
    sorts = {"": ("flag",), "BOOL": ("bool",), "SECONDS": ("int",), "BYTES": ("int",), "NUMBER": ("int",)}
    table = {option.long: option for option in options.OPTIONS if options.option_of(name, option)}
    found = options_in_help(name)
    assert len(found) >= 6
    for long, metavar in found.items():
        assert table[long].kind in sorts.get(metavar, ("str",))


OPTIONS = [option for option in options.OPTIONS if options.option_of(TLOG_REC, option) and option.kind != "flag"]


@pytest.mark.parametrize("option", OPTIONS, ids=[option.long for option in OPTIONS])
def test_every_spelling_of_every_value(option: options.Option) -> None:
    """On the command line: whole numbers and their ends, yes and no, choices and names that are nearly choices."""
    if option.long not in options_in_help(TLOG_REC):
        assert option.long in ("syslog-socket", "journal-socket", "log-bulk"), "an option of our own"
        return
    for value in (*SPELLINGS[option.kind], *option.choices):
        if value or option.long not in ("file-path", "semaphore"):  # an empty path: theirs is printed, ours is none
            agree(TLOG_REC, [f"--{option.long}={value}"])


@pytest.mark.parametrize("name", [TLOG_REC, TLOG_SESSION])
def test_every_key_and_every_type_of_value(name: Name) -> None:
    """In a configuration: each key of theirs with values of each type, wrong keys at each level."""
    peers.require_program(name.program)
    keys = [key for key in real(name, []) or {} if key not in ("interactive", "command", "help", "version")]
    assert len(keys) >= 13
    values = ('"x"', "1", "40", "-1", "1.5", "true", "[1]", "{}", '""', '"delay"', '"syslog"', '"file"', '"local3"')
    for key in keys:
        for value in values:
            text = value
            for part in reversed(key.split(".")):
                text = f'{{"{part}": {text}}}'
            agree(name, [], {f"{name.variable}_TEXT": text})
    for text in ('{"x": 1}', '{"log": {"x": 1}}', '{"log": 1}', "[]", "{", "/* c */ {} // c"):
        agree(name, [], {f"{name.variable}_TEXT": text})


@pytest.mark.parametrize("name", [TLOG_REC, TLOG_SESSION])
@pytest.mark.parametrize("sources", range(1, 8))
def test_which_source_wins(tmp_path: Path, name: Name, sources: int) -> None:
    """Files, environment's file, environment's text, command line: in every combination."""
    file, env, words = tmp_path / "conf", {}, []
    if sources & 1:
        file.write_text('{"latency": 21, "payload": 2100, "log": {"input": true}, "limit": {"rate": 1}}')
        env[f"{name.variable}_FILE"] = str(file)
    if sources & 2:
        env[f"{name.variable}_TEXT"] = '{"latency": 22, "log": {"output": false}, "limit": {"burst": 2}}'
    if sources & 4:
        words = ["-i"] if name.session else ["--latency=23", "--log-window=no"]
    agree(name, words, env)


def test_the_installed_files_of_theirs_are_read_without_a_word() -> None:
    """Their defaults, comments and all, through our reader: the same values."""
    for name in (TLOG_REC, TLOG_SESSION):
        for pattern in TLOGS_OWN_CONFIGURATION:
            path = Path(pattern.format(name.program))
            if path.exists():
                assert ours(name, [], {f"{name.variable}_FILE": str(path)}) == ours(name, [])


# ---- the shell in the program's name -------------------------------------------------------------------------------

SESSION = (
    f"import os,sys;sys.path[:0]={LIBRARY!r};from ttyscribe_recorder import session_main as s;"
    "sys.exit(s.main(sys.argv[2:],dict(os.environb),argv0=sys.argv[1]))"
)
LEAN_SESSION = [sys.executable, "-I", "-S", "-c", SESSION]
WORDS = (["-c", 'echo "$0|$SHELL|$-"'], ["-l", "-c", 'echo "$0|$SHELL"'], ["-c", "echo $0 $1", "a", "b"])


def started(
    command: list[str], env: Mapping[str, str], program: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run it; once more where it does not end, as now and then the real one does not (its issue 346)."""
    for _ in range(3):
        try:
            return subprocess.run(
                command, executable=program, stdin=subprocess.DEVNULL, capture_output=True, env=env, timeout=20
            )
        except subprocess.TimeoutExpired:
            assert "/usr/bin/tlog-rec" in (program or command[-1]), "ours has to end"
    pytest.fail("three times without an end")


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(
    "argv0",
    ["tlog-rec-session", "-tlog-rec-session", "/bin/tlog-rec-session", "foo", "-", "tlog-rec-session-shell-bin-bash",
     "-tlog-rec-session-shell-bin-bash", "x-shell-usr-bin-env", "tlog-rec-session-shell-no-such", r"x-shell-{}-a\-b",
     "x-shell-bin-sh-shell-x", "tlog-rec-session-shell", "tlog-rec-session-shel-bin-sh"],
)  # fmt: skip
def test_the_rules_of_the_first_argument(tmp_path: Path, argv0: str, words: list[str]) -> None:
    """Which shell runs, by what name, as login shell or not, with which arguments: the same output and status."""
    path = peers.require_program("tlog-rec-session")
    folder = Path("/tmp") / f"ttyscribe{os.getpid()}"  # no dash may stand in it
    folder.mkdir()
    try:
        (folder / "a-b").symlink_to("/bin/bash")
        argv0 = argv0.format(str(folder)[1:].replace("/", "-"))
        log = json.dumps({"writer": "file", "file": {"path": str(tmp_path / "log")}, "notice": "", "shell": "/bin/sh"})
        env = {
            **os.environ,
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "TLOG_REC_SESSION_CONF_TEXT": log,
            "TTYSCRIBE_REC_SESSION_CONF_TEXT": log,
        }
        found = [
            started(command, env, run)
            for run, command in (
                (path, [argv0, *words]),
                (LEAN_SESSION[0], [*LEAN_SESSION, argv0, *words]),
            )
        ]
    finally:
        (folder / "a-b").unlink()
        folder.rmdir()
    theirs, mine = found
    assert mine.returncode == theirs.returncode
    if theirs.returncode != 127:  # else each says in its own words that there is no such shell
        assert mine.stdout + mine.stderr == theirs.stdout


def test_a_backslash_before_a_dash_ends() -> None:
    """In the name of the shell: tlog turns for ever, before the login."""
    path = peers.require_program("tlog-rec-session")
    argv0 = r"tlog-rec-session-shell-a\-b-c"
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([argv0, "-c", "true"], executable=path, stdin=subprocess.DEVNULL, timeout=1)
    log = json.dumps({"writer": "file", "file": {"path": "/dev/null"}, "notice": ""})
    command = [*LEAN_SESSION, argv0, "-c", "true"]
    done = subprocess.run(command, capture_output=True, env={"TLOG_REC_SESSION_CONF_TEXT": log}, timeout=60)
    assert (done.returncode, done.stderr) == (127, b"tlog-rec-session: can't run /a-b/c: No such file or directory\n")


# ---- exit statuses -------------------------------------------------------------------------------------------------

COMMANDS = """
    true | false | -- true | sh -c 'exit 7' | sh -c 'exit 255' | sh -c 'kill -9 $$' | sh -c 'kill -TERM $$'
    no-such-program | /etc/passwd | / | -- | - | --latency=5 true | --latency 5 true | --lat=5 true | --latency=0 true
    --latency=x true | --payload=31 true | --payload=32 echo x | --payload=3000000000 echo x | -w x true | -wfile true
    -w FILE true | --log-input=maybe true | --log-output no-such-program
    --log true | --limit-action=Pass true | --limit-r=3 true | --limit-action=delay --limit-rate=0 --limit-burst=1 echo
    --syslog-facility=LOCAL0 true | --syslog-priority=warn true | --x | -x | -s | --help=1 | --help=no true | -hno true
    --version=maybe | -w | --writer | --semaphore=/none/x true | -o '' true | -o /none/x true | -o / true
    --file-path= true | -o
"""
"""For tlog-rec, behind `-o LOG`."""

SESSION_COMMANDS = """
    -c 'exit 3' | -c | -l -c 'exit 4' | -i -c 'exit 5' | --command 'exit 7' | --command=yes 'exit 7' | -c '' | -x
    --comm=no 'exit 7' | --help | -v | --x | --latency=1 | -o x | -w file | /no/script | -l | -i | -- -c
    -c -- 'exit 3' | --log -c 'exit 3' | -c 'kill -9 $$' | -c 'kill -TERM $$' | --interactive=x -c 'exit 1'
    -c nosuchcommand | -cyes 'exit 3' | -lno -c 'exit 6'
"""

MORE = ("-hv", "-ic 'exit 5'", "-cl 'exit 8'", "-o /dev/full echo hi")
"""Where we go on and they stop: letters of flags may be joined, and a log that fails ends no session."""


def lines(table: str) -> list[str]:
    """The command lines of a table."""
    return [word.strip() for word in table.replace("\n", "|").split("|") if word.strip()]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Theirs and ours, by name."""
    folder = tmp_path_factory.mktemp("programs")
    found = {}
    for name, module in (("tlog-rec", "rec"), ("tlog-rec-session", "session_main")):
        code = f"import os,sys;sys.path[:0]={LIBRARY!r};from ttyscribe_recorder import {module} as m;"
        code += f"sys.exit(m.main(sys.argv[1:],dict(os.environb),argv0='{name}'))"
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S -c "{code}" "$@"\n')
        path.chmod(0o755)
        found[name] = peers.require_program(name), str(path)
    return found


def statuses(both: tuple[str, str], before: str, line: str, env: dict[str, str]) -> tuple[int, int, bytes]:
    """The status of theirs, of ours, and what ours complains."""
    done = [started(["sh", "-c", f'exec "$0" {before} {line}', path], env) for path in both]
    return done[0].returncode, done[1].returncode, done[1].stderr


@pytest.mark.parametrize("line", lines(COMMANDS))
def test_the_status_of_a_command_line(programs: dict[str, tuple[str, str]], tmp_path: Path, line: str) -> None:
    """The same as that of the real one; where it is the recorder's own, with one line that names what is wrong."""
    env = {**os.environ, "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}
    theirs, mine, complaint = statuses(programs["tlog-rec"], f"-o {tmp_path}/log", line, env)
    assert mine == theirs
    if mine == 1 and line != "false":
        assert complaint.startswith(b"tlog-rec: ")
        assert complaint.count(b"\n") == 1


@pytest.mark.parametrize("line", lines(SESSION_COMMANDS))
def test_the_status_of_a_login_shell(programs: dict[str, tuple[str, str]], tmp_path: Path, line: str) -> None:
    """The same."""
    text = json.dumps({"writer": "file", "file": {"path": str(tmp_path / "log")}, "notice": "", "shell": "/bin/sh"})
    env = {**os.environ, "LC_ALL": "C.UTF-8", "TLOG_REC_SESSION_CONF_TEXT": text}
    theirs, mine, _ = statuses(programs["tlog-rec-session"], "", line, env)
    assert mine == theirs


@pytest.mark.parametrize("line", MORE)
def test_where_we_go_on(programs: dict[str, tuple[str, str]], tmp_path: Path, line: str) -> None:
    """The only statuses that differ on purpose."""
    text = json.dumps({"writer": "file", "file": {"path": str(tmp_path / "log")}, "notice": "", "shell": "/bin/sh"})
    env = {**os.environ, "LC_ALL": "C.UTF-8", "TLOG_REC_SESSION_CONF_TEXT": text}
    theirs, mine, _ = statuses(programs["tlog-rec-session" if "exit" in line else "tlog-rec"], "", line, env)
    assert theirs == 1
    assert mine == int(re.sub(r"\D", "", line) or 0)
