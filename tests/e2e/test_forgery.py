# SPDX-License-Identifier: Apache-2.0
"""The recorded user logs messages in the recording's name: nothing true is displaced or hidden, and it shows.

Who is played as true is docs/decisions/0003-who-wins-a-conflict.md.
"""

import json
import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chain import Chain, run, wait
from tests.e2e.conftest import ONE_ENGINE, SQLITE, Place
from tests.e2e.traffic import datagram
from tests.peers import require_root
from tests.recorder.recorder import AtTerminal
from tests.rsyslog.daemon import send_as

pytestmark = [pytest.mark.rsyslogd]

ORDINARY = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.getuid())
"""Whom the tests record, and who forges: a real ordinary user."""
ROOT = pwd.getpwuid(0)

# The interpreter may stand where an ordinary user can't read it: all is loaded before the user becomes ordinary.
_RECORDER = """
import os, sys
from ttyscribe_recorder import rec
if os.geteuid() == 0:
    os.setgroups([]); os.setresgid({gid}, {gid}, {gid}); os.setresuid({uid}, {uid}, {uid})
sys.exit(rec.console_main())
"""
SESSION = "for word in alpha beta gamma delta; do printf '%s\\n' $word; read answer; done"


@contextmanager
def recorded(chain: Chain, who: pwd.struct_passwd) -> Iterator[AtTerminal]:
    """A session that shows one word, a second later another after each Enter; written out each second."""
    code = _RECORDER.format(uid=who.pw_uid, gid=who.pw_gid)
    options = ["--writer=syslog", f"--syslog-socket={chain.daemon.socket}", "--latency=1"]
    chain.daemon.folder.chmod(0o755)
    screen = AtTerminal([sys.executable, "-c", code, *options, "--", "sh", "-c", f"stty -echo; {SESSION}"])
    try:
        yield screen
    finally:
        screen.close()


def forged(true: dict[str, Any], number: int, word: str) -> bytes:
    """A message as the recorder would write it, with the text that the forger likes."""
    message = true | {"id": number, "out_txt": f"{word}\r\n", "out_bin": [], "timing": f">{len(word) + 2}"}
    message.pop("ttyscribe", None)
    return datagram(json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode())


def last_message(chain: Chain) -> dict[str, Any]:
    """The recording's last message so far, the one with the first word, once it is stored."""
    hit = chain.wait_found("alpha")
    return list(chain.store.messages(hit.recording))[-1].tlog


def finish(chain: Chain, screen: AtTerminal) -> bytes:
    """Go on to the session's end, in a message for each word; what the terminal was shown."""
    for word in ("beta", "gamma", "delta"):
        screen.type(b"\n")
        chain.wait_found(word)
    screen.type(b"\n")
    assert screen.wait() == 0
    return screen.seen


def listed(url: str, recording: str) -> dict[str, Any]:
    """What `ttyscribe recordings` says of one."""
    assert run("ttyscribe", "index", "--store", url).returncode == 0  # on SQLite `recordings` does it by itself
    done = run("ttyscribe", "recordings", "--store", url, "--json")
    found: dict[str, dict[str, Any]] = {row["recording"]: row for row in map(json.loads, done.stdout.splitlines())}
    return found[recording]


def shown(url: str, recording: str) -> str:
    """What `ttyscribe show` prints of all of it."""
    done = run("ttyscribe", "show", "--store", url, "--context", "1000", recording)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.mark.parametrize("bare_place", [SQLITE, *ONE_ENGINE], indirect=True)
