# SPDX-License-Identifier: Apache-2.0
"""The files of a host, or of one that is mounted somewhere."""

import glob
import os
from collections.abc import Sequence

from ttyscribe.health.findings import Place
from ttyscribe_formats.errors import ConfigError

_LARGEST = 4 << 20
_JOURNALD = ("/usr/lib/systemd", "/run/systemd", "/etc/systemd")
"""From the weakest to the strongest: of drop-ins with the same name the last counts."""


class Host:
    """Reads below `root`; paths that go in and out are the host's own."""

    def __init__(self, root: str = "/") -> None:
        self._root = root.rstrip("/")

    @property
    def is_this(self) -> bool:
        """Whether it is the one that we run on."""
        return not self._root

    def read(self, path: str) -> str:
        """A configuration file's text. ConfigError where it can't be read."""
        try:
            with open(self._root + path, encoding="utf-8", errors="replace") as file:
                text = file.read(_LARGEST + 1)
        except OSError as error:
            raise ConfigError(f"{path} can't be read: {error.strerror}") from error
        if len(text) > _LARGEST:
            raise ConfigError(f"{path} has more than {_LARGEST >> 20} MiB: that is no configuration")
        return text

    def head(self, path: str) -> bytes:
        """A file's beginning; empty where it can't be read."""
        try:
            with open(self._root + path, "rb") as file:
                return file.read(256)
        except OSError:
            return b""

    def stat(self, path: str) -> os.stat_result | None:
        """What is known of a file; none where there is none."""
        try:
            return os.stat(self._root + path)
        except OSError:
            return None

    def there(self, *patterns: str) -> list[str]:
        """Files that fit the patterns, each in order."""
        size = len(self._root)
        root = glob.escape(self._root)
        return [
            found[size:] for pattern in patterns for found in sorted(glob.glob(root + pattern)) if os.path.isfile(found)
        ]

    def included(self, pattern: str, place: Place) -> Sequence[tuple[str, str]]:
        """The files that another one includes: paths and texts."""
        if not pattern.startswith("/"):
            pattern = f"{os.path.dirname(place.path)}/{pattern}"
        if pattern.endswith("/"):
            pattern += "*"
        return [(path, self.read(path)) for path in self.there(pattern)]

    def journald(self) -> list[tuple[str, str]]:
        """journald's files in the order in which they count."""
        main = [path for folder in _JOURNALD if (path := f"{folder}/journald.conf") in self.there(path)][-1:]
        drops = {
            os.path.basename(path): path
            for path in self.there(*(f"{folder}/journald.conf.d/*.conf" for folder in _JOURNALD))
        }
        return [(path, self.read(path)) for path in [*main, *(drops[name] for name in sorted(drops))]]
