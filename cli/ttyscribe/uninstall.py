# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe uninstall`: takes off a host what `ttyscribe install` put there."""

import argparse
import sys

from ttyscribe.host.layout import Settings
from ttyscribe.host.manifest import load
from ttyscribe.host.removal import programs, remove, restored
from ttyscribe.host.users import in_use
from ttyscribe.install import add_place, alone, machine_of
from ttyscribe_formats.errors import ConfigError

DESCRIPTION = """Takes off this host what `ttyscribe install` put there, and gives tlog its names back. Configuration
that was changed stays, unless it is to go with --purge. While the recorder is somebody's login shell it is not removed:
each such user is named, with the command that ends it. Sessions that are being recorded go on to their end."""
EPILOG = """examples:
  ttyscribe uninstall --dry-run
  ttyscribe uninstall --purge"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    add_place(parser)
    parser.add_argument("--purge", action="store_true", help="remove configuration that was changed, too")
    parser.add_argument("--force", action="store_true", help="remove it although users can't log in then")


def run(options: argparse.Namespace) -> int:
    """Remove; 1 where it is still in use."""
    machine = machine_of(options)
    settings = Settings(prefix=options.prefix.rstrip("/") or "/")
    manifest = load(machine, settings.manifest)
    if manifest is None:
        raise ConfigError(f"nothing is installed here ({settings.manifest} is not there)")
    with alone(machine):
        used = in_use(machine, programs(manifest), restored=restored(machine, manifest))
        for line in used:
            print(f"ttyscribe: {line}", file=sys.stderr)
        if used and not options.force:
            print("ttyscribe: not removed: nobody could log in there any more (--force removes it)", file=sys.stderr)
            return 1
        if options.dry_run:
            for path in [*manifest.diversions, *manifest.links, *manifest.files, *manifest.trees]:
                print(f"remove {path}")
            print("nothing was changed (--dry-run)")
            return 0
        for line in remove(machine, manifest, purge=options.purge):
            print(line)
    print("removed")
    return 0
