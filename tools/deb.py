# SPDX-License-Identifier: Apache-2.0
"""Builds the Debian packages, ttyscribe and ttyscribe-tlog, out of what `ttyscribe install` would put on a host.

The same commit gives the same bytes: times are the commit's (or SOURCE_DATE_EPOCH), owners are root.
"""

import argparse
import gzip
import hashlib
import os
import subprocess
import tempfile
import textwrap
import time
from pathlib import Path

from ttyscribe import __version__
from ttyscribe.host import launcher
from ttyscribe.host.layout import ASIDE, RUNTIME, Plan, Settings, plan
from ttyscribe.host.sources import find

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "packaging" / "debian"
MAINTAINER = "The ttyscribe maintainers <maintainers@ttyscribe.invalid>"
SUMMARIES = {
    "ttyscribe": "user session recording: recorder, normalizer, store and player",
    "ttyscribe-tlog": "ttyscribe under tlog's names",
}
DESCRIPTIONS = {
    "ttyscribe": """Records what people do in terminals as tlog JSON, ships it through syslog or the journal, keeps it
where it can be searched, and shows it again, byte for byte. The recorder can be users' login shell:
/usr/bin/ttyscribe-rec-session.""",
    "ttyscribe-tlog": f"""Lets tlog-rec, tlog-rec-session (which SSSD starts) and tlog-play be ttyscribe's programs. An
installed tlog keeps its own under names with "{ASIDE}" behind them.""",
}


def commit_time(root: Path = ROOT) -> int:
    """Seconds since 1970 that all files get."""
    named = os.environ.get("SOURCE_DATE_EPOCH")
    if named:
        return int(named)
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=root, check=False, capture_output=True, text=True)
    return int(asked.stdout.strip() or 0)


class Package:
    """One binary package on its way."""

    def __init__(self, name: str, folder: Path, when: int) -> None:
        self.name = name
        self.when = when
        self._root = folder / name
        self._root.mkdir()
        self._control = self._root / "DEBIAN"
        self._control.mkdir()

    def file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Add a file of the installed host."""
        place = self._root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(mode)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link, relative as Debian has them."""
        place = self._root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        relative = os.path.relpath(target, os.path.dirname(path)) if target.startswith("/") else target
        place.symlink_to(relative)

    def scripts(self, **words: str) -> None:
        """Add the maintainer scripts, with words put in."""
        for source in sorted(SCRIPTS.glob(f"{self.name}.p*")):
            text = source.read_text()
            for name, value in words.items():
                text = text.replace(f"@{name}@", value)
            place = self._control / source.suffix[1:]
            place.write_text(text)
            place.chmod(0o755)

    def documents(self) -> None:
        """Add what Debian wants to read of each package."""
        doc = f"/usr/share/doc/{self.name}"
        self.file(f"{doc}/copyright", (SCRIPTS / "copyright").read_bytes())
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(self.when))
        head = f"ttyscribe ({__version__}) unstable; urgency=medium"
        entry = f"{head}\n\n  * CHANGELOG.md has it.\n\n -- {MAINTAINER}  {date}\n"
        self.file(f"{doc}/changelog.gz", gzip.compress(entry.encode(), 9, mtime=0))
        overrides = SCRIPTS / f"{self.name}.lintian-overrides"
        if overrides.exists():
            self.file(f"/usr/share/lintian/overrides/{self.name}", overrides.read_bytes())

    def build(self, output: Path, architecture: str, depends: str, suggests: str = "") -> Path:
        """Write the .deb."""
        files = sorted(path for path in self._root.rglob("*") if path.is_file() and self._control not in path.parents)
        sums = [
            f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(self._root)}\n"
            for path in files
            if not path.is_symlink()
        ]
        (self._control / "md5sums").write_text("".join(sums))
        kept = [f"/{path.relative_to(self._root)}\n" for path in files if path.is_relative_to(self._root / "etc")]
        if kept:
            (self._control / "conffiles").write_text("".join(kept))
        size = sum(path.lstat().st_size for path in files) // 1024 + 1
        lines = [
            f"Package: {self.name}", f"Version: {__version__}", f"Architecture: {architecture}",
            f"Maintainer: {MAINTAINER}", f"Installed-Size: {size}", f"Depends: {depends}",
            *([f"Suggests: {suggests}"] if suggests else []), "Section: admin", "Priority: optional",
            f"Description: {SUMMARIES[self.name]}",
            *(f" {line}" for line in textwrap.wrap(DESCRIPTIONS[self.name], 78)),
        ]  # fmt: skip
        (self._control / "control").write_text("\n".join(lines) + "\n")
        for path in [self._root, *self._root.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
            elif (
                self._control in path.parents and path.suffix == "" and path.name in ("md5sums", "conffiles", "control")
            ):
                path.chmod(0o644)
        target = output / f"{self.name}_{__version__}_{architecture}.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(self._root), str(target)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(self.when)}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        return target


def _of_tlog(path: str) -> bool:
    return os.path.basename(path).startswith("tlog-")


def the_host(made: Plan, program: bytes, package: Package) -> None:
    """Fill the package ttyscribe: the plan but for tlog's names, and what Debian's Python wants."""
    ours = {path: target for path, target in made.links.items() if not _of_tlog(path)}
    for name, data in made.tree_files.items():
        package.file(f"{made.tree}/{name}", data)
    package.file(made.settings.launcher, program, 0o755)
    for path, (mode, data) in made.files.items():
        package.file(path, data, mode)
    for path, data in made.configuration.items():
        package.file(path, data)
    for path, target in ours.items():
        package.link(path, target)
    package.file(
        "/usr/share/python3/runtime.d/ttyscribe.rtupdate", (SCRIPTS / "ttyscribe.rtupdate").read_bytes(), 0o755
    )
    package.documents()
    package.scripts(TREE=made.tree, RUNTIME=RUNTIME, PROGRAMS=" ".join(path for path in ours if "/bin/" in path))


def build(output: Path) -> list[Path]:
    """Build both packages. Raises ConfigError where the launcher can't be built."""
    sources = find("all")
    made = plan(Settings(role="all", tlog_names=True), sources)
    architecture = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ttyscribe-deb-") as folder:
        when = commit_time()
        host = Package("ttyscribe", Path(folder), when)
        the_host(made, launcher.build(made, sources.launcher), host)
        names = Package("ttyscribe-tlog", Path(folder), when)
        of_tlog = {path: target for path, target in made.links.items() if _of_tlog(path)}
        for path, target in {**made.diversions, **of_tlog}.items():
            names.link(path, target)
        names.documents()
        names.scripts(TREE=made.tree, ASIDE=ASIDE, PROGRAMS=" ".join(made.diversions))
        return [
            host.build(output, architecture.stdout.strip(), "python3 (>= 3.11)", "python3-orjson, rsyslog"),
            names.build(output, "all", f"ttyscribe (= {__version__})"),
        ]


def main() -> int:
    """Build into a folder; say what was built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=ROOT / "build", help="folder (default: build)")
    for path in build(parser.parse_args().output):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
