# SPDX-License-Identifier: Apache-2.0
"""Finds the product's own files: in a checkout, beside an installed wheel, or in an installed tree."""

import importlib.util
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from ttyscribe.host.layout import PACKAGES, Sources
from ttyscribe_formats.errors import ConfigError

_CONFIGURATION = ("ttyscribe-rec.conf", "ttyscribe-rec-session.conf")
_PLAYER = "ttyscribe-play.conf"
_RSYSLOG_OF_HOSTS = ("README.md", "host.conf", "host-fast.conf", "ttyscribe-rsyslog.service")
"""What a host without the normalizer can use."""


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ConfigError(f"{name} is not here: run this from a checkout, or from an installation of role all")
    return Path(found.submodule_search_locations[0])


def _files(package: Path) -> Iterator[Path]:
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _shared(part: str, in_checkout: Path) -> Path:
    """Where a folder of shared files is: in the checkout, in the tree that we run from, or where pip puts it."""
    tree = _package("ttyscribe").parent
    places = [in_checkout, tree / "share" / part, Path(sysconfig.get_path("data"), "share", part)]
    for place in places:
        if place.is_dir():
            return place
    raise ConfigError(f"share/{part} is not here (looked in {', '.join(map(str, places))})")


def find(role: str) -> Sources:
    """Everything that a role needs. Raises ConfigError where a part is missing."""
    tree: dict[str, bytes] = {}
    for name in PACKAGES[role]:
        package = _package(name)
        tree |= {str(path.relative_to(package.parent)): path.read_bytes() for path in _files(package)}
    checkout = _package("ttyscribe_recorder").parent
    recorder = _shared("ttyscribe/recorder", checkout / "conf")
    source = next((path for path in (recorder / "launcher.c", checkout / "launcher.c") if path.is_file()), None)
    if source is None:
        raise ConfigError(f"launcher.c is neither in {recorder} nor in {checkout}")
    samples = {path.name: path for path in _shared("ttyscribe/rsyslog", checkout.parent / "rsyslog/conf").iterdir()}
    samples.setdefault("README.md", checkout.parent / "rsyslog" / "README.md")
    configuration = {name: (recorder / name).read_bytes() for name in _CONFIGURATION}
    if role == "all":
        player = _shared("ttyscribe/player", _package("ttyscribe_player").parent / "conf")
        configuration[_PLAYER] = (player / _PLAYER).read_bytes()
    manuals = _shared("man/man1", checkout.parent / "docs" / "man")
    return Sources(
        tree=tree,
        launcher=source.read_bytes(),
        configuration=configuration,
        manuals={path.name: path.read_bytes() for path in sorted(manuals.glob("ttyscribe*.1"))},
        rsyslog={
            name: samples[name].read_bytes() for name in sorted(samples) if role == "all" or name in _RSYSLOG_OF_HOSTS
        },
    )
