# SPDX-License-Identifier: Apache-2.0
"""How to get into a server: certificates and secrets, from files or the environment, never from a command line.

One set of habits for engines (`TTYSCRIBE_STORE_…`) and Kibana (`TTYSCRIBE_KIBANA_…`): `USER`, `PASSWORD`, `API_KEY`,
`TOKEN` (each secret also `_FILE`), `CA`, `CLIENT_CERT`, `CLIENT_KEY`, `TIMEOUT`.
"""

import base64
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ttyscribe_formats.errors import ConfigError

_OWN = ("timeout", "environment")
"""Settings that are no text from the environment."""
_SHORTEST_HIDDEN = 4
"""A shorter secret stands in ordinary words too."""


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
    environment: str = "TTYSCRIBE_STORE_"
    """What the names of the environment's variables begin with."""

    def completed(self, environment: Mapping[str, str] = os.environ) -> "Access":
        """With what the environment says in place of what is empty. ConfigError for files that can't be read."""
        named = {
            name: value or environment.get(self.environment + name.upper(), "")
            for name, value in self._asdict().items()
            if name not in _OWN
        }
        for path in (named["ca"], named["client_cert"], named["client_key"]):
            if path and not os.access(path, os.R_OK):
                raise ConfigError("cannot be read", path)
        return Access(**named, timeout=self.timeout or self._seconds(environment), environment=self.environment)

    def _seconds(self, environment: Mapping[str, str]) -> float:
        text = environment.get(f"{self.environment}TIMEOUT", "60")
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value < 86_400:
            raise ConfigError(f"{self.environment}TIMEOUT is no number of seconds: {text}")
        return value

    def authorization(self, environment: Mapping[str, str] = os.environ) -> str:
        """Value of the Authorization header: API key, else token, else user and password, else empty."""
        key = self._secret("API_KEY", self.api_key_file, environment)
        if key:
            return "ApiKey " + (_base64(key) if ":" in key else key)
        token = self._secret("TOKEN", self.token_file, environment)
        if token:
            return f"Bearer {token}"
        if not self.user:
            return ""
        password = self._secret("PASSWORD", self.password_file, environment)
        if not password:
            name = f"{self.environment}PASSWORD"
            raise ConfigError(f"no password for {self.user}: set {name}_FILE or {name}")
        return "Basic " + _base64(f"{self.user}:{password}")

    def _secret(self, name: str, path: str, environment: Mapping[str, str]) -> str:
        """A secret out of its file, else out of the environment; never part of an error's text."""
        secret = environment.get(self.environment + name, "")
        if path:
            secret = read_secret(path)
        if not secret.isprintable() or not (secret.isascii() or name == "PASSWORD"):
            raise ConfigError(f"{self.environment}{name} has characters that no header can carry", path)
        return secret

    def tls(self) -> ssl.SSLContext:
        """TLS with verification. ConfigError where a file can't be used."""
        return verified_tls(self.ca, self.client_cert, self.client_key)


def read_secret(path: str) -> str:
    """The secret that a file holds; never part of an error's text. Raises ConfigError."""
    try:
        secret = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(f"cannot read the secret: {reason}", path) from None
    if not secret:
        raise ConfigError("is empty; it should hold the secret", path)
    return secret


def verified_tls(ca: str, client_cert: str = "", client_key: str = "") -> ssl.SSLContext:
    """TLS that verifies the server, by the certificates in `ca` or else the system's. ConfigError for bad files."""
    path = ca
    try:
        context = ssl.create_default_context(cafile=ca or None)
        if client_cert:
            path = client_cert
            context.load_cert_chain(client_cert, client_key or None)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
        raise ConfigError(f"cannot use the certificates in it: {reason}", path) from None
    return context


def hidden(data: bytes, authorization: str) -> bytes:
    """What a far side says, without the secret that it was sent: some servers and proxies repeat a request."""
    credential = authorization.partition(" ")[2].encode()
    try:
        decoded = base64.b64decode(credential, validate=True).partition(b":")[2]
    except ValueError:
        decoded = b""
    for secret in (credential, decoded):
        if len(secret) >= _SHORTEST_HIDDEN:
            data = data.replace(secret, b"...")
    return data


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
