# SPDX-License-Identifier: Apache-2.0
"""The engine goes away and comes back; setup was forgotten: rsyslog waits, nothing is lost, nothing is doubled."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.chain import Chain, run, wait
from tests.e2e.conftest import ENGINES, ONE_ENGINE, Place
from tests.e2e.proxy import Proxy
from tests.e2e.traffic import Ledger, datagram, mixed
from tests.rsyslog.daemon import alive

pytestmark = [pytest.mark.rsyslogd, pytest.mark.engine]

OUTAGE_S = 10
COUNT = 900


@pytest.fixture
def proxy(place: Place) -> Iterator[Proxy]:
    """A way to the engine that can be cut."""
    address = urlsplit(place.url)
    assert address.hostname is not None
    assert address.port is not None
    proxy = Proxy(address.hostname, address.port)
    yield proxy
    proxy.down()


def cpu_s(pid: int) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.parametrize("bare_place", ONE_ENGINE, indirect=True)
def test_an_outage_of_ten_seconds_loses_doubles_and_costs_nothing(place: Place, proxy: Proxy, tmp_path: Path) -> None:
    ledger = Ledger()
    traffic = list(mixed(COUNT, ledger))
    through = f"http://127.0.0.1:{proxy.port}/{place.prefix}"
    with Chain(through, tmp_path, read_url=place.url) as chain:
        chain.daemon.send(traffic[:300])
        wait(lambda: chain.count() >= 50, chain.said)
        proxy.down()  # in the middle of its work
        chain.daemon.send(traffic[300:600])
        wait(lambda: "holding rsyslog back" in chain.said(), chain.said)
        (pid,) = chain.normalizers()
        stored, used = chain.count(), cpu_s(pid)
        time.sleep(OUTAGE_S)
        share = (cpu_s(pid) - used) / OUTAGE_S
        assert share < 0.05
        assert chain.count() == stored < 300
        chain.daemon.send(traffic[600:])
        proxy.up()
        chain.wait_stored(ledger.total)
        assert chain.normalizers() == [pid]
        assert "suspended" not in chain.daemon.said()
        assert chain.said().count("holding rsyslog back") == 1
        assert chain.dead() == []
    print(f"normalizer while waiting: {share:.1%} of a CPU")


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("bare_place", ONE_ENGINE, indirect=True)
def test_a_restart_of_rsyslogd_during_an_outage_loses_nothing(
    place: Place, proxy: Proxy, tmp_path: Path, end: str
) -> None:
    """The normalizer, which waits for the engine, ends with its rsyslogd and leaves the line to the next one."""
    ledger = Ledger()
    traffic = list(mixed(200, ledger))
    through = f"http://127.0.0.1:{proxy.port}/{place.prefix}"
    with Chain(through, tmp_path, read_url=place.url) as chain:
        chain.daemon.send(traffic[:100])
        wait(lambda: chain.count() >= 10, chain.said)
        proxy.down()
        wait(lambda: "holding rsyslog back" in chain.said(), chain.said)
        chain.daemon.send(traffic[100:150])
        chain.daemon.wait_read()
        waiting = chain.normalizers()
        if end == "stop":
            chain.daemon.stop_or_kill(3)
        else:
            chain.daemon.kill()
        assert waiting
        assert not any(map(alive, waiting))
        chain.daemon.start()
        chain.daemon.send(traffic[150:])
        proxy.up()
        chain.wait_stored(ledger.total)
        assert chain.dead() == []


@pytest.mark.parametrize("bare_place", ENGINES, indirect=True)
def test_a_forgotten_setup_holds_the_line_back_and_says_so(bare_place: Place, tmp_path: Path) -> None:
    """The dead letter stays empty; setup is noticed by itself."""
    with Chain(bare_place.url, tmp_path) as chain:
        chain.daemon.send(datagram(b"early %d" % number) for number in range(20))
        wait(lambda: "ttyscribe setup --store" in chain.said(), chain.said)
        (pid,) = chain.normalizers()
        time.sleep(2)
        assert chain.dead() == []
        assert chain.count() == 0
        assert chain.said().count("ttyscribe setup") == 1
        done = run("ttyscribe", "setup", "--store", bare_place.url)
        assert done.returncode == 0, done.stderr
        chain.wait_stored(20)
        assert chain.normalizers() == [pid]
        assert chain.dead() == []
        assert "suspended" not in chain.daemon.said()
