# SPDX-License-Identifier: Apache-2.0
"""The configuration file: a key for each option, the command line wins, errors say where and what to do."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.normalizers.process import run
from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers import options
from ttyscribe_normalizers.table import KEYS, OPTIONS, Option

WANTED = """\
# what a central host runs
protocol = "omprog"
output = "sqlite:/var/lib/x"
trusted_uid = [0, 994]
spool = "/var/spool/x"
spool_size = "64M"
spool_sync = true
stats = 60
max_message = 4096
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "normalize.toml"


def parsed(path: Path, text: str, *more: str) -> options.Options:
    path.write_text(text)
    return options.parse(["--config", str(path), *more], "")


def test_the_file_says_what_the_command_line_would(path: Path) -> None:
    found = parsed(path, WANTED)
    said = "--protocol omprog --output sqlite:/var/lib/x --trusted-uid 0 --trusted-uid 994 --spool /var/spool/x"
    said += " --spool-size 64M --spool-sync --stats 60 --max-message 4096"
    assert found._replace(config="") == options.parse(said.split(), "")


def test_the_command_line_wins(path: Path) -> None:
    found = parsed(path, WANTED, "--trusted-uid", "7", "--spool-size", "1M")
    assert (found.trusted_uid, found.spool_size, found.stats) == ((7,), 1 << 20, 60.0)


SAMPLES = {"viaq_config": 'profile = "viaq"\n', "spool": 'protocol = "omprog"\noutput = "sqlite:x"\n'}


@pytest.mark.parametrize("option", KEYS.values(), ids=KEYS)
def test_every_option_is_a_key(path: Path, option: Option) -> None:
    values = {"--stats": "5", "--spool-size": '"1K"', "--max-message": '"1K"', "--trusted-uid": "[5]"}
    value = "true" if option.is_switch else f'"{option.choices[-2]}"' if option.choices else '"x"'
    head = SAMPLES.get(option.key, "") if option.key != "protocol" else ""
    if "protocol" not in head and option.key != "protocol":
        head += 'protocol = "ndjson"\n'
    if option.key == "profile":
        value = '"viaq"'
    found = parsed(path, f"{head}{option.key} = {values.get(option.flag, value)}\n")
    assert getattr(found, option.key) != option.default


SHIPPED = Path(__file__).resolve().parents[2] / "normalizers/conf/ttyscribe-normalize.toml"


def test_the_shipped_file_holds_each_key_with_its_default(path: Path) -> None:
    text = "\n".join(
        row.removeprefix("# ") for row in SHIPPED.read_text().splitlines() if re.match(r"# [a-z_]+ = ", row)
    )
    found = parsed(path, text)
    assert found._replace(config="") == options.parse(["--protocol", "ndjson"], "")
    assert list(tomllib.loads(text)) == list(KEYS)
    assert parsed(path, SHIPPED.read_text(), "--protocol", "ndjson")._replace(config="") == found._replace(config="")


def test_what_is_done_beside_the_hot_run_is_no_key() -> None:
    assert {option.key for option in OPTIONS} - KEYS.keys() >= {"replay", "list_kinds", "check_config", "config"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('protocol = "omprog"\noutputs = "x"\n', ":2: outputs: unknown: is it output?"),
        ("trusted-uid = 0\n", ":1: trusted-uid: unknown: write trusted_uid"),
        ("list_kinds = true\n", ":1: list_kinds: not for the file: give it on the command line"),
        ("xyzzy = 1\n", ":1: xyzzy: unknown (wanted: protocol, "),
        ('\n\nprotocol = "smtp"\n', ":3: protocol: 'smtp' is unknown (wanted: omprog, "),
        ("spool_sync = 1\n", ":1: spool_sync: 1 is neither true nor false"),
        ("output = true\n", ":1: output: True is no text"),
        ("output = [1]\n", ":1: output: [1] is no text"),
        ('trusted_uid = [0, "root"]\n', ":1: trusted_uid: 'root' is no user id"),
        ("trusted_uid = [[0]]\n", ":1: trusted_uid: [0] is no list of texts or numbers"),
        ("stats = -5\n", ":1: stats: '-5': say 0.1 to 86400 seconds"),
        ('spool_size = "12 apples"\n', ":1: spool_size: '12 apples' is no size"),
        ('max_message = "1G"\n', ":1: max_message: '1G' is more than a line may have: say at most 2M"),
        ("a = \n", ": no TOML: "),
        ('[output]\nurl = "x"\n', ":1: output: "),
        ('protocol = "ndjson"\nspool = "x"\n', ":2: spool: --spool is for --protocol omprog"),
        ('viaq_config = "x"\nprotocol = "ndjson"\n', ":1: viaq_config: --viaq-config is for --profile viaq"),
        ('protocol = "fluentd-json"\noutput = "memory:"\n', ":2: output: --protocol fluentd-json writes to Fluentd"),
    ],
)
def test_an_error_says_where_it_is_and_what_to_do(path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed(path, text)
    assert f"{path}{problem}" in str(raised.value)


def test_a_file_that_cant_be_read(path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        options.parse(["--config", str(path)], "")
    path.write_bytes(b'output = "\xff"\n')
    with pytest.raises(ConfigError, match="it is not UTF-8"):
        options.parse(["--config", str(path)], "")


def test_random_text_is_an_error_and_never_a_crash(path: Path) -> None:
    for text in ("[" * 500, "=" * 99, "a.b.c = 1", "[[protocol]]", '"" = 1', "\x00", "output = " + "[" * 3000):
        with pytest.raises(ConfigError):
            parsed(path, text)


def test_a_replay_takes_the_file_of_the_program_that_wrote_the_dead_letter(path: Path) -> None:
    found = parsed(path, WANTED, "--replay", "dead-letter.ndjson")
    assert (found.protocol, found.spool, found.output) == ("replay", None, "sqlite:/var/lib/x")


def test_the_program_checks_its_file(path: Path, tmp_path: Path) -> None:
    path.write_text('protocol = "ndjson"\noutput = "sqlite:store"\n')
    done = run(tmp_path, b"", "--config", str(path), "--check-config")
    assert b"in order: ndjson to sqlite:store" in done.stdout
    path.write_text('protocol = "ndjson"\noutput = "sqlite:store"\nstat = 1\n')
    done = run(tmp_path, b"", "--config", str(path), "--check-config", status=2)
    assert done.stderr.decode() == f"ttyscribe-normalize: {path}:3: stat: unknown: is it stats?\n"
    assert done.stdout == b""


def test_under_omprog_a_wrong_file_is_told_and_rsyslog_survives_it(path: Path, tmp_path: Path) -> None:
    path.write_text('protocol = "omprog"\noutputs = "sqlite:store"\n')
    done = run(tmp_path, b"", "--config", str(path), status=2)
    assert (done.stdout, b"is it output?" in done.stderr) == (b"OK\n", True)
    path.write_text('protocol = "fluentd-json"\noutputs = "sqlite:store"\n')
    assert run(tmp_path, b"", f"--config={path}", status=2).stdout == b""
