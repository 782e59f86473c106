# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.fuzz.guided TARGET [libFuzzer's options]`: one target under the coverage-guided fuzzer (atheris).

A process for each target: libFuzzer ends the one that it runs in.
"""

import importlib
import importlib.util
import sys
from random import Random

from tests.fuzz.mutate import mutate

_PARTS = ("formats", "recorder", "player", "screen", "normalizers", "store")
PACKAGES = [f"ttyscribe_{part}" for part in _PARTS]
_OWN = 0.7
"""How many inputs are changed by our own rules, and not byte by byte."""


def available() -> bool:
    """Whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough, or something is found."""
    atheris = importlib.import_module("atheris")

    def changed(data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        made: bytes = mutate(data, random) if random.random() < _OWN else atheris.Mutate(data, len(data))
        return made[:most]

    with atheris.instrument_imports(include=PACKAGES):
        targets = importlib.import_module("tests.fuzz.targets")
    target = targets.BY_NAME[sys.argv[1]]
    atheris.Setup([sys.argv[0], f"-max_len={target.most}", *sys.argv[2:]], target.check, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
