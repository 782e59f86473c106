# SPDX-License-Identifier: Apache-2.0
"""rsyslogd and ttyscribe-normalize under omprog into memory, against rsyslogd's own mmjsonparse path into a file.

The same recording's messages over TCP into both, in turns; one rsyslogd and one generator on the same cores. The last
message is a marker: when it has come through, so has everything.
"""

import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.bench_normalizer import session  # noqa: E402
from tests.e2e.traffic import datagram  # noqa: E402
from tests.rsyslog.daemon import AUDIT_GRADE, BINARY, FAST, OUTPUT, SPOOL, children_of  # noqa: E402

ROUNDS = 5
COUNT = 40_000
FEW = 8_000
"""For the queue on disk alone, which is slower by far."""
RSYSLOGD = shutil.which("rsyslogd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
NORMALIZE = str(Path(sys.executable).with_name("ttyscribe-normalize"))

PEER = """
global(maxMessageSize="256k")
module(load="imtcp")
module(load="mmjsonparse")
template(name="document" type="list" option.jsonf="on") {
    property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="hostname" name="$!host" format="jsonf")
    property(outname="message" name="$!out_txt" format="jsonf")
    property(outname="rec" name="$!rec" format="jsonf")
    property(outname="user" name="$!user" format="jsonf")
    property(outname="term" name="$!term" format="jsonf")
    property(outname="session" name="$!session" format="jsonf")
    property(outname="id" name="$!id" format="jsonf")
    property(outname="pos" name="$!pos" format="jsonf")
    property(outname="time" name="$!time" format="jsonf")
    property(outname="timing" name="$!timing" format="jsonf")
    property(outname="in_txt" name="$!in_txt" format="jsonf")
    property(outname="program" name="programname" format="jsonf")
}
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="PORT" ruleset="bench")
ruleset(name="bench") {
    action(type="mmjsonparse" cookie="")
    action(type="omfile" file="FOLDER/out" template="document")
}
"""

# The shipped samples with the input changed, and a tag that breaks the envelope: the marker goes to the dead letter.
INPUT = re.compile(r"module\(load=\"imuxsock\".*?\)\n|input\(type=\"imuxsock\".*?ruleset=\"ttyscribe\"\)\n", re.DOTALL)
TCP = """module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="PORT" ruleset="ttyscribe")
"""
LARGER = {
    'queue.size="10000" queue.highWatermark="8000"': 'queue.size="60000" queue.highWatermark="50000"',
    'queue.discardMark="10000"': 'queue.discardMark="60000"',
}
"""So that all of it waits in memory, as in the peer's main queue."""
MARKER = {
    'constant(value="{\\"v\\":1,': 'property(name="$!broken") constant(value="{\\"v\\":1,',
    "set $!ttyscribe!id = $uuid;": 'if $programname == "marker" then { set $!broken = "no JSON "; }\n'
    "    set $!ttyscribe!id = $uuid;",
}
CONFIRM = 'confirmMessages="on"'
BATCH = {'queue.dequeueBatchSize="1"': 'queue.dequeueBatchSize="1024"'}
ACTION_QUEUE = re.compile(r"\n        queue\.type=.*?(?=\n        action\.resume)", re.DOTALL)


NOTHING = """import sys
from pyrsyslog_omprog import Handler, run

class Nothing(Handler):
    def line(self, data):
        if data.startswith(b"no JSON"):
            open(sys.argv[1], "w").write("marker")

sys.exit(run(Nothing()))
"""
"""A program that does no work: what the library alone costs."""

BARE = """import os, sys

os.write(1, b"OK\\n")
while data := os.read(0, 65536):
    for line in data.split(b"\\n")[:-1]:
        if line.startswith(b"no JSON"):
            open(sys.argv[1], "w").write("marker")
        os.write(1, b"OK\\n")
"""
"""A loop that reads and answers: what no program in Python can do without."""


class Way(NamedTuple):
    """One way to measure: its name, its configuration, how many messages, the program (but for its output's name)."""

    name: str
    conf: str
    messages: int
    child: str = f"{NORMALIZE} --protocol omprog --output memory: --dead-letter"


def ours(sample: Path, changes: Mapping[str, str], *, queue: bool = True) -> str:
    """A shipped sample for this benchmark; with the main queue in memory that the peer has too."""
    text = INPUT.sub("", sample.read_text()).replace("template(name=", TCP + "template(name=", 1)
    text = text.replace('main_queue(queue.type="Direct")\n', "")
    if not queue:
        text = ACTION_QUEUE.sub("", text)
    for old, new in {BINARY: "FOLDER/child.sh", OUTPUT: "FOLDER/log", **MARKER, **changes}.items():
        if old not in text:
            raise ValueError(f"the sample does not hold {old!r}")
        text = text.replace(old, new)
    return text


def ways() -> list[Way]:
    """What is compared; the peer first."""
    direct = ours(AUDIT_GRADE, {}, queue=False)
    batches = ours(FAST, {SPOOL: "FOLDER", **LARGER, **BATCH, CONFIRM: f'{CONFIRM} useTransactions="on"'})
    spool = f"{NORMALIZE} --protocol omprog --output memory: --spool spool --dead-letter"
    return [
        Way("mmjsonparse + list template → omfile (peer)", PEER, COUNT),
        Way("confirm, a loop that reads and answers", direct, COUNT, f"{sys.executable} bare"),
        Way("confirm, a handler that does nothing", direct, COUNT, f"{sys.executable} nothing"),
        Way("confirm", direct, COUNT),
        Way("transactions, LinkedList, batch 1,024", batches, COUNT),
        Way("confirm, spool", direct, COUNT, spool),
        Way("transactions, spool, LinkedList, batch 1,024", batches, COUNT, spool),
        Way("confirm, LinkedList, batch 1", ours(FAST, {SPOOL: "FOLDER", **LARGER}), COUNT),
        Way("confirm, Disk, checkpoint 1", ours(AUDIT_GRADE, {SPOOL: "FOLDER"}), FEW),
    ]


@contextmanager
def rsyslogd(way: Way) -> Iterator[tuple[int, int, Path]]:
    """One daemon: its process id, its port, its folder."""
    if RSYSLOGD is None:
        sys.exit("rsyslogd is not installed: apt-get install rsyslog")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "nothing").write_text(NOTHING)
        (folder / "bare").write_text(BARE)
        (folder / "child.sh").write_text(f"#!/bin/sh\ncd {name}\nexec {way.child} {name}/out\n")
        (folder / "child.sh").chmod(0o755)
        (folder / "conf").write_text(way.conf.replace("FOLDER", name).replace("PORT", f"{name}/port"))
        command = [RSYSLOGD, "-n", "-f", f"{name}/conf", "-i", f"{name}/pid"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait(lambda: (folder / "port").exists() and (folder / "port").read_text().strip().isdigit())
            yield process.pid, int((folder / "port").read_text()), folder
        finally:
            process.terminate()
            try:
                process.wait(30)
            finally:
                process.kill()
                process.wait()


def wait(holds: Callable[[], object], timeout: float = 120) -> None:
    """Poll; the pause is far below what is measured."""
    end = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("rsyslogd or its program is stuck")
        time.sleep(0.005)


def cpu_s(pid: int) -> float:
    """Seconds of processor of all of a process's threads that live, exact."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass  # ended just now
    return total / 1e9


class Run(NamedTuple):
    """One run: messages a second, and microseconds of processor a message."""

    rate: float
    rsyslogd_us: float
    child_us: float


def marked(file: Path) -> bool:
    """Tell whether the marker, or what became of it, stands at a file's end."""
    if not file.exists():
        return False
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - 4000))
        tail = opened.read()
    return b"marker" in tail or b'"unparsable"' in tail


