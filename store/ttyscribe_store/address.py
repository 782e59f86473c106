# SPDX-License-Identifier: Apache-2.0
"""Where an engine is: the store's URL. How to get in is `access.py`'s matter."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from ttyscribe_formats.errors import ConfigError

_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What may begin an index name on every engine."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,15}")
_FORM = "http(s)://host:port[,host:port...][/prefix]"


class Host(NamedTuple):
    """One node."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"{f'[{self.name}]' if ':' in self.name else self.name}:{self.port}"


class Address(NamedTuple):
    """`http(s)://host:port[,host:port…][/prefix]`: several hosts are nodes of one cluster."""

    scheme: str
    hosts: tuple[Host, ...]
    prefix: str = ""
    """What all our names on the engine begin with: empty, or the URL's path with a `-` behind it."""

    def __str__(self) -> str:
        path = f"/{self.prefix[:-1]}" if self.prefix else ""
        return f"{self.scheme}://{','.join(map(str, self.hosts))}{path}"


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
        raise ConfigError(f"not a store URL: {shown(url)!r} (wanted: {_FORM})") from None
    if "@" in parts.netloc:
        raise ConfigError("no user or password in the store URL: use TTYSCRIBE_STORE_USER and ..._PASSWORD_FILE")
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError(f"not a store URL: {shown(url)!r} (wanted: {_FORM})")
    hosts = tuple(_host(text, url) for text in parts.netloc.split(","))
    if len(set(hosts)) != len(hosts):
        raise ConfigError(f"the same node twice in store URL {shown(url)!r}")
    return Address(parts.scheme, hosts, checked_prefix(parts.path.strip("/"), repr(shown(url))))


def checked_prefix(prefix: str, where: str) -> str:
    """A prefix with its `-` behind it, or nothing for none. ConfigError where no index could have it."""
    if prefix and not _PREFIX.fullmatch(prefix):
        raise ConfigError(f"bad index prefix in {where}: small letters, digits, '.', '_' and '-', 64 at most")
    if "-ttyscribe-" in f"-{prefix}-":  # a store without it, or with its beginning, would take our indices for its own
        raise ConfigError(f"bad index prefix in {where}: it must not hold the word ttyscribe, which comes behind it")
    return f"{prefix}-" if prefix else ""


def _host(text: str, url: str) -> Host:
    """One host of a URL, with its port or without."""
    try:
        parts = urlsplit(f"//{text}")
        name, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"bad port or host in store URL {shown(url)!r}") from None
    if not name or text.endswith(":"):
        raise ConfigError(f"not a store URL: {shown(url)!r} (wanted: {_FORM})")
    return Host(name, port or 9200)
