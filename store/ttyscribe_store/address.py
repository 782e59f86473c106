# SPDX-License-Identifier: Apache-2.0
"""Where an engine is and how to get in: the store's URL, and secrets from files or the environment."""

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ttyscribe_formats.errors import ConfigError

ENVIRONMENT = "TTYSCRIBE_STORE_"
"""`TTYSCRIBE_STORE_USER`, `_PASSWORD`, `_API_KEY`, `_TOKEN` (each also `_FILE`), `_CA`, `_CLIENT_CERT`, `_CLIENT_KEY`,
`_TIMEOUT`."""

_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What may begin an index name on every engine."""


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


def parse_address(url: str) -> Address:
    """The parts of a store URL. ConfigError where it is none, or holds a secret (which it then does not repeat)."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ConfigError("no user or password in the store URL: use TTYSCRIBE_STORE_USER and ..._PASSWORD_FILE")
    try:
        port = parts.port
    except ValueError:
        raise ConfigError(f"bad port in store URL {url}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"not a store URL: {url} (wanted: http(s)://host:port[/prefix])")
    prefix = parts.path.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise ConfigError(f"bad index prefix in {url}: small letters, digits, '.', '_' and '-', 64 at most")
    return Address(parts.scheme, parts.hostname, port or 9200, f"{prefix}-" if prefix else "")


class Access(NamedTuple):
    """How to get in; what is empty here is taken from the environment."""

    ca: str = ""
    """File of certificates to trust instead of the system's."""
    client_cert: str = ""
    client_key: str = ""
    user: str = ""
    password_file: str = ""
    api_key_file: str = ""
    """`id:key` or its base64."""
    token_file: str = ""
    timeout: float = 0.0
    """Seconds until a request is given up (60 unless said)."""

    def completed(self, environment: Mapping[str, str] = os.environ) -> "Access":
        """With what the environment says in place of what is empty."""
        named = {name: value or environment.get(ENVIRONMENT + name.upper(), "") for name, value in self._text().items()}
        timeout = self.timeout or _seconds(environment.get(f"{ENVIRONMENT}TIMEOUT", "60"))
        for path in (named["ca"], named["client_cert"], named["client_key"]):
            if path and not os.access(path, os.R_OK):
                raise ConfigError("cannot be read", path)
        return Access(**named, timeout=timeout)

    def _text(self) -> dict[str, str]:
        return {name: value for name, value in self._asdict().items() if name != "timeout"}

    def authorization(self, environment: Mapping[str, str] = os.environ) -> str:
        """Value of the Authorization header: API key, else token, else user and password, else empty."""
        key = _secret("API_KEY", self.api_key_file, environment)
        if key:
            return "ApiKey " + (_base64(key) if ":" in key else key)
        token = _secret("TOKEN", self.token_file, environment)
        if token:
            return f"Bearer {token}"
        if not self.user:
            return ""
        password = _secret("PASSWORD", self.password_file, environment)
        if not password:
            raise ConfigError(f"no password for {self.user}: set {ENVIRONMENT}PASSWORD_FILE or {ENVIRONMENT}PASSWORD")
        return "Basic " + _base64(f"{self.user}:{password}")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 86_400:
        raise ConfigError(f"{ENVIRONMENT}TIMEOUT is no number of seconds: {text}")
    return value


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secret(name: str, path: str, environment: Mapping[str, str]) -> str:
    """A secret out of its file, else out of the environment; never part of an error's text."""
    secret = environment.get(ENVIRONMENT + name, "")
    if path:
        try:
            secret = Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the secret: {type(error).__name__}", path) from None
        if not secret:
            raise ConfigError("is empty; it should hold the secret", path)
    if secret and not (secret.isascii() and secret.isprintable()) and name != "PASSWORD":
        raise ConfigError(f"{ENVIRONMENT}{name} has characters that no header can carry", path)
    return secret