def run(way: Way, lines: list[bytes]) -> Run:
    """Send all of it and wait for the marker; the program's start is not measured."""
    data = b"".join(lines[: way.messages])
    with rsyslogd(way) as (pid, port, folder), socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(frame(datagram(b"the first")))
        if way.conf is not PEER:
            wait(lambda: children_of(pid))
        time.sleep(1)
        child = next(iter(children_of(pid)), 0)
        before = cpu_s(pid), cpu_s(child) if child else 0.0
        began = time.monotonic()
        sender.sendall(data)
        sender.sendall(frame(datagram(b'{"out_txt":"marker"}', ident="marker")))
        wait(lambda: marked(folder / "out"))
        took = time.monotonic() - began
        used = cpu_s(pid) - before[0], (cpu_s(child) - before[1] if child else 0.0)
    return Run(way.messages / took, used[0] / way.messages * 1e6, used[1] / way.messages * 1e6)


def frame(message: bytes) -> bytes:
    """A message as syslog over TCP carries it."""
    return message + b"\n"


def table(found: dict[str, list[Run]]) -> Iterator[str]:
    """The section's rows."""
    middle = {name: Run(*map(statistics.median, zip(*runs, strict=True))) for name, runs in found.items()}
    peer = next(iter(middle.values()))
    yield "| path | messages/s | of the peer | rsyslogd µs/message | child µs/message |"
    yield "|---|---:|---:|---:|---:|"
    for name, one in middle.items():
        share = f"{one.rate / peer.rate:.2f}"
        child = f"{one.child_us:.1f}" if one.child_us else ""
        yield f"| {name} | {one.rate:,.0f} | {share} | {one.rsyslogd_us:.1f} | {child} |"


def main() -> None:
    """Measure in turns and print the section."""
    lines = [frame(datagram(line)) for line in session(random.Random(7), "rec-1", COUNT)]
    size = sum(map(len, lines)) / len(lines)
    found: dict[str, list[Run]] = {way.name: [] for way in ways()}
    for turn in range(ROUNDS):
        for way in ways():
            print(f"round {turn + 1}/{ROUNDS}: {way.name}", file=sys.stderr)
            found[way.name].append(run(way, lines))
    data = HERE / "data"
    data.mkdir(exist_ok=True)
    raw = {name: [one._asdict() for one in runs] for name, runs in found.items()}
    (data / "omprog.json").write_text(json.dumps({"bytes": size, "count": COUNT, "runs": raw}, indent=1) + "\n")
    print("## rsyslog → omprog → `memory:`\n")
    print(
        f"One recording's messages (the normalizer benchmark's) of {size:.0f} bytes over TCP, {COUNT:,} a run "
        f"({FEW:,} with the queue on disk), medians of {ROUNDS} runs in turns; generator, rsyslogd and program share "
        "the cores. One program; each path has rsyslog's default main queue in memory in front. Where no queue is "
        "named the action has none of its own and takes what the main queue gives. With transactions it has one, as "
        "rsyslogd hands lines over twice without. The loop is a few lines of Python that read and answer; what the "
        "library costs is the difference to it of a handler that does nothing.\n"
    )
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
