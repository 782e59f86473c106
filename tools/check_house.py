# SPDX-License-Identifier: Apache-2.0
"""Checks of the house that no linter knows: licence lines, sizes of files and functions."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70
SPDX = "SPDX-License-Identifier: Apache-2.0"
SOURCE_SUFFIXES = {".py", ".c", ".sh", ".toml", ".conf"}
UNMARKED = {"pyproject.toml", "fields"}


def tracked_files(root: Path) -> list[Path]:
    """Files that git tracks, as paths below the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    return [Path(name) for name in listed.stdout.decode().split("\0") if name and (root / name).is_file()]


def long_functions(path: Path, text: str) -> Iterator[str]:
    """Functions over the limit, one complaint each."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {lines} lines (limit {MAX_FUNCTION_LINES})"


def complaints(root: Path, path: Path) -> Iterator[str]:
    """Everything that is wrong with one file."""
    if path.suffix not in SOURCE_SUFFIXES or "data" in path.parts:
        return
    text = (root / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    if path.parts[0] not in UNMARKED and not any(SPDX in line for line in lines[:2]):
        yield f"{path}:1: no line `{SPDX}`"
    if len(lines) > MAX_FILE_LINES:
        yield f"{path}: {len(lines)} lines (limit {MAX_FILE_LINES})"
    if path.suffix == ".py":
        yield from long_functions(path, text)


def main() -> int:
    """Print each complaint; 1 if there is any."""
    root = Path(__file__).resolve().parent.parent
    found = [line for path in tracked_files(root) for line in complaints(root, path)]
    print("\n".join(found) or "house: in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
