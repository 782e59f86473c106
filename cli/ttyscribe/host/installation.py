# SPDX-License-Identifier: Apache-2.0
"""The steps that bring a host to what a plan says. After any of them logins work, and one can go on or go back."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ttyscribe import __version__
from ttyscribe.host import aside
from ttyscribe.host.layout import RUNTIME, Plan
from ttyscribe.host.machine import Machine
from ttyscribe.host.manifest import Manifest, digest, union
from ttyscribe.host.removal import remove_line
from ttyscribe_formats.errors import ConfigError

_ADD_SHELL = ("/usr/sbin/add-shell", "/sbin/add-shell")
_TMPFILES = ("/usr/bin/systemd-tmpfiles", "/bin/systemd-tmpfiles")


class Step(NamedTuple):
    """One change."""

    text: str
    do: Callable[[], object]


def steps(machine: Machine, plan: Plan, launcher: bytes | None, old: Manifest, new: Manifest) -> Iterator[Step]:
    """What is to be done, in order; nothing where all is in place. `launcher` is None where the old one stays."""
    changes = [
        *_tree(machine, plan),
        *_configuration(machine, plan, old),
        *_launcher(machine, plan, launcher),
        *_files(machine, plan),
        *_lines(machine, new),
        *(
            Step(
                f"link {path} -> {target}, with what stands there now kept aside",
                partial(aside.take, machine, path, target),
            )
            for path, target in plan.diversions.items()
            if machine.target(path) != target
        ),
        *_runtime(machine),
        *_leftovers(machine, old, new),
    ]
    if not changes and old.complete:
        return
    both, manifest = union(old, new), plan.settings.manifest
    first = machine.missing_folders([manifest])
    text = f"note in {manifest} what is about to change"
    if first:
        yield Step(text, partial(_begin, machine, first[0], manifest, both.to_json()))
    else:
        yield Step(text, partial(machine.write, manifest, both.to_json(), 0o644))
    for path in new.folders:
        if path not in first:
            yield Step(f"folder {path}", partial(machine.folder, path))
    yield from changes
    yield Step(f"manifest {manifest}", partial(machine.write, manifest, _final(both, new).to_json(), 0o644))


def _begin(machine: Machine, outermost: str, manifest: str, data: bytes) -> None:
    """Make folders with the manifest in them by one rename: no folder of ours is there that it does not name."""
    machine.tree(outermost, {manifest.removeprefix(f"{outermost}/"): data})
    machine.settle(outermost)


def _final(both: Manifest, new: Manifest) -> Manifest:
    final = Manifest(**{**vars(both), "complete": True, "trees": both.trees[:2], "files": new.files})
    final.links, final.diversions, final.lines = new.links, new.diversions, new.lines
    return final


def _tree(machine: Machine, plan: Plan) -> Iterator[Step]:
    if not machine.there(plan.tree):
        yield Step(f"tree {plan.tree}: {len(plan.tree_files)} files", partial(_make_tree, machine, plan))
        return
    for name, data in plan.tree_files.items():
        path = f"{plan.tree}/{name}"
        if machine.read(path) != data:
            yield Step(f"mend {path}", partial(_mend, machine, plan, path, data))


def _mend(machine: Machine, plan: Plan, path: str, data: bytes) -> None:
    machine.write(path, data, 0o644)
    _compile(machine, plan, machine.at(plan.tree))


def _make_tree(machine: Machine, plan: Plan) -> None:
    _compile(machine, plan, machine.tree(plan.tree, plan.tree_files))
    machine.settle(plan.tree)


def _compile(machine: Machine, plan: Plan, tree: Path) -> None:
    """Compile for the host's interpreter, once for all: a recorder looks at no source, and never writes there."""
    if machine.program(plan.settings.python):
        inside = "/" + str(tree.relative_to(machine.root))
        compiling = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", inside, "-p", plan.tree]
        machine.run([plan.settings.python, "-I", "-S", "-B", *compiling, inside])


