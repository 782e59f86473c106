# SPDX-License-Identifier: Apache-2.0
"""Builds the launcher, or checks one that was built elsewhere."""

import shlex
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from ttyscribe.host.layout import Plan
from ttyscribe_formats.errors import ConfigError

_COMPILERS = ("cc", "gcc", "clang")
_FLAGS = ("-O2", "-static", "-s", "-Wall")
_INTERPRETER = 3  # PT_INTERP: the program asks for the dynamic loader


def command(plan: Plan, compiler: str, source: str, output: str) -> list[str]:
    """What builds the launcher of a plan."""
    macros = {"PYTHON": plan.settings.python, "LIBRARY": plan.tree}
    defines = [f'-D{name}="{value}"' for name, value in macros.items()]
    return [compiler, *_FLAGS, *defines, "-o", output, source]


def how_to(plan: Plan) -> str:
    """The way without a compiler on this host, in words."""
    line = shlex.join(command(plan, "cc", "launcher.c", "ttyscribe-launcher"))
    return f"build it where there is one, out of recorder/launcher.c, by `{line}` and come back with --launcher FILE"


def build(plan: Plan, source: bytes) -> bytes:
    """Compile it. Raises ConfigError that says what to do where that can't be."""
    compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
    if compiler is None:
        raise ConfigError(f"there is no C compiler for the launcher here (Debian: apt-get install gcc libc6-dev); or "
                          f"{how_to(plan)}")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="ttyscribe-") as folder:
        code, program = Path(folder, "launcher.c"), Path(folder, "launcher")
        code.write_bytes(source)
        words = command(plan, compiler, str(code), str(program))
        done = subprocess.run(words, check=False, capture_output=True, text=True, errors="replace")
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ConfigError(f"{compiler} can't build the launcher: {said}. It needs the static C library (Debian: "
                              f"libc6-dev, Fedora: glibc-static); or {how_to(plan)}")  # fmt: skip
        data = program.read_bytes()
    check(plan, data, compiler)
    return data


def check(plan: Plan, data: bytes, origin: str) -> None:
    """Raise ConfigError where the program is no launcher of this plan."""
    wrong = ""
    if data[:4] != b"\x7fELF":
        wrong = "is no program"
    elif _dynamic(data):
        wrong = "is linked dynamically: users could load code of their own into it"
    else:
        for word in (plan.tree, plan.settings.python):
            if word.encode() + b"\0" not in data:
                wrong = f"was not built for {word}"
                break
    if wrong:
        raise ConfigError(f"the launcher of {origin} {wrong}; {how_to(plan)}")


def _dynamic(data: bytes) -> bool:
    order = "<" if data[5] == 1 else ">"
    try:
        if data[4] == 2:
            (table,), (size, count) = struct.unpack_from(order + "Q", data, 32), struct.unpack_from(
                order + "HH", data, 54)  # fmt: skip
        else:
            (table,), (size, count) = struct.unpack_from(order + "I", data, 28), struct.unpack_from(
                order + "HH", data, 42)  # fmt: skip
        kinds = [struct.unpack_from(order + "I", data, table + size * number)[0] for number in range(count)]
    except struct.error:
        return True
    return _INTERPRETER in kinds
