# SPDX-License-Identifier: Apache-2.0
"""The chain of the sample with mmexternal and omelasticsearch: a private real rsyslogd, the real normalizer as its
filter, and an engine.

    with FilterChain("http://127.0.0.1:9200/prefix", tmp_path) as chain:
        chain.send([datagram(b"hello")])
"""

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests import peers
from tests.e2e.chain import program
from tests.rsyslog.daemon import CONF, Rsyslogd, wait_until

SAMPLE = CONF / "ttyscribe-mmexternal.conf"
BINARY = "/usr/bin/ttyscribe-normalize --protocol mmexternal --log-file /var/log/ttyscribe-normalize.log"
FOLDER = "/var/lib/ttyscribe/"
_QUICK = {
    'action.resumeInterval="5"': 'action.resumeInterval="1"',
    'queue.dequeueSlowDown="500000"': 'queue.dequeueSlowDown="50000"',
}


def require_omelasticsearch() -> None:
    """Skip, or fail in CI, where rsyslog can't write to engines."""
    if not list(Path("/usr/lib").glob("*/rsyslog/omelasticsearch.so")):
        peers.absent("rsyslog's omelasticsearch is not installed: apt-get install rsyslog-elasticsearch")


class FilterChain(Rsyslogd):
    """`url` is the engine's, `child` another filter than ours, `folder` is where what is put aside stands."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        child: Sequence[str] = (),
        options: Sequence[str] = (),
        replace: Mapping[str, str] | None = None,
    ) -> None:
        require_omelasticsearch()
        self._url = url
        self._changes = dict(replace or {})
        self.aside = folder / "aside"
        self.aside.mkdir()
        self.log = folder / "normalize.log"
        ours = [program("ttyscribe-normalize"), "--protocol", "mmexternal", "--log-file", str(self.log), *options]
        super().__init__(child or ours, sample=SAMPLE)

    def _write_conf(self, text: str, child: Sequence[str], replace: Mapping[str, str]) -> None:
        address = urlsplit(self._url)
        script = self.folder / "child.sh"  # because rsyslogd cuts `binary` at every blank
        script.write_text(f"#!/bin/sh\nexec {shlex.join(child)}\n")
        script.chmod(0o755)
        prefix = f"{address.path.strip('/')}-" if address.path.strip("/") else ""
        index = 'property(name="$!normalized!index"'
        changes = {
            BINARY: str(script),
            "/run/ttyscribe/log": str(self.socket),
            "/var/spool/rsyslog": str(self.spool),
            FOLDER: f"{self.aside}/",
            'server="127.0.0.1" serverport="9200"': f'server="{address.hostname}" serverport="{address.port}"',
            index: f'constant(value="{prefix}") {index}',
            **_QUICK,
            **self._changes,
        }
        for old, new in changes.items():
            if old not in text:
                raise ValueError(f"the sample does not hold {old!r}")
            text = text.replace(old, new)
        own = f'global(workDirectory="{self.spool}" processInternalMessages="on")\n'
        self.conf.write_text(f'{text}{own}*.* action(type="omfile" file="{self.own_log}")\n')

    def entries(self, name: str) -> list[Any]:
        """What is in one of the files put aside, `diverted`, `rejected` or `failed-requests`."""
        path = self.aside / f"{name}.ndjson"
        if not path.exists():
            return []
        return [json.loads(line.decode("utf-8", "surrogateescape")) for line in path.read_bytes().split(b"\n") if line]

    def diverted(self) -> dict[str, str]:
        """Text and status of each message that did not pass."""
        return {entry["msg"].removeprefix(" "): entry["status"] for entry in self.entries("diverted")}

    def wait_entries(self, name: str, count: int, timeout: float = 60.0) -> list[Any]:
        """Wait until there are so many entries; those."""
        wait_until(
            lambda: len(self.entries(name)) >= count,
            timeout,
            f"{count} entries of {name}, {self.entries(name)}\n{self.said()}",
        )
        return self.entries(name)

    def hang_up(self) -> None:
        """SIGHUP, as logrotate sends it, and wait until rsyslogd has let its files go."""
        before = self.said().count("HUPed")
        os.kill(self.pid, signal.SIGHUP)
        wait_until(lambda: self.said().count("HUPed") > before, 20, "rsyslogd to take note of SIGHUP")

    def replay(self, name: str, url: str, status: int = 0) -> str:
        """Replay a file into a store, as its header tells; what the program said."""
        done = subprocess.run(
            [program("ttyscribe-normalize"), "--replay", str(self.aside / f"{name}.ndjson"), "--output", url],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, done.stderr
        return done.stderr
