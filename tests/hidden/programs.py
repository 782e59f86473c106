# SPDX-License-Identifier: Apache-2.0
"""What is done in a session: programs that ask for a secret, and programs that are typed at in the clear."""

from collections.abc import Callable
from typing import NamedTuple

from tests.hidden.drive import OTHER_PASSWORD, PASSWORD, PROMPT, Typist, World

Act = Callable[[Typist, World], None]
STYLES = ("slow", "fast", "paste")


class Program(NamedTuple):
    """One row of the table; `needs` is the program that has to be there."""

    name: str
    act: Act
    needs: str
    secret: bool = True


def _asks(command: str, question: str, secret: str = PASSWORD, *, enter: bool = True) -> Act:
    """Run the command, answer its question, in each style; then type on in the clear."""

    def act(typist: Typist, world: World) -> None:
        for style in STYLES:
            typist.run(command)
            typist.see(question.replace("NAME", world.user.name))
            typist.hide(secret, style, enter=enter)
            typist.run("echo next")

    return act


def _su(typist: Typist, world: World) -> None:
    _asks(f"su -c true {world.user.name}", "Password:")(typist, world)


def _passwd(typist: Typist, _world: World) -> None:
    for old, new, style in ((PASSWORD, OTHER_PASSWORD, "slow"), (OTHER_PASSWORD, PASSWORD, "fast")):
        typist.run("passwd")
        for question, secret in (("Current password:", old), ("New password:", new), ("Retype new password:", new)):
            typist.see(question)
            typist.hide(secret, style)
        typist.run("echo next")


def _interrupted(typist: Typist, _world: World) -> None:
    typist.run("read -s -p 'Password: ' x")
    typist.see("Password:")
    typist.hide("ZQX", "slow", enter=False)
    typist.type("\x03")
    typist.run("echo next")


def _lines(typist: Typist, _world: World) -> None:
    typist.run("echo one four")
    typist.see(PROMPT)
    typist.type("echo onee\x7f\x1b[D\x1b[D\x1b[D\x05 two\x17three")
    typist.until(lambda row: row.endswith("three"), "the line")
    typist.type("\r")
    typist.see(PROMPT)
    typist.type("\x1b[A\x1b[A")
    typist.until(lambda row: row.endswith("four"), "the line before")
    typist.type("\x15ls pass\t\t")
    typist.rest(0.5)
    typist.type("\x15echo done\r")


def _shell(name: str, prompt: str = PROMPT) -> Act:
    def act(typist: Typist, _world: World) -> None:
        typist.run(name)
        typist.rest(1)
        typist.type("echo some words\r")
        typist.rest(0.5)
        typist.type("echo password: \r")
        typist.rest(0.5)
        typist.type("exit\r")

    return act


def _full_screen(command: str, *keys: str) -> Act:
    def act(typist: Typist, _world: World) -> None:
        typist.run(command)
        typist.until(lambda row: not row.endswith(command), "the program")
        typist.rest(1)
        for key in keys:
            typist.type(key)
            typist.rest(0.4)

    return act


def _question(typist: Typist, _world: World) -> None:
    for command, question in (
        ("read -p 'Reset password for user: ' x", "user:"),
        ("read -e -p 'Password owner? ' x", "owner?"),
        ("read -n 4 -p 'Token name: ' x", "name:"),
    ):
        typist.run(command)
        typist.see(question)
        typist.type("alic")
        typist.rest(0.5)
        if "-n 4" not in command:
            typist.type("e\r")


def _same_row(typist: Typist, _world: World) -> None:
    typist.run("cat tail")
    typist.until(lambda row: row.startswith("Password:") and row.endswith(PROMPT), "the prompt on the same row")
    typist.type("echo words\t\x1b[A\x1b[B\x15echo other\r")


def _python(typist: Typist, _world: World) -> None:
    typist.run("python3 -q")
    typist.see(">>>")
    typist.type("input('password of whom? ')\r")
    typist.see("whom?")
    typist.type("alice\r")
    typist.see(">>>")
    typist.type("exit()\r")


def _pasted(typist: Typist, _world: World) -> None:
    typist.see(PROMPT)
    typist.paste(b"echo one\recho two\recho three\r")
    typist.until(lambda row: row.endswith(PROMPT), "the prompt")
    typist.rest(0.5)


PROGRAMS = (
    Program("read -s", _asks("read -s -p 'Password: ' x", "Password:"), "bash"),
    Program("read -s -n 8", _asks("read -s -n 8 -p 'PIN: ' x", "PIN:", "ZQXVJK%Z", enter=False), "bash"),
    Program("read -s -N 8", _asks("read -s -N 8 -p 'PIN: ' x", "PIN:", "ZQXVJK%Z", enter=False), "bash"),
    Program("read -s -n 1", _asks("read -s -n 1 -p 'PIN: ' x", "PIN:", "Z", enter=False), "bash"),
    Program("getpass of Python", _asks("python3 ask.py", "Password:"), "python3"),
    Program("sudo", _asks("sudo -k true", "password for NAME:"), "sudo"),
    Program("su", _su, "su"),
    Program("passwd", _passwd, "passwd"),
    Program("ssh, password", _asks("sh ssh-plain", "password:"), "ssh"),
    Program("ssh, keyboard-interactive", _asks("sh ssh-asked", "Password:"), "ssh"),
    Program("ssh-keygen, passphrase", _asks("ssh-keygen -y -f key", "passphrase:"), "ssh-keygen"),
    Program("raw prompt (as mysql)", _asks("python3 raw.py", "password:"), "python3"),
    Program("prompt with stars", _asks("python3 stars.py", "password:"), "python3"),
    Program("given up by Ctrl-C", _interrupted, "bash"),
    Program("bash, line editing", _lines, "bash", secret=False),
    Program("zsh", _shell("zsh -f"), "zsh", secret=False),
    Program("dash", _shell("dash"), "dash", secret=False),
    Program("Python's prompt", _python, "python3", secret=False),
    Program(
        "vim", _full_screen("vim -u NONE -N text", "jjl", "ohello\x1b", "kk$jj", "dd", "gg$jjj", ":q!\r"), "vim",
        secret=False,
    ),
    Program("nano", _full_screen("nano text", "hello\r", "\x1b[B\x1b[B\x05", "word", "\x18n"), "nano", secret=False),
    Program("less", _full_screen("less text", "j", "/word\r", "q"), "less", secret=False),
    Program("top", _full_screen("top", "c", "1", "q"), "top", secret=False),
    Program("questions that echo", _question, "bash", secret=False),
    Program('shell prompt behind "Password:"', _same_row, "bash", secret=False),
    Program("lines pasted into bash", _pasted, "bash", secret=False),
)  # fmt: skip

CARRIERS = ("here", "ssh", "tmux", "tmux+ssh", "screen+ssh")
