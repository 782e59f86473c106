# SPDX-License-Identifier: Apache-2.0
"""Proves the promise to a recorded host: the bare package records and plays, with nothing third-party installed.

Runs inside an environment that holds the wheel alone.
"""

import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

EXTRAS = ("orjson", "elastic_transport", "rich", "msgpack", "avt")


def record_and_play(folder: Path) -> bytes:
    """Record one command to a file and answer what playing it writes."""
    bin_folder = Path(sys.executable).parent
    log = folder / "session.log"
    command = [str(bin_folder / "ttyscribe-rec"), "-o", str(log), "--", "printf", "bare host \\377\\n"]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    played = subprocess.run(
        [bin_folder / "ttyscribe-play", log], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    return played.stdout


def main() -> int:
    """0 if the promise holds."""
    present = [name for name in EXTRAS if importlib.util.find_spec(name)]
    if present:
        print(f"this environment is not bare: {', '.join(present)}")
        return 1
    required = [line for line in importlib.metadata.requires("ttyscribe") or () if "extra ==" not in line]
    if required:
        print(f"the bare package requires {required}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        played = record_and_play(Path(folder))
    if played != b"bare host \xff\n":
        print(f"played {played!r}")
        return 1
    print("bare host: records and plays on the standard library alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
