# SPDX-License-Identifier: Apache-2.0
"""The table of options and what is made from it."""

import os
import signal

import pytest

from tests.recorder.recorder import run
from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import __version__ as recorder_version
from ttyscribe_recorder.names import REC, SESSION, Name
from ttyscribe_recorder.options import OPTIONS, option_of, parse
from ttyscribe_recorder.usage import help_text


def test_all_ways_to_write_an_option() -> None:
    """Long with = or a following word, short with a joined or following word, letters joined, switches bare or not."""
    for words in (
        ["--file-path=f", "--latency=5"],
        ["--file-path", "f", "--latency", "5"],
        ["-of", "--latency=5"],
        ["-o", "f", "--latency", "5"],
    ):
        values, command = parse([*words, "cmd", "-x", "--latency=9"])
        assert (values["file.path"], values["latency"], command) == ("f", 5, ["cmd", "-x", "--latency=9"])
    assert parse(["-vh"]).values["help"] is True
    assert parse(["-w", "syslog", "--", "--log-input"]) == ({"writer": "syslog"}, ["--log-input"])
    assert parse(["-", "a"]).command == ["-", "a"]


@pytest.mark.parametrize(
    ("text", "value"), [("", True), ("=yes", True), ("=On", True), ("=FALSE", False), ("=no", False)]
)
def test_switches(text: str, value: bool) -> None:
    """Bare is yes; the words of tlog, in any case."""
    assert parse([f"--log-input{text}"]).values["log.input"] is value


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("+7", 7), (" 7\t", 7), ("007", 7), ("9" * 19, 2**63 - 1), ("9" * 9000, 2**63 - 1)],
)
def test_whole_numbers(text: str, value: int) -> None:
    """As tlog reads them: blanks and a sign around decimal digits, and no number is too large."""
    assert parse([f"--latency={text}"]).values["latency"] == value


def test_long_options_may_be_cut_short() -> None:
    """As far as they stay unlike all others; a flag takes yes or no, too."""
    assert parse(["--lat=5", "--he", "--limit-r", "3"]).values == {"latency": 5, "help": True, "limit.rate": 3}
    assert parse(["--log", "--comm=no", "-lno", "-iYES"], SESSION).values == {
        "login": False, "command": False, "interactive": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--x"], "unknown option --x"),
        (["-x"], "unknown option -x"),
        (["--latency=0"], "--latency: 0 is below the minimum of 1"),
        (["--payload=31"], "--payload: 31 is below the minimum of 32"),
        (["--latency=1.5"], "--latency: '1.5' is no whole number"),
        (["--latency=-1"], "--latency: -1 is below the minimum of 1"),
        (["--latency=+-1"], "--latency: '+-1' is no whole number"),
        (["--latency= "], "--latency: ' ' is no whole number"),
        (["--la=0"], "--la: 0 is below the minimum of 1"),
        (["--log-=no"], "--log- may be any of --log-input, --log-output, --log-window, --log-bulk"),
        (["--=5"], "unknown option --"),
        (["--latency=²"], "--latency: '²' is no whole number"),
        (["--latency"], "--latency needs a value (SECONDS)"),
        (["-o"], "-o needs a value (FILE)"),
        (["--log-input=maybe"], "--log-input: 'maybe' is neither yes nor no"),
        (["--writer=disk"], "--writer: 'disk' is none of journal, syslog, file"),
        (["--help=1"], "--help: '1' is neither yes nor no"),
    ],
)
def test_a_bad_option_is_one_clear_line(words: list[str], complaint: str) -> None:
    """It says which option, what is wrong, and what would be right."""
    with pytest.raises(ConfigError) as caught:
        parse(words)
    assert str(caught.value) == complaint


@pytest.mark.parametrize("name", [REC, SESSION])
def test_every_option_is_in_the_help(name: Name) -> None:
    """With its default where it has one; nothing is wider than a terminal."""
    text = help_text(name)
    for option in OPTIONS:
        if not option_of(name, option):
            assert not option.long or f"--{option.long}" not in text
            continue
        assert f"--{option.long}" in text
        assert option.help in text
        if option.default not in ("", False):
            assert f"({'yes' if option.default is True else option.default})" in text
    assert max(map(len, text.splitlines())) <= 120
    assert "examples:" in text


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["--x"], 2, b"ttyscribe-rec: unknown option --x; see ttyscribe-rec --help\n"),
        (
            ["true"],
            2,
            b"ttyscribe-rec: no file to record to: say --file-path=FILE, or --writer=journal or syslog; see",
        ),
        (["-o", "/none/x", "true"], 1, b"ttyscribe-rec: can't open /none/x to record to: No such file or directory\n"),
        (["-o", "/", "true"], 1, b"ttyscribe-rec: can't open / to record to: Is a directory\n"),
    ],
)
def test_errors_before_the_session(words: list[str], status: int, complaint: bytes) -> None:
    """One line, the right status, and the command does not run."""
    done = run([*words, "echo ran"])
    assert (done.returncode, done.stdout) == (status, b"")
    assert done.stderr.startswith(complaint)
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("options", [["-o", "/none/x"], []])
def test_a_command_may_go_on_unrecorded(options: list[str]) -> None:
    """Where the policy says so: with a line, its own status, and the signals of a process without Python."""
    text = '{"on_error": "continue", "syslog": {"socket": "/none/log"}}'
    script = "trap 2>&1; kill -PIPE $$; echo survived"
    done = run([*options, "sh", "-c", script], env={**os.environ, "TTYSCRIBE_REC_CONF_TEXT": text})
    assert (done.returncode, done.stdout) == (-signal.SIGPIPE, b"")
    assert done.stderr.endswith(b"ttyscribe-rec: this session runs unrecorded (on_error is continue)\n")


def test_help_and_version() -> None:
    """On standard output, status 0; one version in the whole product."""
    from ttyscribe import __version__

    assert run(["--help"]).stdout.decode() == help_text().rstrip() + "\n"
    assert run(["-v"]).stdout.decode() == f"ttyscribe-rec {__version__}\n"
    assert recorder_version == __version__
