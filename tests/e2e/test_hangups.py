# SPDX-License-Identifier: Apache-2.0
"""HUP in the midst of traffic, forwarded by the real rsyslogd: nothing lost, nothing stored twice, nobody dies."""

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.chain import Chain, wait
from tests.e2e.traffic import Ledger, mixed

pytestmark = [pytest.mark.rsyslogd]

COUNT = 1500
BURSTS = 10
FORWARDED = {'signalOnClose="on"': 'signalOnClose="on" hup.signal="HUP"'}
TRANSACTIONS = {**FORWARDED, 'confirmMessages="on"': 'confirmMessages="on" useTransactions="on"'}
CONFIGS = ("trusted_uid = [0]\n", "trusted_uid = [0, 7]\n", "trusted_uid = [\n", "max_message = 200000\n")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("spool", [False, True], ids=["direct", "spool"])
@pytest.mark.parametrize("replace", [FORWARDED, TRANSACTIONS], ids=["confirm", "transactions"])
def test_hangups_in_the_midst_of_traffic(tmp_path: Path, replace: dict[str, str], *, spool: bool) -> None:
    ledger = Ledger()
    traffic = list(mixed(COUNT, ledger))
    config, log = tmp_path / "normalize.toml", tmp_path / "log"
    config.write_text(CONFIGS[0])
    options = ["--config", str(config), "--log-file", str(log)]
    options += ["--spool", str(tmp_path / "spool")] if spool else []

    def reports() -> str:
        return "".join(path.read_text() for path in tmp_path.glob("log*"))

    with Chain(f"sqlite:{tmp_path / 'store'}", tmp_path, options=options, replace=replace) as chain:
        chain.daemon.send(traffic[:1])
        chain.wait_stored(1)
        pids = chain.normalizers()
        size = -(-(COUNT - 1) // BURSTS)
        for burst in range(BURSTS):
            chain.daemon.send(traffic[1 + burst * size : 1 + (burst + 1) * size])
            beside = tmp_path / "new.toml"
            beside.write_text(CONFIGS[burst % len(CONFIGS)])
            beside.rename(config)
            if burst == BURSTS // 2:
                log.rename(tmp_path / "log.1")  # as logrotate does before its HUP
            os.kill(chain.daemon.pid, signal.SIGHUP)
            before = chain.count()
            wait(lambda: chain.count() > before or chain.count() == ledger.total, chain.said)  # noqa: B023
        chain.wait_stored(ledger.total, timeout=200)
        for text, told in (("trusted_uid = [\n", "the old one stays"), (CONFIGS[0], "configuration read again")):
            log.unlink(missing_ok=True)
            config.write_text(text)
            os.kill(chain.daemon.pid, signal.SIGHUP)
            wait(lambda: log.exists() and told in log.read_text(), reports)  # noqa: B023
        assert chain.normalizers() == pids
        assert chain.dead() == []
        assert chain.daemon.stop() == 0
        assert chain.count() == ledger.total
