# SPDX-License-Identifier: Apache-2.0
"""The profile viaq: JSON lines in, ViaQ's documents as JSON lines out, through the real program; and its chain alone.

ViaQ's own filter needs Fluentd, which this benchmark does not bring: its figure is the recorded one that the section
names, of the same work on the mix called ViaQ's.
"""

import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from ttyscribe_formats.viaq import settings
from ttyscribe_formats.viaq.chain import compile_chain
from ttyscribe_formats.viaq.config import Surroundings

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.bench_normalizer import ECHO, NORMALIZE, Run, mixed, run, session  # noqa: E402

ROUNDS = 3
EVENTS = 40_000
RECORDED = 9_634
"""Events a second of one core: ViaQ's filter 0.0.22, Fluentd 1.16.5, Ruby 3.1, JSON parsed and written around it."""
SHARES = (("journal", 11), ("tlog", 8), ("aushape", 4), ("file", 2))
"""Of 25 records."""


def entry(number: int, program: str, text: str) -> dict[str, Any]:
    """A journal entry as a collector brings it."""
    at = 1_795_521_600_000_000 + number * 1000
    claimed = {"SYSLOG_FACILITY": "10", "SYSLOG_IDENTIFIER": program, "SYSLOG_PID": "2289", "PRIORITY": "6"}
    trusted = {"_TRANSPORT": "syslog", "_UID": "0", "_GID": "0", "_CAP_EFFECTIVE": "3fffffffff", "_PID": "2289"}
    trusted |= {"_COMM": program, "_EXE": f"/usr/sbin/{program}", "_CMDLINE": f"{program}: ada [priv]"}
    trusted |= {"_SYSTEMD_CGROUP": f"/system.slice/{program}.service", "_SYSTEMD_UNIT": f"{program}.service"}
    trusted |= {"_SYSTEMD_SLICE": "system.slice", "_SELINUX_CONTEXT": "system_u:system_r:sshd_t:s0"}
    trusted |= {"_BOOT_ID": "6211b985bd1e49908726bd24cd514099", "_MACHINE_ID": "0a1b4193493442f6b01847699b2788c3"}
    stamps = {"__CURSOR": f"s=1;i={number:x}", "__REALTIME_TIMESTAMP": str(at), "__MONOTONIC_TIMESTAMP": "448743373"}
    stamps["_SOURCE_REALTIME_TIMESTAMP"] = str(at - 700)
    return {**stamps, "_HOSTNAME": "web7.example.com", **claimed, **trusted, "MESSAGE": text}


def event(number: int) -> dict[str, Any]:
    """An audit event as aushape writes it."""
    syscall = {"syscall": ["execve", "59"], "success": ["yes"], "exit": ["0"], "a0": ["0x55d0c8"], "items": ["2"]}
    syscall |= {"pid": [str(number % 30000)], "auid": ["ada", "1000"], "uid": ["root", "0"], "tty": ["pts0"]}
    syscall |= {"ses": ["23"], "comm": ["ps"], "exe": ["/usr/bin/ps"], "key": ["rec"]}
    paths = [{"item": ["0"], "name": ["/usr/bin/ps"], "inode": ["1234"], "mode": ["file,755", "0100755"]}]
    data = {"syscall": syscall, "cwd": {"cwd": ["/home/ada"]}, "execve": ["ps", "-ef"], "path": paths}
    return {"serial": number, "node": "web7.example.com", "data": {**data, "proctitle": {"proctitle": ["ps -ef"]}}}


