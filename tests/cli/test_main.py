# SPDX-License-Identifier: Apache-2.0
"""The command as such: help, usage, errors, and what it imports."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, complaint, fill, ok, run
from ttyscribe import __version__
from ttyscribe.main import VERBS, parser


def test_version() -> None:
    assert ok("--version") == f"ttyscribe {__version__}\n"


def test_help_names_every_verb_and_has_examples() -> None:
    text = ok("--help")
    assert all(verb in text for verb in VERBS)
    assert "examples:" in text


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(verb: str) -> None:
    text = ok(verb, "--help")
    assert f"usage: ttyscribe {verb}" in text
    assert "examples:\n  ttyscribe" in text


def test_the_whole_parser_knows_all_options() -> None:
    """Man pages are made of it."""
    text = parser(whole=True).format_help()
    assert all(verb in text for verb in VERBS)
    assert parser().parse_args(["search", "x", "--limit", "3"]).limit == 3
    assert parser().parse_args(["setup", "--kibana", "u"]).kibana == "u"


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["recordings", "--nonsense"], ["search"], ["show"], ["show", "a", "b"]]
)
def test_wrong_usage_is_status_2_and_no_traceback(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("ttyscribe")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["recordings"], ["search", "x"], ["show", "x"], ["setup"]])
def test_without_a_store_it_says_how_to_name_one(arguments: list[str]) -> None:
    assert "--store URL or set TTYSCRIBE_STORE" in complaint(run(*arguments), 2)


@pytest.mark.parametrize("arguments", [["recordings"], ["search", "x"], ["show", "x"], ["setup"]])
def test_a_store_that_is_down_is_one_line_and_status_1(arguments: list[str]) -> None:
    complaint(run(*arguments, "--store", "http://127.0.0.1:9"), 1)


@pytest.mark.parametrize("url", ["nonsense", "sqlite:", "ftp://x", "http://user:secret@host:9200"])
def test_a_wrong_store_is_one_line_and_status_2(url: str) -> None:
    line = complaint(run("recordings", "--store", url), 2)
    assert "secret" not in line


def test_a_store_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "2026.11.sqlite").write_bytes(b"no database at all" * 100)
    (tmp_path / "2026.11.db").write_bytes(b"no database at all" * 100)
    done = run("recordings", "--store", f"sqlite:{tmp_path}")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_is_not_there_holds_no_recordings_or_is_told(tmp_path: Path) -> None:
    done = run("recordings", "--store", f"sqlite:{tmp_path / 'nothing'}")
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "nothing").exists()


def test_a_verb_imports_no_other_component() -> None:
    """The screen is there because on SQLite what is derived is brought up to date first."""
    code = "import sys; from ttyscribe.main import main; main(['recordings', '--store', 'sqlite:/nowhere']); "
    code += "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "ttyscribe_store" in loaded
    ours = {name for name in loaded if name.startswith(("ttyscribe_", "pyrsyslog"))}
    assert ours == {"ttyscribe_store", "ttyscribe_formats", "ttyscribe_screen"}
    assert "pyavt" not in loaded
    assert "rich" not in loaded


def test_a_reader_that_has_seen_enough_ends_it_without_a_word(tmp_path: Path) -> None:
    url = fill(tmp_path)
    script = '"$@" | true; echo ${PIPESTATUS[0]}'
    command = ["bash", "-c", script, "bash", *COMMAND, "recordings", "--store", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout in ("0\n", "141\n")


def test_closed_descriptors_do_no_harm(tmp_path: Path) -> None:
    url = fill(tmp_path)
    for script, status, stdout in (
        ('"$@" --store=nonsense 2>&-', 2, ""),
        ('"$@" --store=nonsense <&- 2>&-', 2, ""),
        (f'"$@" --store={url} >&-', 0, ""),
        (f'"$@" --store={url} <&- >&- 2>&-', 0, ""),
    ):
        command = ["bash", "-c", script, "bash", *COMMAND, "recordings"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (status, stdout)
        assert "Traceback" not in done.stderr


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    url = fill(tmp_path)
    with open("/dev/full", "w") as full:
        done = run("recordings", "--store", url, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert "No space left on device" in complaint(done, 1)


def test_a_locale_without_unicode_is_no_hindrance(tmp_path: Path) -> None:
    url = fill(tmp_path)
    done = run("search", "bye", "--store", url, env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert done.returncode == 0
    assert ">>bye<<" in done.stdout
