# SPDX-License-Identifier: Apache-2.0
"""The program's figures: in its log, in a file, over HTTP."""

import json
import re
import socket
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.process import Running, run, wait_for
from tests.normalizers.samples import line, text
from tests.store.stand_in import answer, standing_in
from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers.watch import endpoint, snapshot
from ttyscribe_normalizers.watch.snapshot import Snapshot, counted

OK = b"OK\n"
HOSTILE = 'a"b\\c\nd'


def taken(now: float = 110.0, **more: Any) -> Snapshot:
    """A snapshot of a program that was started at 100."""
    pipeline = Counter({"lines": 20, "bytes": 999, "tlog": 12, "syslog": 6, "empty": 1, "unparsable": 1})
    delivery = Counter({"stored": 15, "duplicate": 2, "rejected": 1, "retried": 4})
    found = counted(pipeline, delivery)._asdict()
    rest: dict[str, Any] = {"version": "1", "protocol": "omprog", "pid": 7, "started": 100.0, "now": now}
    return Snapshot(**{**rest, **found, "lag": 0.25, "held": 0.0, "spooled": 4096, **more})


def parsed(exposition: str) -> dict[str, float]:
    """Prometheus' text as a mapping, with every line checked against the format."""
    found: dict[str, float] = {}
    typed: set[str] = set()
    for row in exposition.splitlines():
        if row.startswith("# TYPE "):
            typed.add(row.split()[2])
        elif not row.startswith("# HELP "):
            match = re.fullmatch(r'([a-z_]+)((?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})?) ([0-9.e+-]+)', row)
            assert match, row
            assert match[1] in typed
            found[match[1] + match[2]] = float(match[3])
    return found


def test_the_line_has_all_counts_and_the_rate_since_the_last() -> None:
    first = taken()
    assert snapshot.line(first, None) == (
        "stats lines=20 per_second=2.0 bytes=999 empty=1 broken=0 invalid=0 dead=2 stored=15 duplicate=2 rejected=1 "
        "retried=4 spooled_bytes=4096 lag=0.250 held=0 kind.syslog=6 kind.tlog=12"
    )
    assert " per_second=8.0 " in snapshot.line(taken(115.0, lines=60), first)


def test_prometheus_gets_its_format_whatever_names_there_are() -> None:
    found = parsed(snapshot.prometheus(taken(kinds={HOSTILE: 3}, version=HOSTILE)))
    assert found["ttyscribe_normalize_lines_total"] == 20
    assert found['ttyscribe_normalize_documents_total{outcome="duplicate"}'] == 2
    assert found['ttyscribe_normalize_dead_letters_total{status="unparsable"}'] == 1
    assert found['ttyscribe_normalize_lines_by_kind_total{kind="a\\"b\\\\c\\nd"}'] == 3
    assert found["ttyscribe_normalize_spool_bytes"] == 4096


@pytest.mark.parametrize(
    ("text_", "wanted"), [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:9", ("::1", 9)), (":0", ("127.0.0.1", 0))]
)
def test_addresses(text_: str, wanted: tuple[str, int]) -> None:
    assert endpoint.parse(text_) == wanted


@pytest.mark.parametrize("text_", ["", "x", "host:", "host:x", "host:65536", "host:٣", "host:-1"])
def test_what_is_no_address(text_: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        endpoint.parse(text_)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def ask(port: int, path: str = "/metrics") -> str:
    """What the endpoint answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return str(response.read().decode())


def test_a_running_program_tells_how_it_is_doing(tmp_path: Path) -> None:
    """An outage shows as held back, its end as documents stored; a slow client of the endpoint holds nobody up."""
    port = free_port()
    status = tmp_path / "status"
    watch = ("--stats", "0.2", "--status-file", f"{status}-%p", "--metrics", f"127.0.0.1:{port}")
    spool = ("--spool", str(tmp_path / "spool"))
    with (
        standing_in(*[answer(503)] * 3) as engine,
        Running(tmp_path, "--protocol", "omprog", "--output", engine.url, *spool, *watch) as program,
    ):
        assert program.answer() == OK
        idle = socket.create_connection(("127.0.0.1", port))
        assert program.ask(line(text(id=1))) == OK
        assert program.ask(line("plain")) == OK
        assert program.ask(b"poison") == OK
        wait_for(lambda: parsed(ask(port))["ttyscribe_normalize_held_seconds"] > 0, "held is told")
        wait_for(lambda: parsed(ask(port))['ttyscribe_normalize_documents_total{outcome="stored"}'] == 2, "stored")
        found = parsed(ask(port))
        assert found["ttyscribe_normalize_lines_total"] == 3
        assert found["ttyscribe_normalize_held_seconds"] == 0
        assert found["ttyscribe_normalize_documents_retried_total"] >= 2
        assert found['ttyscribe_normalize_dead_letters_total{status="unparsable"}'] == 1
        assert found['ttyscribe_normalize_lines_by_kind_total{kind="tlog"}'] == 1
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(port, "/other")
        program.wait_said("stored=2")
        idle.close()
        assert program.finish() == 0
        pid = program.process.pid
    told = json.loads(Path(f"{status}-{pid}").read_text())
    assert (told["pid"], told["lines"], told["documents"]["stored"], told["spooled"]) == (pid, 3, 2, 0)
    assert told["lag"] > 0
    assert Path(f"{status}-{pid}").stat().st_mode & 0o137 == 0


def test_what_cannot_be_told_ends_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken_port:
        watch = ("--metrics", f"127.0.0.1:{taken_port.getsockname()[1]}", "--status-file", str(tmp_path / "no" / "x"))
        done = run(tmp_path, line("x"), "--protocol", "ndjson", "--output", f"sqlite:{tmp_path}/store", *watch)
    assert b"no metrics at 127.0.0.1" in done.stderr
    assert done.stderr.count(b"can't write the status file") == 1
    assert b"1 line: 1 stored" in done.stderr


@pytest.mark.parametrize("seconds", ["-1", "x", "0.01", "nan", "1e9"])
def test_what_is_no_number_of_seconds(tmp_path: Path, seconds: str) -> None:
    assert b"say 0.1 to 86400" in run(tmp_path, b"", "--protocol", "ndjson", "--stats", seconds, status=2).stderr
