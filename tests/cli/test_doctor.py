# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe doctor` as a command, on hosts that are folders and on this one."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import complaint, ok, printable, run
from tests.peers import require_program

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder that is a host on which all is well."""
    for folder in ("etc/ttyscribe", "etc/systemd/journald.conf.d", "etc/fluent", "usr/bin", "var/log/journal"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "rsyslog/conf/ttyscribe.conf", tmp_path / "etc/ttyscribe/rsyslog.conf")
    shutil.copy(ROOT / "fluentd/conf/ttyscribe-chunks.conf", tmp_path / "etc/fluent/fluentd.conf")
    (tmp_path / "etc/systemd/journald.conf").write_text("[Journal]\n")
    (tmp_path / "etc/systemd/journald.conf.d/ttyscribe.conf").write_text("[Journal]\nRateLimitIntervalSec=0\n")
    program(tmp_path / "usr/bin/python3", "\x7fELF")
    program(tmp_path / "usr/bin/ttyscribe-normalize", "#!/usr/bin/python3 -I\n")
    (tmp_path / "var/lib").mkdir()
    (tmp_path / "var/lib/ttyscribe").mkdir(mode=0o750)
    return tmp_path


def program(path: Path, text: str) -> None:
    """An executable file."""
    path.write_text(text)
    path.chmod(0o755)


def found(host: Path, *arguments: str, status: int = 1) -> list[dict[str, Any]]:
    """What is told of a host."""
    done = run("doctor", "--root", str(host), "--json", *arguments)
    assert (done.returncode, done.stderr) == (status, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_host_on_which_all_is_well(host: Path) -> None:
    said = ok("doctor", "--root", str(host))
    assert said.splitlines() == [
        "no problems, no notes in 4 files:",
        "  /etc/ttyscribe/rsyslog.conf",
        "  /etc/fluent/fluentd.conf",
        "  /etc/systemd/journald.conf",
        "  /etc/systemd/journald.conf.d/ttyscribe.conf",
    ]


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (lambda programs: (programs / "ttyscribe-normalize").unlink(), "/usr/bin/ttyscribe-normalize does not exist"),
        (lambda programs: (programs / "ttyscribe-normalize").chmod(0o644), "is not executable (mode 0644)"),
        (lambda programs: (programs / "python3").unlink(), "interpreter of /usr/bin/ttyscribe-normalize is missing"),
        (lambda programs: program(programs / "ttyscribe-normalize", "#!\n"), "names no interpreter"),
    ],
)
def test_a_program_that_can_not_start_is_named_for_both(host: Path, spoil: Any, detail: str) -> None:
    spoil(host / "usr/bin")
    told = found(host)
    assert [one["rule"] for one in told] == ["rsyslog-18", "fluentd-12"]
    assert all(detail in one["detail"] for one in told)
    assert told[0]["file"] == "/etc/ttyscribe/rsyslog.conf"
    assert told[0]["line"] > 0


def test_a_path_that_is_looked_for_is_no_path(host: Path) -> None:
    conf = host / "etc/ttyscribe/rsyslog.conf"
    conf.write_text(conf.read_text().replace("/usr/bin/ttyscribe-normalize", "ttyscribe-normalize"))
    assert "no absolute path" in found(host)[0]["detail"]


def test_a_store_that_everybody_can_read_is_told(host: Path) -> None:
    (host / "var/lib/ttyscribe").chmod(0o755)
    told = found(host)
    assert [(one["rule"], one["detail"]) for one in told] == [
        ("rsyslog-22", "/var/lib/ttyscribe is open to everybody (mode 0755)")
    ]


def test_a_key_that_others_can_read_is_told(host: Path) -> None:
    shutil.copy(ROOT / "rsyslog/conf/host.conf", host / "etc/ttyscribe/rsyslog.conf")
    key = host / "etc/ttyscribe/tls/key.pem"
    key.parent.mkdir()
    key.touch(0o600)
    assert found(host, status=0) == []
    key.chmod(0o644)
    assert [(one["rule"], one["detail"]) for one in found(host)] == [
        ("rsyslog-25", "/etc/ttyscribe/tls/key.pem, mode 0644")
    ]


def test_a_store_that_its_user_can_not_write_is_told(host: Path) -> None:
    conf = host / "etc/ttyscribe/rsyslog.conf"
    conf.write_text(conf.read_text() + "$PrivDropToUser nobody\n")
    assert "can't be written by nobody" in found(host)[0]["detail"]


def test_a_file_that_can_not_be_read_as_a_configuration_is_told(host: Path) -> None:
    (host / "etc/ttyscribe/rsyslog.conf").write_text("\naction(type=")
    (host / "etc/fluent/fluentd.conf").write_text("<match>\n")
    assert [(one["rule"], one["line"]) for one in found(host)] == [("rsyslog-1", 2), ("fluentd-13", 1)]


def test_what_is_included_is_looked_at_with_its_own_name(host: Path) -> None:
    (host / "etc/rsyslog.d").mkdir()
    (host / "etc/rsyslog.d/one.conf").write_text('\n\naction(type="omfwd" target="x")\n')
    (host / "etc/rsyslog.conf").write_text('global(maxMessageSize="1m")\n$IncludeConfig /etc/rsyslog.d/*.conf\n')
    told = found(host, "--rsyslog", "/etc/rsyslog.conf")
    assert {(one["file"], one["line"]) for one in told} == {("/etc/rsyslog.d/one.conf", 3)}


def test_text_tells_where_why_and_how(host: Path) -> None:
    (host / "var/lib/ttyscribe").chmod(0o755)
    (host / "etc/fluent/fluentd.conf").write_text("<match \x1b[31m>\n  @type exec_filter\n")
    done = run("doctor", "--root", str(host))
    assert done.returncode == 1
    assert printable(done.stdout)
    assert "problem: what the program keeps can be read by everybody" in done.stdout
    assert "/etc/ttyscribe/rsyslog.conf:" in done.stdout
    assert "Mend it: chown" in done.stdout
    assert "2 problems, no notes in 4 files:" in done.stdout


def test_nothing_to_look_at(tmp_path: Path) -> None:
    said = complaint(run("doctor", "--root", str(tmp_path)), 2)
    assert "no configuration of rsyslog, journald or Fluentd is here" in said
    assert "can't be read" in complaint(run("doctor", "--rsyslog", str(tmp_path / "none")), 2)


@pytest.mark.rsyslogd
def test_what_rsyslogd_itself_refuses_is_told(tmp_path: Path) -> None:
    require_program("rsyslogd")
    conf = tmp_path / "rsyslog.conf"
    conf.write_text('global(maxMessageSize="256k")\nmodule(load="imnothing")\n')
    done = run("doctor", "--json", "--rsyslog", str(conf))
    told = [json.loads(line) for line in done.stdout.splitlines()]
    refused = [one for one in told if one["rule"] == "rsyslog-1"]
    assert done.returncode == 1
    assert len(refused) == 1
    assert "imnothing" in refused[0]["detail"]
