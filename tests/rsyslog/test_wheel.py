# SPDX-License-Identifier: Apache-2.0
"""The library alone: its own wheel, in an environment that holds nothing else, runs the README's example."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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


def test_the_readmes_example_runs_under_a_pipe(python: Path, tmp_path: Path) -> None:
    """OMP-1, OMP-2, OMP-9."""
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example is not None
    target = tmp_path / "lines"
    program = tmp_path / "plugin.py"
    program.write_text(example[1].replace("/var/log/lines", str(target)))
    done = run(python, "-I", program, input=b"one\n\xff two\n", cwd=tmp_path)
    assert done.stdout == b"OK\n" * 3
    assert done.stderr == b""
    assert target.read_bytes() == b"one\n\xff two\n"


def test_the_example_file_does_as_the_readme(python: Path, tmp_path: Path) -> None:
    """OMP-2."""
    target = tmp_path / "lines"
    done = run(python, "-I", ROOT / "examples" / "append.py", target, input=b"one\n", cwd=tmp_path)
    assert (done.stdout, target.read_bytes()) == (b"OK\nOK\n", b"one\n")
