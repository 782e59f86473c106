# SPDX-License-Identifier: Apache-2.0
"""The one table of options: command line, configuration file, their order, their errors, and tlog's name."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import peers
from tests.player.logs import PLAYER, play, write_log
from tests.store.samples import make_recording, message
from tools.generators import conf
from ttyscribe_formats.errors import ConfigError
from ttyscribe_player import options
from ttyscribe_player.config import complete, merge_file, to_json
from ttyscribe_player.goto import Goto
from ttyscribe_player.names import PLAY, TLOG_PLAY, Name, play_name
from ttyscribe_player.options import parse
from ttyscribe_player.timeline import END

BY_FILE = {"reader", "file.path", "file.match", "es.baseurl", "es.query", "es.verbose", "persist", "lax"}
"""What tlog-play takes from a file."""


def at(path: Path, name: Name = PLAY) -> Name:
    """The name with its configuration file here."""
    return name._replace(configuration=str(path))


def test_each_source_wins_over_the_one_before(tmp_path: Path) -> None:
    name = at(tmp_path / "conf")
    assert complete(parse(["log"]), name).reader == "file"
    (tmp_path / "conf").write_text('{"reader": "journal", "lax": true, "es": {"query": "x", "verbose": null}} // end')
    found = complete(parse(["--reader=es", "--lax=no", "log"]), name)
    assert (found.reader, found.lax, found.es_query, found.es_verbose) == ("es", False, "x", False)
    assert (found.recording, found.speed, found.goto) == ("log", 1.0, None)
    assert complete(parse([]), name).reader == "journal"


def test_the_keys_of_a_file() -> None:
    """Under tlog's name they are tlog's."""
    assert {option.key for option in options.keys(TLOG_PLAY)} == BY_FILE
    assert {option.key for option in options.keys(PLAY)} > BY_FILE
    assert "goto" not in {option.key for option in options.keys(PLAY)}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{\n  "reader": "paper"}', ":2: reader: 'paper' is none of file, journal, es"),
        ('{"file":\n{"path": 7}}', ":2: file.path: needs a text, not 7"),
        ('{\n\n"goto": "end"}', ":3: unknown key 'goto'"),
        ('{"es": {"verbose":\n"yes"}}', ":1: es.verbose: needs true or false, not 'yes'"),
        ('{"speed": "2"}', ":1: speed: needs a number, not '2'"),
        ('{"speed": -1}', ":1: speed: '-1' is no number from 0 to 1e+06"),
        ('{"es": true}', ":1: es: needs to be an object"),
        ("[]", ":1: needs to be an object"),
        ('{"reader": "file"', ":1: a comma or } is missing here"),
        ("", ":1: ends too early"),
    ],
)
def test_errors_name_file_line_and_key(tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "conf").write_text(text)
    with pytest.raises(ConfigError) as caught:
        complete(parse([]), at(tmp_path / "conf"))
    assert str(caught.value).startswith(f"{tmp_path}/conf{error}")


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_bytes(b" " * ((1 << 20) + 1))
    for name in ("conf", "fifo", "large"):  # a FIFO hangs nobody
        with pytest.raises(ConfigError):
            complete(parse([]), at(tmp_path / name))


def test_what_configuration_prints_can_be_read_again(tmp_path: Path) -> None:
    given = ["--speed=2.5", "--es-query", 'a"b\\', "-r", "es", "--persist=yes", "the log"]
    text = to_json(complete(parse(given), at(tmp_path / "none")), PLAY)
    printed = json.loads(text)
    assert printed.pop("args") == ["the log"]
    (tmp_path / "conf").write_text(json.dumps(printed))
    found = complete(parse([]), at(tmp_path / "conf"))
    assert (found.speed, found.es_query, found.reader, found.persist) == (2.5, 'a"b\\', "es", True)


def test_the_default_file_changes_nothing(tmp_path: Path) -> None:
    """Neither as it is, nor with every key uncommented; every key stands in it."""
    text = conf.files(Path())["player/conf/ttyscribe-play.conf"]
    uncommented = re.sub(r'// (?="[a-z_]+": )', "", text)
    for content in (text, uncommented):
        (tmp_path / "conf").write_text(content)
        assert vars(complete(parse([]), at(tmp_path / "conf"))) | {"store": ""} == vars(
            complete(parse([]), at(tmp_path / "none"))
        ) | {"store": ""}
    values: dict[str, object] = {}
    merge_file(values, at(tmp_path / "conf"))
    assert set(values) == {option.key for option in options.keys(PLAY)}
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("start", Goto(0)), ("End", Goto(END)), ("5", Goto(5 * 10**9)), ("1:30", Goto(90 * 10**9)),
        ("1:00:00", Goto(3600 * 10**9)), (".5", Goto(5 * 10**8)), (":30", Goto(30 * 10**9)), ("2:", Goto(120 * 10**9)),
        ("1::", Goto(3600 * 10**9)), ("0.123456789", Goto(123456789)), ("50%", Goto(0, 0.5)), ("12.5%", Goto(0, 0.125)),
    ],
)  # fmt: skip
def test_where_to_begin(text: str, wanted: Goto) -> None:
    """Any part may be left out, as tlog-play has it."""
    assert parse(["-g", text]).goto == wanted


@pytest.mark.parametrize(
    "arguments",
    [
        ["-g", "never"], ["-g", ""], ["-g", "1:2:3:4"], ["-g", "1.1234567890"], ["-g", "101%"], ["-g", "%"],
        ["-g", "\u0663"], ["-s", "-1"], ["-s", "nan"], ["-s", "inf"], ["-s", "1e7"], ["--speed="], ["-r", "paper"],
        ["--lax=perhaps"], ["--list=yes"], ["--sender", "-1"], ["--unknown"], ["a", "b"], ["-S", "1.5"],
        ["--idle-limit", "x"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [PLAY, TLOG_PLAY])
def test_wrong_options_are_one_line(arguments: list[str], name: Name, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments, name)
    assert caught.value.code == name.usage_status
    said = capsys.readouterr().err
    assert said.startswith(f"{name.program}: ")
    assert len(said.splitlines()) == 1


def test_switches_take_a_word_as_tlog_has_it() -> None:
    for word, value in (("yes", True), ("ON", True), ("true", True), ("no", False), ("off", False), ("False", False)):
        assert parse([f"--follow={word}"]).follow is value
    assert parse(["--follow", "--follow=no", "log"]).follow is False
    assert parse(["--lax", "yes"]).recording == "yes"  # a word behind a switch is the file
    assert parse(["--", "--lax=no"]).recording == "--lax=no"


def test_a_speed_of_nothing_waits(tmp_path: Path) -> None:
    """Time stands still for tlog-play then, and only keys go on; into a pipe time is nothing anyway."""
    log = write_log(tmp_path / "log", make_recording("rec", [b"one", b"two"]))
    assert play("--speed=0", log).stdout == b"onetwo"


def test_names() -> None:
    assert play_name("/usr/bin/tlog-play") is TLOG_PLAY
    assert play_name("tlog-play") is TLOG_PLAY
    for path in ("/usr/bin/ttyscribe-play", "", "/tlog-play/x", "play.py"):
        assert play_name(path) is PLAY
    assert (TLOG_PLAY.configuration, TLOG_PLAY.usage_status) == ("/etc/tlog/tlog-play.conf", 1)


INSIDE = """
    set -e
    mount --bind "$FOLDER/etc" /etc
    mkdir -p /etc/ttyscribe /etc/tlog
    echo '{"file": {"path": "ours.log"}, "lax": 7}' > /etc/ttyscribe/ttyscribe-play.conf
    echo '{"file": {"path": "theirs.log"}, "store": "x"}' > /etc/tlog/tlog-play.conf
    cd "$FOLDER"
    "$@" > broken 2>&1 && exit 9 || echo $? >> broken
    ./tlog-play > strange 2>&1 && exit 9 || echo $? >> strange
    echo '{"file": {"path": "ours.log"}}' > /etc/ttyscribe/ttyscribe-play.conf
    echo '{"file": {"path": "theirs.log"}}' > /etc/tlog/tlog-play.conf
    "$@" > ours
    ./tlog-play > theirs
    ./tlog-play -i ours.log > given
"""


@pytest.mark.root
def test_the_files_in_etc_by_the_programs_name(tmp_path: Path) -> None:
    peers.require_root()
    (tmp_path / "etc").mkdir()
    for name in ("ours", "theirs"):
        write_log(tmp_path / f"{name}.log", [message(1, name)])
    link = tmp_path / "tlog-play"
    link.write_text(f"#!{sys.executable}\nimport sys\nfrom ttyscribe_player.play import main\nsys.exit(main())\n")
    link.chmod(0o755)
    command = ["unshare", "-m", "sh", "-c", INSIDE, "sh", *PLAYER]
    subprocess.run(command, env={**os.environ, "FOLDER": str(tmp_path)}, check=True, timeout=60)
    wanted = {"ours": "ours", "theirs": "theirs", "given": "ours"}
    assert {name: (tmp_path / name).read_text() for name in wanted} == wanted
    assert (tmp_path / "broken").read_text() == (
        "ttyscribe-play: /etc/ttyscribe/ttyscribe-play.conf:1: lax: needs true or false, not 7\n2\n"
    )
    assert (tmp_path / "strange").read_text() == "tlog-play: /etc/tlog/tlog-play.conf:1: unknown key 'store'\n1\n"
