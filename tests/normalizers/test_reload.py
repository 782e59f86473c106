# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: the configuration is read again, nothing is lost, nobody dies of it, under any protocol.

With TTYSCRIBE_TEST_LONG more changes in the midst of lines.
"""

import json
import os
import random
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.process import Running, wait_for
from tests.normalizers.samples import NOW_NS, line, text
from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers import build, logs, options
from ttyscribe_normalizers.pipeline import Pipeline
from ttyscribe_normalizers.reload import Reload

CHANGES = 40 if os.environ.get("TTYSCRIBE_TEST_LONG") else 12
CONFIG = 'protocol = "{protocol}"\noutput = "{output}"\ntrusted_uid = {uids}\nlog_file = "{log}"\n'


def write(folder: Path, protocol: str, output: str, uids: str = "[0]", log: str = "first.log", more: str = "") -> None:
    """The configuration file, replaced as an editor does it."""
    beside = folder / "new.toml"
    beside.write_text(CONFIG.format(protocol=protocol, output=output, uids=uids, log=log) + more)
    beside.rename(folder / "n.toml")


def wait_for_text(path: Path, wanted: str, count: int = 1) -> None:
    wait_for(lambda: path.exists() and path.read_text().count(wanted) >= count, f"{wanted!r} in {path.name}")


def wait_for_start(folder: Path) -> None:
    """Until signals can come: an interpreter that has only just begun dies of them, whatever it is to run."""
    wait_for((folder / "first.log").exists, "its log file")


def trust_of(answer: bytes) -> str:
    return str(json.loads(answer)["ttyscribe"]["trust"])


def test_what_can_change_changes_and_the_rest_is_named(tmp_path: Path) -> None:
    write(tmp_path, "ndjson", "-")
    eve = line(text(), uid="1001")
    with Running(tmp_path, "--config", "n.toml") as running:
        assert trust_of(running.ask(eve)) == "none"
        write(tmp_path, "ndjson", "memory:", "[0, 1001]", "second.log", "max_message = 100\nstats = 5\n")
        running.signal(signal.SIGHUP)
        wait_for_text(tmp_path / "second.log", "configuration read again")
        told = (tmp_path / "second.log").read_text()
        assert "changed: trusted_uid, max_message, log_file; start the program anew for: output, stats" in told
        assert trust_of(running.ask(line("x", uid="1001"))) == "system"
        running.send(line("x" * 200))
        assert running.finish() == 1
    dead = (tmp_path / "dead-letter.ndjson").read_text()
    assert "200 bytes, more than 100" in dead


def test_a_broken_file_is_told_and_the_old_one_stays(tmp_path: Path) -> None:
    write(tmp_path, "ndjson", "-", "[1001]")
    with Running(tmp_path, "--config", "n.toml") as running:
        running.ask(line("x"))
        for count, uids in enumerate(('["root"]', "[", "[0]\nunknown = 1", "[0]\nspool = 'x'"), 1):
            write(tmp_path, "ndjson", "-", uids)
            running.signal(signal.SIGHUP)
            wait_for_text(
                tmp_path / "first.log", "the new configuration is not taken, the old one stays: n.toml", count
            )
        (tmp_path / "n.toml").unlink()
        running.signal(signal.SIGHUP)
        wait_for_text(tmp_path / "first.log", "n.toml: can't read the configuration: No such file")
        assert trust_of(running.ask(line("x", uid="1001"))) == "system"
        assert running.finish() == 0


def test_the_filters_of_viaq_are_read_again(tmp_path: Path) -> None:
    chain = '[[filter]]\ntype = "viaq_data_model"\ndefault_keep_fields = ["message"]\nuse_undefined = {}\n'
    (tmp_path / "viaq.toml").write_text(chain.format("false"))
    arguments = ("--protocol", "ndjson", "--profile", "viaq", "--viaq-config", "viaq.toml")
    with Running(tmp_path, *arguments) as running:
        assert "undefined" not in json.loads(running.ask(b'{"message":"a","x":1}'))
        (tmp_path / "viaq.toml").write_text(chain.format("true") + "rename_time = false\n")
        running.signal(signal.SIGHUP)
        running.wait_said("configuration read again; changed: none of the options")
        assert json.loads(running.ask(b'{"message":"a","x":1}'))["undefined"]["x"] == 1
        (tmp_path / "viaq.toml").write_text("[[filter]]\n")
        running.signal(signal.SIGHUP)
        running.wait_said("the old one stays: viaq.toml:1")
        assert "undefined" in json.loads(running.ask(b'{"message":"a","x":1}'))
        assert running.finish() == 0


def test_a_log_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    write(tmp_path, "ndjson", "memory:")
    with Running(tmp_path, "--config", "n.toml") as running:
        wait_for_start(tmp_path)
        running.signal(signal.SIGHUP)
        wait_for_text(tmp_path / "first.log", "read again")
        (tmp_path / "first.log").rename(tmp_path / "first.log.1")
        running.signal(signal.SIGHUP)
        wait_for_text(tmp_path / "first.log", "read again")
        assert running.finish() == 0


OMPROG: list[tuple[str, ...]] = [(), ("--spool", "spool")]


@pytest.mark.parametrize("spool", OMPROG, ids=["direct", "spool"])
@pytest.mark.parametrize("transactions", [False, True], ids=["confirm", "transactions"])
def test_omprog_goes_on_through_many_hangups(tmp_path: Path, spool: tuple[str, ...], *, transactions: bool) -> None:
    write(tmp_path, "omprog", "sqlite:store")
    dice = random.Random(5)
    with Running(tmp_path, "--config", "n.toml", *spool) as running:
        assert running.answer() == b"OK\n"
        for number in range(200):
            if transactions:
                assert running.ask(b"BEGIN TRANSACTION") == b"OK\n"
            if dice.random() < 0.2:
                write(tmp_path, "omprog", "sqlite:store", dice.choice(("[0]", "[7, 0]", "[broken")))
                for _ in range(dice.randrange(1, 4)):
                    running.signal(signal.SIGHUP)
            answer = running.ask(line(f"line {number}", id=f"id-{number}"))
            assert answer in (b"OK\n", b"DEFER_COMMIT\n")
            if transactions and answer != b"OK\n":
                assert running.ask(b"COMMIT TRANSACTION") == b"OK\n"
        assert running.finish() == 0
    assert "200 lines: 200 stored" in (tmp_path / "first.log").read_text()
    assert "configuration read again" in (tmp_path / "first.log").read_text()


def test_a_waiting_program_takes_the_signal_at_once(tmp_path: Path) -> None:
    write(tmp_path, "omprog", "memory:")
    with Running(tmp_path, "--config", "n.toml") as running:
        assert running.answer() == b"OK\n"
        assert running.ask(line("x")) == b"OK\n"
        running.signal(signal.SIGHUP)  # nothing comes after it
        wait_for_text(tmp_path / "first.log", "configuration read again")
        assert running.finish() == 0


def test_the_spools_limit_changes(tmp_path: Path) -> None:
    write(tmp_path, "omprog", "http://127.0.0.1:9", more='spool_size = "4K"\n')
    with Running(tmp_path, "--config", "n.toml", "--spool", "spool") as running:
        running.answer()
        assert running.ask(line("x" * 5000, id="1")) == b"OK\n"
        running.send(line("x", id="2"))
        running.wait_dots(1)
        write(tmp_path, "omprog", "http://127.0.0.1:9", more='spool_size = "1M"\n')
        running.signal(signal.SIGHUP)
        assert running.answer().lstrip(b".") == b"OK\n"


@pytest.mark.parametrize("protocol", ["fluentd-json", "fluentd-msgpack"])
def test_fluentds_child_goes_on(tmp_path: Path, protocol: str) -> None:
    write(tmp_path, protocol, "-")
    record = {"fluentd-json": b'{"message":"%d"}\n', "fluentd-msgpack": b"\x81\xa7message\xa1%d"}[protocol]
    with Running(tmp_path, "--config", "n.toml") as running:
        wait_for_start(tmp_path)
        for number in range(5):
            running.send_raw(record % number)
            running.signal(signal.SIGHUP)
            wait_for_text(tmp_path / "first.log", "configuration read again", number + 1)
        running.close_input()
        found, end = b"", b"x"
        while end:
            end = running.answer()
            found += end
        assert running.status() == 0
    assert [f"{number}".encode() in found for number in range(5)] == [True] * 5


def test_a_storm_of_hangups_while_lines_come(tmp_path: Path) -> None:
    write(tmp_path, "ndjson", "-")
    with Running(tmp_path, "--config", "n.toml") as running:
        wait_for_start(tmp_path)
        over = threading.Event()

        def storm() -> None:
            while not over.is_set():
                running.signal(signal.SIGHUP)

        thread = threading.Thread(target=storm)
        thread.start()
        try:
            found = [json.loads(running.ask(line(f"line {number}")))["message"] for number in range(500)]
        finally:
            over.set()
            thread.join()
        assert found == [f"line {number}" for number in range(500)]
        assert running.finish() == 0


def test_many_reloads_need_no_more_memory_than_a_few(tmp_path: Path) -> None:
    write(tmp_path, "omprog", "memory:")
    with Running(tmp_path, "--config", "n.toml") as running:
        assert running.answer() == b"OK\n"
        assert running.ask(line("x")) == b"OK\n"

        def megabytes_after(count: int) -> float:
            running.signal(signal.SIGHUP)
            wait_for_text(tmp_path / "first.log", "configuration read again", count)
            status = Path(f"/proc/{running.process.pid}/status").read_text()
            return int(status.partition("VmRSS:")[2].split()[0]) / 1024

        used = [megabytes_after(count) for count in range(1, 251)]
        assert used[-1] < used[49] + 2  # a leak of what one reload makes would be 6


def test_mmexternals_child_goes_on(tmp_path: Path) -> None:
    write(tmp_path, "mmexternal", "-")
    message = json.dumps({"msg": "x", "rawmsg": "x", "$!": {}}).encode()
    with Running(tmp_path, "--config", "n.toml") as running:
        assert running.ask(message).startswith(b"{")
        for count in range(1, 4):
            running.signal(signal.SIGHUP)
            wait_for_text(tmp_path / "first.log", "configuration read again", count)
            assert running.ask(message).startswith(b"{")
        assert running.finish() == 0


def test_a_change_in_the_midst_of_lines_is_whole() -> None:
    """No line sees half of it: with the other profile's decoder goes the other profile's kind."""
    lossless = options.parse(["--protocol", "ndjson"], "")
    wanted = [lossless, options.parse(["--protocol", "ndjson", "--profile", "viaq"], "")]
    pipeline = build.build(lossless)
    reports: list[str] = []
    reporter = logs.Reporter()
    reload = Reload(lossless, lambda: wanted[len(reports) % 2], build.build, pipeline, _Silent(reporter, reports))
    over = threading.Event()

    def change() -> None:
        for _ in range(CHANGES):
            reload()
        over.set()

    changer = threading.Thread(target=change)
    changer.start()
    shapes = set[tuple[bool, bool]]()
    while not over.is_set():
        processed = pipeline.process(b'{"message":"a","level":"err","other":1}', NOW_NS)
        assert processed.dead is None
        document: Any = processed.documents[0]
        shapes.add(("other" in document, "ttyscribe" in document))
    changer.join()
    assert shapes == {(False, True), (True, False)}
    assert len(reports) == CHANGES


class _Silent(logs.Reporter):
    def __init__(self, around: logs.Reporter, said: list[str]) -> None:
        super().__init__(around.path)
        self._said = said

    def __call__(self, text: str) -> None:
        self._said.append(text)


def test_a_fault_of_ours_while_it_reads_changes_nothing() -> None:
    wanted = options.parse(["--protocol", "ndjson"], "")
    pipeline = build.build(wanted)
    before, said = pipeline.parts, list[str]()

    def fails(_: options.Options) -> Pipeline:
        raise ZeroDivisionError("by us")

    Reload(wanted, lambda: wanted, fails, pipeline, _Silent(logs.Reporter(), said))()
    assert pipeline.parts is before
    assert said == ["can't read the configuration again, the old one stays: ZeroDivisionError: by us"]


def test_what_the_command_line_and_the_new_file_say_has_to_go_together(tmp_path: Path) -> None:
    path = tmp_path / "n.toml"
    path.write_text('profile = "viaq"\n')
    arguments = ["--protocol", "ndjson", "--config", str(path), "--viaq-config", "x"]
    assert options.again(arguments).profile == "viaq"
    path.write_text('profile = "lossless"\n')
    with pytest.raises(ConfigError, match="--viaq-config is for --profile viaq"):
        options.again(arguments)
