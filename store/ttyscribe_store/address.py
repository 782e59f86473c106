# SPDX-License-Identifier: Apache-2.0
"""Where an engine is: the store's URL. How to get in is `access.py`'s matter."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from ttyscribe_formats.errors import ConfigError

_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What may begin an index name on every engine."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,15}")


class Address(NamedTuple):
    """`http(s)://host:port[/prefix]`."""

    scheme: str
    host: str
    port: int
    prefix: str
    """What all our names on the engine begin with: empty, or the URL's path with a `-` behind it."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = f"/{self.prefix[:-1]}" if self.prefix else ""
        return f"{self.scheme}://{host}:{self.port}{path}"


def shown(url: str) -> str:
    """A URL as messages may repeat it: without anything in it that could be a secret."""
    if "@" in url:
        scheme = url.partition(":")[0]
        return f"{scheme}:..." if _SCHEME.fullmatch(scheme) else "..."
    return re.split("[?#]", url)[0]


def parse_address(url: str) -> Address:
    """The parts of a store URL. ConfigError where it is none, or holds a secret (which it then does not repeat)."""
    try:
        parts = urlsplit(url)
    except ValueError:  # its text repeats the URL
        raise ConfigError(f"not a store URL: {shown(url)!r} (wanted: http(s)://host:port[/prefix])") from None
    if "@" in parts.netloc:
        raise ConfigError("no user or password in the store URL: use TTYSCRIBE_STORE_USER and ..._PASSWORD_FILE")
    try:
        port = parts.port
    except ValueError:
        raise ConfigError(f"bad port in store URL {shown(url)!r}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"not a store URL: {shown(url)!r} (wanted: http(s)://host:port[/prefix])")
    prefix = parts.path.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise ConfigError(f"bad index prefix in {shown(url)!r}: small letters, digits, '.', '_' and '-', 64 at most")
    return Address(parts.scheme, parts.hostname, port or 9200, f"{prefix}-" if prefix else "")
