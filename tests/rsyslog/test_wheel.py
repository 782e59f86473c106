# SPDX-License-Identifier: Apache-2.0
"""The library alone: its own wheel, in an environment that holds nothing else, runs the README's examples."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.rsyslog.daemon import Rsyslogd, wait_until
from tests.rsyslog.filtering import Filtering

ROOT = Path(__file__).resolve().parents[2] / "rsyslog"
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_"))}


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command without network settings of the outside; it must succeed."""
    done = subprocess.run([*map(str, command)], capture_output=True, env=ENVIRONMENT, timeout=100, **options)  # type: ignore[call-overload]  # options are input and cwd
    assert done.returncode == 0, done.stdout + done.stderr
    result: subprocess.CompletedProcess[bytes] = done
    return result


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library's wheel, built by the running environment's hatchling."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    name = run(sys.executable, "-c", build, folder, cwd=ROOT).stdout.decode().split()[-1]
    return folder / name


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("venv") / "v"
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    run(python, "-I", "-m", "pip", "install", "--no-deps", "--no-index", "--disable-pip-version-check", wheel)
    return python


def test_the_wheel_holds_the_library_its_types_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    expected = {f"pyrsyslog_omprog/{path.name}" for path in (ROOT / "pyrsyslog_omprog").glob("*.py*")}
    assert {name for name in names if ".dist-info/" not in name} == expected | {"pyrsyslog_omprog/py.typed"}
    assert "Name: pyrsyslog-omprog" in metadata
    assert "Requires-Dist" not in metadata


def example(number: int, folder: Path, log: Path) -> Path:
    """One of the README's examples as a program that writes to `log`."""
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(examples) == 2
    program = folder / "plugin.py"
    program.write_text(re.sub(r"/var/log/[a-z.]+", str(log), examples[number]))
    assert str(log) in program.read_text()
    return program


def test_the_readmes_omprog_example_runs_under_a_pipe(python: Path, tmp_path: Path) -> None:
    """OMP-1, OMP-2, OMP-9."""
    target = tmp_path / "lines"
    done = run(python, "-I", example(0, tmp_path, target), input=b"one\n\xff two\n", cwd=tmp_path)
    assert done.stdout == b"OK\n" * 3
    assert done.stderr == b""
    assert target.read_bytes() == b"one\n\xff two\n"


@pytest.mark.rsyslogd
def test_the_readmes_omprog_example_runs_under_rsyslogd(python: Path, tmp_path: Path) -> None:
    """OMP-2."""
    target = tmp_path / "lines"
    with Rsyslogd([str(python), "-I", str(example(0, tmp_path, target))]) as daemon:
        daemon.send([b"<86>Nov 24 12:00:00 test: one", b"<86>Nov 24 12:00:00 test: two"])
        wait_until(lambda: target.exists() and target.read_bytes().count(b"\n") == 2, 60, "both lines")
    assert [json.loads(line)["msg"] for line in target.read_bytes().splitlines()] == [" one", " two"]


@pytest.mark.rsyslogd
def test_the_readmes_mmexternal_example_runs_under_rsyslogd(python: Path, tmp_path: Path) -> None:
    """MME-2."""
    log = tmp_path / "log"
    with Filtering([str(python), "-I", str(example(1, tmp_path, log))], "%$!shout%") as daemon:
        daemon.send([b"<86>Nov 24 12:00:00 test: one", b"<86>Nov 24 12:00:00 test: two"])
        assert daemon.wait_results(2) == [b" ONE", b" TWO"]
    assert log.read_bytes() == b""


def test_the_example_files_do_as_the_readme(python: Path, tmp_path: Path) -> None:
    """OMP-2, MME-2."""
    target = tmp_path / "lines"
    done = run(python, "-I", ROOT / "examples" / "append.py", target, input=b"one\n", cwd=tmp_path)
    assert (done.stdout, target.read_bytes()) == (b"OK\nOK\n", b"one\n")
    done = run(python, "-I", ROOT / "examples" / "shout.py", input=b'{"msg":"one"}\n', cwd=tmp_path)
    assert done.stdout == b'{"$!":{"shout":"ONE"}}\n'