def test_the_next_message_forged_by_the_recorded_user_displaces_nothing(place: Place, tmp_path: Path) -> None:
    """The true message comes from the process that sent the undisputed ones before it: it is played."""
    with Chain(place.url, tmp_path) as chain, recorded(chain, ORDINARY) as screen:
        true = last_message(chain)
        assert true["user"] == ORDINARY.pw_name
        number = true["id"] + 1
        forger = send_as(ORDINARY.pw_uid, chain.daemon.socket, [forged(true, number, "counterfeit")])
        chain.wait_found("counterfeit")
        seen = finish(chain, screen)
        wait(lambda: b"delta" in played(place.url, true["rec"])[0], lambda: played(place.url, true["rec"]))

        assert listed(place.url, true["rec"])["conflicts"] == 1
        text = shown(place.url, true["rec"])
        assert "1 in conflict" in text
        assert f"2 messages claim to be message {number}: the first is the most trusted and is played" in text
        assert f"sent by process {forger}" in text
        assert text.index("beta") < text.index("counterfeit")
        output, said = played(place.url, true["rec"])
        assert output == seen
        assert f"2 messages claim to be message {number}" in said
        assert chain.dead() == []


def played(url: str, recording: str) -> tuple[bytes, str]:
    """What `ttyscribe-play` writes, and what it says about it."""
    done = run("ttyscribe-play", "--store", url, recording)
    return done.stdout, done.stderr.decode()


@pytest.mark.parametrize("bare_place", [SQLITE], indirect=True)
def test_without_an_undisputed_message_before_it_neither_is_played_as_true(place: Place, tmp_path: Path) -> None:
    """Whoever forges the first message gains a marked place, which offers both; the rest plays."""
    with Chain(place.url, tmp_path) as chain, recorded(chain, ORDINARY) as screen:
        true = last_message(chain)
        send_as(ORDINARY.pw_uid, chain.daemon.socket, [forged(true, 1, "counterfeit")])
        chain.wait_found("counterfeit")
        seen = finish(chain, screen)
        wait(lambda: b"delta" in played(chain.url, true["rec"])[0], lambda: played(chain.url, true["rec"]))
        assert listed(chain.url, true["rec"])["conflicts"] == 1
        text = shown(chain.url, true["rec"])
        assert "2 messages claim to be message 1: none is certain or played" in text
        assert "alpha" in text
        assert "counterfeit" in text
        output, said = played(chain.url, true["rec"])
        assert b"counterfeit" not in output
        assert seen.endswith(output)
        assert b"beta" in output
        assert "2 messages claim to be message 1, none is certain" in said


@pytest.mark.parametrize("bare_place", [SQLITE], indirect=True)
def test_many_forged_messages_do_not_outvote_the_recorder(place: Place, tmp_path: Path) -> None:
    """The forger sends all ids that are still to come, and more; the recorder's own stay what is played."""
    with Chain(place.url, tmp_path) as chain, recorded(chain, ORDINARY) as screen:
        true = last_message(chain)
        following = range(true["id"] + 1, true["id"] + 39)
        many = [forged(true, number, f"counterfeit{number}") for number in following]
        send_as(ORDINARY.pw_uid, chain.daemon.socket, many)
        chain.wait_found(f"counterfeit{following[-1]}")
        seen = finish(chain, screen)
        wait(lambda: b"delta" in played(chain.url, true["rec"])[0], lambda: played(chain.url, true["rec"]))
        output, said = played(chain.url, true["rec"])
        assert output.startswith(seen)
        assert f"counterfeit{following[0]}\r".encode() not in output
        assert f"2 messages claim to be message {following[0]}" in said


@pytest.mark.parametrize("bare_place", [SQLITE], indirect=True)
def test_a_recorder_that_runs_as_root_always_wins(place: Place, tmp_path: Path) -> None:
    """Trust comes first: the kernel attests who sent what."""
    require_root()
    with Chain(place.url, tmp_path) as chain, recorded(chain, ROOT) as screen:
        true = last_message(chain)
        forgeries = [forged(true, 1, "counterfeit"), forged(true, 2, "counterfeit"), forged(true, 2, "bogus")]
        send_as(pwd.getpwnam("nobody").pw_uid, chain.daemon.socket, forgeries)
        chain.wait_found("bogus")
        seen = finish(chain, screen)
        wait(lambda: played(chain.url, true["rec"])[0] == seen, lambda: played(chain.url, true["rec"]))
        row = listed(chain.url, true["rec"])
        assert (row["conflicts"], row["trust"], row["user"]) == (3, "none", "root")
