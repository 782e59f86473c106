# SPDX-License-Identifier: Apache-2.0
"""What an installed host holds, declared once: `ttyscribe install`, `uninstall` and the Debian package read it here.

The programs stand in one folder that is never changed, named by its content; the launcher has its path built in. So
one rename, the launcher's, takes a host from one version to the next, and a recorder that runs keeps what it has.
"""

import gzip
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple

from ttyscribe import __version__

ROLES = {
    "host": "a host whose users are recorded: the recorder, and this command",
    "all": "the whole of it: the player, the normalizer and the stores too",
}
PACKAGES: dict[str, tuple[str, ...]] = {
    "host": ("ttyscribe_formats", "ttyscribe_recorder", "ttyscribe"),
    "all": (
        "ttyscribe_formats", "ttyscribe_recorder", "ttyscribe", "pyrsyslog_omprog", "ttyscribe_normalizers",
        "ttyscribe_screen", "ttyscribe_store", "ttyscribe_kibana", "ttyscribe_player",
    ),
}  # fmt: skip
SCRIPTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ttyscribe": ("ttyscribe.main:main", ("host", "all")),
    "ttyscribe-play": ("ttyscribe_player.play:main", ("all",)),
    "ttyscribe-normalize": ("ttyscribe_normalizers.entry:main", ("all",)),
}
"""Programs that an operator runs: where each begins, and which roles have it."""
RECORDERS = ("ttyscribe-rec", "ttyscribe-rec-session")
TLOG_NAMES = {"tlog-rec": "ttyscribe-rec", "tlog-rec-session": "ttyscribe-rec-session", "tlog-play": "ttyscribe-play"}
TLOG_FOLDER = "/usr/bin"
"""Where tlog's names are, whatever our prefix is: SSSD has the path built in."""
ASIDE = ".distrib"
"""Behind the name of a file of tlog's that stands aside, as dpkg-divert has it."""

CONFIGURATION = "/etc/ttyscribe"
ON_ERROR = f"{CONFIGURATION}/on-error"
SHELLS = "/etc/shells"
RUNTIME = "/run/ttyscribe/recorders"
UNITS = "/usr/lib/systemd/system"
TMPFILES = """# SPDX-License-Identifier: Apache-2.0
# Where recorders leave word that they record: any user's may, none may remove another's.
d /run/ttyscribe 0755 root root -
d /run/ttyscribe/recorders 1777 root root -
"""
JOURNALD = """# SPDX-License-Identifier: Apache-2.0
# By default journald drops what a session sends above 10,000 messages in 30 seconds: recordings would have gaps, and a
# recorded user could hide behind a flood.
[Journal]
RateLimitBurst=0
"""


class Settings(NamedTuple):
    """What an operator chooses."""

    prefix: str = "/usr"
    python: str = "/usr/bin/python3"
    role: str = "host"
    tlog_names: bool = False
    """Programs under tlog's names too, in /usr/bin; an installed tlog stands aside."""
    list_shell: bool = False
    """The session recorder in /etc/shells."""
    journald: bool = True
    """journald's rate limit off."""
    on_error: str = "refuse"

    @property
    def home(self) -> str:
        """The folder of the programs' trees and the manifest."""
        return f"{self.prefix}/lib/ttyscribe"

    @property
    def launcher(self) -> str:
        """The one file that decides which version runs. In libexec SELinux lets it be a login shell."""
        return f"{self.prefix}/libexec/ttyscribe-launcher"

    @property
    def manifest(self) -> str:
        """What this host was given, for the next installation and for the end."""
        return f"{self.home}/manifest.json"

    @property
    def session_shell(self) -> str:
        """The path that stands in passwd."""
        return f"{self.prefix}/bin/{RECORDERS[1]}"


class Sources(NamedTuple):
    """The product as it lies in a checkout, a wheel or an installed tree."""

    tree: Mapping[str, bytes]
    """Every file of the role's packages, by its path below the folder that goes on `sys.path`."""
    launcher: bytes
    """launcher.c"""
    configuration: Mapping[str, bytes]
    """Default configuration by name."""
    manuals: Mapping[str, bytes]
    """Man pages of section 1 by name."""
    rsyslog: Mapping[str, bytes]
    """What an operator copies for rsyslog, and the unit that runs it."""


