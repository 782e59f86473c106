# SPDX-License-Identifier: Apache-2.0
"""A private, real rsyslogd that runs a filter under mmexternal, and appends what becomes of each message to a file.

with Filtering([sys.executable, "filter.py"], '%$!shout%') as daemon:
    daemon.send([b"<13>Nov 24 12:00:00 me: hello"])
    daemon.wait_results(1)
"""

import shlex
from collections.abc import Mapping, Sequence

from tests.rsyslog.daemon import Rsyslogd, wait_until

_CONF = """\
global(maxMessageSize="256k")
main_queue(queue.type="Direct")
module(load="imuxsock" SysSock.Use="off")
module(load="mmexternal")
module(load="mmjsonparse")
input(type="imuxsock" Socket="{socket}" UseSpecialParser="off" RateLimit.Interval="0" ruleset="filtering")
template(name="result" type="string" string="{result}\\n")
ruleset(name="filtering" parser=["rsyslog.rfc3164"]) {{
    {before}
    action(type="mmexternal" binary="{binary}" interface.input="fulljson"
           action.resumeRetryCount="-1" action.resumeInterval="1")
    action(type="omfile" file="{results}" template="result")
}}
"""


class Filtering(Rsyslogd):
    """`result` is a string template of rsyslog for each message's line; `before` stands before the filter's action."""

    def __init__(self, child: Sequence[str], result: str, before: str = "") -> None:
        self._result = result
        self._before = before
        super().__init__(child)

    def _write_conf(self, text: str, child: Sequence[str], replace: Mapping[str, str]) -> None:
        self.results_file = self.folder / "results"
        script = self.folder / "child.sh"  # because rsyslogd cuts `binary` at every blank
        script.write_text(f"#!/bin/sh\nexec {shlex.join(child)}\n")
        script.chmod(0o755)
        conf = _CONF.format(
            socket=self.socket, result=self._result, before=self._before, binary=script, results=self.results_file
        )
        own = f'global(workDirectory="{self.spool}" processInternalMessages="on")\n'
        self.conf.write_text(f'{conf}{own}*.* action(type="omfile" file="{self.own_log}")\n')

    def results(self) -> list[bytes]:
        """The lines so far."""
        return self.results_file.read_bytes().split(b"\n")[:-1] if self.results_file.exists() else []

    def wait_results(self, count: int, timeout: float = 60.0) -> list[bytes]:
        """Wait until there are so many lines; those."""
        wait_until(lambda: len(self.results()) >= count, timeout, f"{count} results, {self.results()}\n{self.said()}")
        return self.results()