def records() -> list[tuple[str, dict[str, Any]]]:
    """Tags and records of ViaQ's own mix: messages and events came in the journal and are nested already."""
    dice = random.Random(7)
    messages = iter(session(dice, "rec-1", EVENTS))
    kinds = [kind for kind, share in SHARES for _ in range(share)]
    made = []
    for number in range(EVENTS):
        kind = kinds[number % len(kinds)]
        if kind == "file":
            said = f"pam_unix(sshd:session): session opened for user ada by (uid={number % 1000})"
            record = {"host": "web7", "ident": "sshd", "pid": "2289", "message": said}
            made.append(("system.var.log", record))
            continue
        if kind == "tlog":
            message = json.loads(next(messages))
            record = entry(number, "ttyscribe", message["out_txt"] or "-") | {"tlog": message}
        elif kind == "aushape":
            record = entry(number, "aushape", "execve") | {"aushape": event(number)}
        else:
            record = entry(
                number, "sshd", f"Accepted publickey for ada from 192.0.2.7 port {dice.randrange(65536)} ssh2"
            )
        made.append(("journal.system", record))
    return made


def alone(mix: list[tuple[str, dict[str, Any]]]) -> float:
    """Seconds of CPU that the chain takes for records that are parsed already."""
    shipped = files("ttyscribe_normalizers.viaq").joinpath("default.toml").read_text("utf-8")
    chain = compile_chain(settings.read(shipped).filters, Surroundings())
    copies = [(tag, json.loads(json.dumps(record))) for tag, record in mix]
    now = time.time_ns()
    start = time.process_time()
    for tag, record in copies:
        chain.step(tag)(record, now, now)
    return time.process_time() - start


PROGRAMS = {
    "ttyscribe-normalize --profile viaq": [NORMALIZE, "--protocol", "ndjson", "--profile", "viaq", "--output", "-"],
    "ttyscribe-normalize": [NORMALIZE, "--protocol", "ndjson", "--output", "-"],
    "orjson, loads and dumps only": [
        sys.executable,
        "-c",
        ECHO.format("orjson", "sys.stdout.buffer.write(j.dumps(j.loads(l)) + b'\\n')"),
    ],
}


def main() -> int:
    """Measure, write the raw figures, print the section."""
    mix = records()
    corpora: dict[str, Callable[[], bytes]] = {
        "mixed kinds": mixed,
        "ViaQ's": lambda: b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for _, one in mix),
    }
    raw: dict[str, Any] = {"chain": [alone(mix) for _ in range(ROUNDS)], "recorded": RECORDED}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "lines")
        for corpus, make in corpora.items():
            data = make()
            source.write_bytes(data)
            count = data.count(b"\n")
            runs: dict[str, list[Run]] = {name: [] for name in PROGRAMS}
            for _ in range(ROUNDS):
                for name, command in PROGRAMS.items():
                    runs[name].append(run(command, source))
            raw[corpus] = {"events": count, "bytes": len(data), "runs": runs}
            for name, found in runs.items():
                cpu = statistics.median(one.cpu for one in found)
                rows.append(
                    f"| {corpus} | {len(data) // count} | {name} | {count / cpu:,.0f} | {cpu / count * 1e6:.1f} "
                    f"| {count / cpu / RECORDED:.1f} |"
                )
    (HERE / "data").mkdir(exist_ok=True)
    (HERE / "data" / "viaq.json").write_text(json.dumps(raw, indent=1) + "\n")
    chain = statistics.median(raw["chain"])
    rows.append(
        f"| ViaQ's | | the chain alone, on parsed records | {EVENTS / chain:,.0f} | {chain / EVENTS * 1e6:.1f} | |"
    )
    print("## Profile viaq: a JSON line in, ViaQ's document as a JSON line out\n")
    print(
        f"The real program over a file, its start included ({ROUNDS} runs in turn, medians). Mixed kinds: the "
        "normalizer benchmark's. ViaQ's: of 25 records 11 of the journal, 8 with a recording's message and 4 with an "
        "audit event nested, 2 of a log file. The peer, ViaQ's own Ruby filter, needs Fluentd and was not run here: "
        f"{RECORDED:,} events/s of one core, recorded in November 2026 on two shared cores for the second mix, JSON "
        "parsed and written around it. Its ratio to that figure is therefore a hint.\n"
    )
    print("| input | bytes a line | program | events/s of CPU | CPU µs an event | of the recorded peer |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))
    return 0


if __name__ == "__main__":
    os.chdir(HERE.parent)
    sys.exit(main())
