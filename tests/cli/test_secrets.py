# SPDX-License-Identifier: Apache-2.0
"""No secret in process lists, logs or error texts: every verb that signs in, towards servers that refuse."""

import base64
import json
import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.command import COMMAND, PATIENCE, printable
from tests.kibana.double import running
from tests.normalizers.process import PROGRAM
from tests.store.elastic_samples import syslog
from ttyscribe.main import main
from ttyscribe_formats.errors import ConfigError, TtyscribeError
from ttyscribe_kibana.client import Client
from ttyscribe_kibana.load import Where, load
from ttyscribe_store.access import Access, hidden
from ttyscribe_store.open import open_store

SECRET = "s3cr3t-X9q"
ADDRESSES = [
    f"http://ada:{SECRET}@h:9200",
    f"http://ada:{SECRET}@[",
    f"http://ada:{SECRET}@exa\u2100mple:9200",
    f"https://ada:{SECRET}@h:99999",
    f"https://{SECRET}@h",
    f"http:ada:{SECRET}@h",
    f"http:///ada:{SECRET}@h",
    f"//ada:{SECRET}@h",
    f"ada:{SECRET}@h:9200",
    f"{SECRET}:{SECRET}@h",
    f"ftp://ada:{SECRET}@h",
    f"http://h/?api_key={SECRET}",
    f"http://h/#{SECRET}",
    f"http://h/A?x={SECRET}",
    f"http://h:x/?x={SECRET}",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_with_a_secret_in_it_is_refused_and_not_repeated(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = f"sqlite:{tmp_path}"
    for words in (
        ["setup", "--store", url],
        ["setup", "--store", folder, "--kibana", url],
        ["search", "x", "--store", url],
        ["recordings", "--store", url],
        ["index", "--store", url],
    ):
        assert main(words) == 2
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("url", [u for u in ADDRESSES if "@" in u])
def test_the_players_address_may_hold_none_either(url: str) -> None:
    with running("kibana", "9.5.0") as server, pytest.raises(ConfigError) as seen:
        load(Where(server.url), player_url=url)
    assert SECRET not in str(seen.value)


class Way(NamedTuple):
    """One way of giving a secret."""

    user: str
    variable: str
    header: str


WAYS = [
    Way("ada", "PASSWORD", "Basic " + base64.b64encode(f"ada:{SECRET}".encode()).decode()),
    Way("", "API_KEY", f"ApiKey {SECRET}"),
    Way("", "TOKEN", f"Bearer {SECRET}"),
]


class _Refusing(BaseHTTPRequestHandler):
    """Repeats what it was sent, as debug pages of proxies do, with the status that is wanted."""

    server: "_Server"

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        given = self.headers.get("Authorization", "none")
        self.server.seen.append((given, _command_lines()))
        body = f'{{"message":"you sent {given} and {SECRET}","error":"you sent {given}: {SECRET}"}}'.encode()
        body = self.server.body or body
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-elastic-product", "Elasticsearch")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _refuse  # noqa: N815 - the base class has it so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has it so
        """Be quiet."""


class _Server(ThreadingHTTPServer):
    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Refusing)
        self.status = status
        self.body = b""
        """To answer with in place of that."""
        self.seen: list[tuple[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


def _command_lines() -> str:
    """What any user of the host sees of all processes at this moment."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(process.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(found)


@contextmanager
def refusing(status: int) -> Iterator[_Server]:
    """A server that refuses everything with that status."""
    with _Server(status) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def given(way: Way, side: str, as_file: Path | None) -> Mapping[str, str]:
    """The environment that gives the secret, itself or as a file."""
    found = {f"TTYSCRIBE_{side}_USER": way.user} if way.user else {}
    if as_file is None:
        return {**found, f"TTYSCRIBE_{side}_{way.variable}": SECRET}
    as_file.write_text(SECRET + "\n")
    return {**found, f"TTYSCRIBE_{side}_{way.variable}_FILE": str(as_file)}


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for a condition of another process."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


VERBS = [("setup",), ("search", "x"), ("index",), ("recordings",)]


@pytest.mark.parametrize(
    ("way", "by_file", "status", "verb"),
    [
        (WAYS[0], False, 401, VERBS[0]),
        (WAYS[1], True, 403, VERBS[1]),
        (WAYS[2], False, 500, VERBS[2]),
        (WAYS[0], True, 200, VERBS[3]),
        (WAYS[1], False, 400, VERBS[0]),
    ],
    ids=lambda value: value.variable if isinstance(value, Way) else None,
)
def test_a_verb_towards_an_engine_that_refuses_shows_no_secret(
    way: Way, by_file: bool, status: int, verb: tuple[str, ...], tmp_path: Path
) -> None:
    with refusing(status) as server:
        told = _said([*COMMAND, *verb, "--store", server.url], given(way, "STORE", tmp_path / "f" if by_file else None))
    assert server.seen
    _shows_nothing(server, way, told)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
@pytest.mark.parametrize("status", [200, 400, 401, 503])
def test_what_an_engine_repeats_of_a_recording_cannot_control_the_terminal(
    verb: tuple[str, ...], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Engines quote values that they refuse, and recorded people choose these."""
    with refusing(status) as server:
        server.body = json.dumps(
            {"error": {"type": "x\x1b[2J", "reason": "bad value 'eve\x1b[31m\u202e\r\n\a'"}}
        ).encode()
        assert main([*verb, "--store", server.url]) in (1, 2)
    said = capsys.readouterr()
    assert printable(said.out + said.err)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.variable)
@pytest.mark.parametrize("status", [401, 500])
def test_dashboards_that_refuse_are_told_without_the_secret(way: Way, status: int, tmp_path: Path) -> None:
    with refusing(status) as server:
        words = ["setup", "--store", f"sqlite:{tmp_path / 'store'}", "--kibana", server.url]
        told = _said([*COMMAND, *words], given(way, "KIBANA", tmp_path / "secret"))
    assert server.seen
    _shows_nothing(server, way, told)


def test_the_normalizer_towards_an_engine_that_refuses_shows_no_secret(tmp_path: Path) -> None:
    """It holds the line until the engine takes it, so it is told to stop once it has asked."""
    log = tmp_path / "log"
    command = [*PROGRAM, "--protocol", "ndjson", "--log-file", str(log)]
    with refusing(401) as server:
        command += ["--output", server.url]
        with subprocess.Popen(command, env=_environment(given(WAYS[0], "STORE", None)), **PIPES) as process:
            assert process.stdin
            process.stdin.write('{"MESSAGE":"x"}\n')
            process.stdin.flush()
            wait_until(lambda: bool(server.seen) and log.exists() and bool(log.read_text()))
            process.terminate()
            said, _ = process.communicate(timeout=PATIENCE)
    _shows_nothing(server, WAYS[0], said + log.read_text())


PIPES: dict[str, Any] = {
    "stdin": subprocess.PIPE,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
    "encoding": "utf-8",
}


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Nobody's settings but these, and an interpreter that says all that it can."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TTYSCRIBE_")}
    return {**clean, "PYTHONDEVMODE": "1", "TTYSCRIBE_STORE_TIMEOUT": "10", **given}


def _said(command: list[str], environment: Mapping[str, str]) -> str:
    """What a process says, given a secret in its environment."""
    done = subprocess.run(command, env=_environment(environment), input="", timeout=PATIENCE, **_OUTPUT)
    said: str = done.stdout
    return said


_OUTPUT: dict[str, Any] = {name: value for name, value in PIPES.items() if name != "stdin"}


def _shows_nothing(server: _Server, way: Way, told: str) -> None:
    headers = {header for header, _ in server.seen}
    assert way.header in headers or {"none"} == headers, headers
    assert "none" not in headers
    assert told.strip()
    for text in (told, *(lines for _, lines in server.seen)):
        assert SECRET not in text
        assert way.header.split()[1] not in text


class _Keeping(logging.Handler):
    def __init__(self, into: list[str]) -> None:
        super().__init__()
        self.into = into

    def emit(self, record: logging.LogRecord) -> None:
        self.into.append(self.format(record))


@pytest.fixture
def all_logged() -> Iterator[list[str]]:
    """What a site sees that lets the root logger keep all: pytest's own handler sits on quiet loggers too."""
    root, found = logging.getLogger(), list[str]()
    handler, level = _Keeping(found), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield found
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.variable)
def test_debug_logs_and_reprs_hold_no_secret(
    way: Way, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, all_logged: list[str]
) -> None:
    """Also where a site's own code switches all logging on around our classes."""
    for side in ("STORE", "KIBANA"):
        for name, value in given(way, side, tmp_path / side).items():
            monkeypatch.setenv(name, value)
    with refusing(503) as server:
        store = open_store(server.url)
        client = Client(server.url)
        texts = [repr(Access().completed()), repr(store), repr(client)]
        for call in (lambda: store.write([syslog()]), lambda: client.request("GET", "/api/status"), store.setup):
            try:
                call()
            except TtyscribeError as error:
                texts.append(f"{error!r} {error.__cause__!r} {error.__context__!r}")
        store.close()
    assert way.header in {header for header, _ in server.seen}
    for text in (*all_logged, *texts):
        assert SECRET not in text
        assert way.header.split()[1] not in text


def test_what_a_far_side_repeats_is_hidden_in_every_form() -> None:
    basic = WAYS[0].header
    said = f"header {basic}, password {SECRET}".encode()
    assert hidden(said, basic) == b"header Basic ..., password ..."
    assert hidden(b"token " + SECRET.encode(), f"Bearer {SECRET}") == b"token ..."
    assert hidden(b"a cat sat", "Basic " + base64.b64encode(b"ada:a").decode()) == b"a cat sat"
    assert hidden(said, "") == said
