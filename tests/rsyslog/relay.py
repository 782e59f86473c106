# SPDX-License-Identifier: Apache-2.0
"""Recorded hosts and their central rsyslog, by the shipped host.conf and central.conf, on loopback.

with Centre(folder, child) as centre, RelayHost(centre) as host:
    host.send([b"<86>Nov 24 12:00:00 me: hello"])
"""

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.certificates import Authority, Certificate
from tests.peers import absent
from tests.rsyslog.daemon import CONF, Rsyslogd
from tests.rsyslog.journald import Journald

HOST = CONF / "host.conf"
FAST_HOST = CONF / "host-fast.conf"
CENTRAL = CONF / "central.conf"
NAME = "log.example.com"
PORT = 'port="20514"'
JOURNAL = (CONF.parent / "source" / "parts" / "journal.conf").read_text().partition("\n")[2]
"""What reads the machine's own journal, as the samples hold it."""
_CA, _CERT, _KEY = (f'="/etc/ttyscribe/tls/{name}.pem"' for name in ("ca", "cert", "key"))


def require_relp() -> None:
    """Skip, or fail in CI, where rsyslog has no RELP."""
    if not any(Path("/").glob("usr/lib*/**/rsyslog/imrelp.so")):
        absent("rsyslog's RELP is not installed: apt-get install rsyslog-relp")


def tls(authority: str, own: Certificate) -> dict[str, str]:
    """What takes the place of the samples' certificates."""
    return {_CA: f'="{authority}"', _CERT: f'="{own.file}"', _KEY: f'="{own.key}"'}


def without_journal(sample: Path) -> str:
    """A sample that does not read the journal."""
    text = sample.read_text()
    assert JOURNAL in text
    return text.replace(JOURNAL, "")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Centre(Rsyslogd):
    """The central rsyslogd; `child` is its program. `authority` signs for its hosts, unless `own` says otherwise."""

    def __init__(
        self,
        folder: Path,
        child: Sequence[str],
        replace: Mapping[str, str] | None = None,
        own: Mapping[str, str] | None = None,
    ) -> None:
        require_relp()
        self.authority = Authority(folder)
        self.relp = free_port()
        own = own or tls(self.authority.file, self.authority.sign(NAME))
        every = {**own, PORT: f'port="{self.relp}"', **(replace or {})}
        super().__init__(child, sample=CENTRAL, replace=every, port=self.relp)


class RelayHost(Rsyslogd):
    """A host that sends to it, under a certificate of its own name, or with the one given.

    It reads the journal of `journald`, or none: that would be this machine's.
    """

    def __init__(
        self,
        centre: Centre,
        name: str = "web7.hosts.example.com",
        *,
        sample: Path = HOST,
        certificate: Certificate | None = None,
        journald: Journald | None = None,
        authority: str = "",
        replace: Mapping[str, str] | None = None,
    ) -> None:
        own = tls(authority or centre.authority.file, certificate or centre.authority.sign(name))
        target = {'target="log.example.com" port="20514"': f'target="127.0.0.1" port="{centre.relp}"'}
        here = centre.folder / sample.name
        here.write_text(sample.read_text() if journald else without_journal(sample))
        prefix = journald.prefix if journald else []
        super().__init__([], sample=here, replace={**own, **target, **(replace or {})}, prefix=prefix)

    def close(self) -> None:
        """End it; with messages that it can't get rid of it does not stop by itself."""
        try:
            self.kill()
        finally:
            super().close()