def _configuration(machine: Machine, plan: Plan, old: Manifest) -> Iterator[Step]:
    for path, data in plan.configuration.items():
        found = machine.read(path)
        if found == data:
            continue
        ours = old.configuration.get(path, [])
        if found is None and not machine.there(path):
            if path not in old.configuration or not old.complete:  # else an operator took it away
                yield Step(f"configuration {path}", partial(machine.write, path, data, 0o644))
        elif found is not None and digest(found) in ours:
            yield Step(f"configuration {path}", partial(machine.write, path, data, machine.mode(path)))


def kept(machine: Machine, plan: Plan, old: Manifest) -> list[str]:
    """Configuration that stays as an operator made it, although the default is another."""
    changed = [path for path, data in plan.configuration.items() if machine.read(path) != data and machine.there(path)]
    return [path for path in changed if digest(machine.read(path) or b"") not in old.configuration.get(path, [])]


def _launcher(machine: Machine, plan: Plan, launcher: bytes | None) -> Iterator[Step]:
    if launcher is not None:
        yield Step(
            f"launcher {plan.settings.launcher}, tried first: the switch", partial(_switch, machine, plan, launcher)
        )
    for path, target in plan.links.items():
        if machine.target(path) != target:
            yield Step(f"link {path} -> {target}", partial(machine.link, path, target))


def _switch(machine: Machine, plan: Plan, launcher: bytes) -> None:
    """Let the new launcher start the new recorder once as nobody; then it takes the old one's place."""
    place = plan.settings.launcher
    trial = f"{place}.trial"
    machine.write(trial, launcher, 0o755)
    try:
        if machine.runs and machine.privileged:
            done = machine.run([trial, "--version"], nobody=True)
            if (done.returncode, done.stdout.strip()) != (0, f"ttyscribe-rec {__version__}"):
                said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
                raise ConfigError(f"the recorder does not start here: {said}. Nothing was switched to it")
    finally:
        machine.remove(trial)
    machine.write(place, launcher, 0o755)


def _files(machine: Machine, plan: Plan) -> Iterator[Step]:
    for path, (mode, data) in plan.files.items():
        if machine.read(path) != data or machine.mode(path) != mode:
            yield Step(f"file {path}", partial(machine.write, path, data, mode))


def _lines(machine: Machine, new: Manifest) -> Iterator[Step]:
    for path, line in new.lines.items():
        if line.encode() not in (machine.read(path) or b"").split():
            yield Step(f"line {line} in {path}", partial(_add_line, machine, path, line))


def _add_line(machine: Machine, path: str, line: str) -> None:
    program = machine.program(*_ADD_SHELL)
    if program is None or machine.run([program, line]).returncode:
        data = machine.read(path) or b""
        separated = data if not data or data.endswith(b"\n") else data + b"\n"
        machine.write(path, separated + line.encode() + b"\n", machine.mode(path) if machine.there(path) else 0o644)


def _runtime(machine: Machine) -> Iterator[Step]:
    if machine.live and machine.privileged and not machine.there(RUNTIME):
        yield Step(f"folder {RUNTIME}, where any user's recorder leaves word", partial(make_runtime, machine))


def make_runtime(machine: Machine) -> None:
    """The folder that tmpfiles.d makes at each start of the host."""
    above = RUNTIME.rpartition("/")[0]
    machine.folder(above, 0o755)
    machine.folder(RUNTIME, 0o1777)


def _leftovers(machine: Machine, old: Manifest, new: Manifest) -> Iterator[Step]:
    """What an earlier installation had and this one has not."""
    for path, target in old.diversions.items():
        if path not in new.diversions:
            yield Step(f"give {path} back", partial(aside.give_back, machine, path, target))
    for path in [*old.files, *old.links]:
        if path not in (*new.files, *new.links) and machine.there(path):
            yield Step(f"remove {path}", partial(machine.remove, path))
    for path, line in old.lines.items():
        if path not in new.lines:
            yield Step(f"remove {line} from {path}", partial(remove_line, machine, path, line))
    for path in list(dict.fromkeys(new.trees + old.trees))[2:]:
        if machine.there(path):
            yield Step(f"remove {path}", partial(machine.remove, path))
