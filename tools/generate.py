# SPDX-License-Identifier: Apache-2.0
"""Writes every generated file from its source; `--check` only says which ones differ and exits 1."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.generators import GENERATORS, Generator  # noqa: E402 - found by the line above


def differences(generator: Generator, root: Path) -> dict[Path, str | None]:
    """Files of one generator that are not as it would write them; None = no longer generated."""
    wanted: dict[Path, str | None] = {root / name: text for name, text in generator.files(root).items()}
    there = {path for pattern in generator.owns for path in root.glob(pattern)}
    stray = sorted(str(path.relative_to(root)) for path in wanted if not any(path.match(p) for p in generator.owns))
    if stray:
        raise AssertionError(f"{generator.name} writes what it does not own: {', '.join(stray)}")
    changed = {path: text for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text}
    return changed | dict.fromkeys(sorted(there - set(wanted)), None)


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write or check; 1 where a check finds differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something differs")
    parser.add_argument("--only", choices=[generator.name for generator in GENERATORS], help="one generator")
    wanted = parser.parse_args(arguments)
    count = 0
    for generator in GENERATORS:
        if wanted.only not in (None, generator.name):
            continue
        for path, text in differences(generator, root).items():
            count += 1
            print(f"{'differs' if wanted.check else 'removed' if text is None else 'wrote'}: {path.relative_to(root)}")
            if not wanted.check:
                _write(path, text)
    if count and wanted.check:
        print(f"{count} generated files differ from their source: run python tools/generate.py and read the diff")
    return int(bool(count) and wanted.check)


if __name__ == "__main__":
    sys.exit(main())
