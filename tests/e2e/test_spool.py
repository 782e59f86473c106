# SPDX-License-Identifier: Apache-2.0
"""The spool under a real rsyslogd: programs and daemons killed at work, and everything stored once."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.chain import Chain, wait
from tests.e2e.test_delivery import assert_all_stored_once
from tests.e2e.traffic import Ledger, mixed
from tests.rsyslog.daemon import AUDIT_GRADE, SPOOLED

pytestmark = [pytest.mark.slow, pytest.mark.rsyslogd]

COUNT = 8000
TRANSACTIONS = {'confirmMessages="on"': 'confirmMessages="on" useTransactions="on"'}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("sample", "more"),
    [(AUDIT_GRADE, {}), (AUDIT_GRADE, TRANSACTIONS), (SPOOLED, {})],
    ids=["confirm", "transactions", "no queue before it"],
)
def test_kills_lose_nothing_and_double_nothing(sample: Path, more: Mapping[str, str], tmp_path: Path) -> None:
    """The program dies with confirmed lines in its spool; the one after it delivers them.

    rsyslogd is killed too, after it has read its input.
    """
    ledger = Ledger()
    traffic = list(mixed(COUNT, ledger))
    bursts = 8
    size = COUNT // bursts
    spool = tmp_path / "spool"
    url = f"sqlite:{tmp_path / 'store'}"
    with Chain(url, tmp_path, options=["--spool", str(spool)], sample=sample, replace=more) as chain:
        for burst in range(bursts):
            before = chain.count()
            chain.daemon.send(traffic[burst * size : (burst + 1) * size])
            if burst % 4 == 3:
                chain.daemon.wait_read()
                chain.daemon.kill()
                chain.daemon.start()
            else:
                wait(lambda: chain.count() > before and chain.daemon.kill_child(), chain.said)  # noqa: B023
        chain.daemon.send(mixed(20, ledger, seed=2))  # a program starts with a line only
        chain.wait_stored(ledger.total, timeout=200)
        assert_all_stored_once(chain, ledger)
        assert chain.dead() == []
        assert chain.daemon.stop() == 0
        assert chain.count() == ledger.total
    assert list(spool.iterdir()) == []