class Plan(NamedTuple):
    """Everything but the launcher, whose bytes come from a compiler. Paths are the installed host's."""

    settings: Settings
    tree: str
    """Folder of the programs."""
    tree_files: dict[str, bytes]
    files: dict[str, tuple[int, bytes]]
    """Mode and content."""
    configuration: dict[str, bytes]
    """Written where they are new; an operator's edits stay."""
    links: dict[str, str]
    diversions: dict[str, str]
    """Links that take the place of a file of tlog's, if there is one."""
    lines: dict[str, str]
    """A line in a file that is others' too."""


def _script(python: str, tree: str, begin: str) -> bytes:
    module, _, function = begin.partition(":")
    text = f"#!{python} -IB\n# SPDX-License-Identifier: Apache-2.0\nimport sys\n\nsys.path.insert(0, {tree!r})\n"
    return f"{text}from {module} import {function}  # noqa: E402\n\nsys.exit({function}())\n".encode()


def tree_name(files: Mapping[str, bytes]) -> str:
    """The name of a folder with this content."""
    digest = blake2b(digest_size=4)
    for path in sorted(files):
        digest.update(f"{path}\0{len(files[path])}\0".encode() + files[path])
    return f"{__version__}-{digest.hexdigest()}"


def plan(settings: Settings, sources: Sources) -> Plan:
    """All that a host with these settings holds."""
    share = {"share/ttyscribe/recorder/launcher.c": sources.launcher}
    for name, data in sources.configuration.items():
        share[f"share/ttyscribe/{'player' if 'play' in name else 'recorder'}/{name}"] = data
    share |= {f"share/ttyscribe/rsyslog/{name}": data for name, data in sources.rsyslog.items()}
    share |= {f"share/man/man1/{name}": data for name, data in sources.manuals.items()}
    about = f"Metadata-Version: 2.1\nName: ttyscribe\nVersion: {__version__}\n".encode()
    tree_files = {**sources.tree, **share, f"ttyscribe-{__version__}.dist-info/METADATA": about}
    tree = f"{settings.home}/{tree_name(tree_files)}"
    programs = f"{settings.prefix}/bin"
    scripts = {name: begin for name, (begin, roles) in SCRIPTS.items() if settings.role in roles}
    files = {f"{programs}/{name}": (0o755, _script(settings.python, tree, begin)) for name, begin in scripts.items()}
    present = {*scripts, *RECORDERS}
    for name, data in sources.manuals.items():
        if name.removesuffix(".1") in present:
            packed = gzip.compress(data, 9, mtime=0)
            files[f"{settings.prefix}/share/man/man1/{name}.gz"] = (0o644, packed)
    for name, data in sources.rsyslog.items():
        place = UNITS if name.endswith(".service") else f"{settings.prefix}/share/ttyscribe/rsyslog"
        files[f"{place}/{name}"] = (0o644, data)
    files["/usr/lib/tmpfiles.d/ttyscribe.conf"] = (0o644, TMPFILES.encode())
    if settings.journald:
        files["/usr/lib/systemd/journald.conf.d/ttyscribe.conf"] = (0o644, JOURNALD.encode())
    links = {f"{programs}/{name}": "../libexec/ttyscribe-launcher" for name in RECORDERS}
    tlog_names = {name: ours for name, ours in TLOG_NAMES.items() if settings.tlog_names and ours in present}
    links |= {f"{settings.prefix}/share/man/man1/{name}.1.gz": f"{ours}.1.gz" for name, ours in tlog_names.items()}
    return Plan(
        settings=settings,
        tree=tree,
        tree_files=tree_files,
        files=files,
        configuration={
            ON_ERROR: f"{settings.on_error}\n".encode(),
            **{f"{CONFIGURATION}/{name}": data for name, data in sources.configuration.items()},
        },
        links=links,
        diversions={f"{TLOG_FOLDER}/{name}": f"{programs}/{ours}" for name, ours in tlog_names.items()},
        lines={SHELLS: settings.session_shell} if settings.list_shell else {},
    )
