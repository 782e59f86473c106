# SPDX-License-Identifier: Apache-2.0
"""HTTP towards Kibana or OpenSearch Dashboards: TLS verified, credentials from files or environment, clear refusals.

Every answer that is not what the interface documents becomes `Unavailable` (come back later) or `ConfigError` (wrong
address, wrong credentials, something stands in between).
"""

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.access import Access

ENVIRONMENT = "TTYSCRIBE_KIBANA_"
_LATER = (429, 502, 503, 504)
_SHOWN = 300
_MOST = 32 << 20
"""Bytes of one answer; an export of ours is a hundredth of that."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    data: bytes

    def json(self) -> Any:
        """The body as JSON; None where it is something else."""
        try:
            return json.loads(self.data)
        except ValueError:
            return None

    @property
    def message(self) -> str:
        """What the server says about it, one printable line of bounded length."""
        parsed = self.json()
        found = parsed.get("message") if isinstance(parsed, dict) else None
        if not isinstance(found, str):
            found = "a web page" if self.is_page else self.data[: 2 * _SHOWN].decode("utf-8", "replace")
        return one_line(found)

    @property
    def is_page(self) -> bool:
        """Tell whether it is HTML."""
        return "html" in self.headers.get("content-type", "") or self.data.lstrip()[:1] == b"<"


def one_line(text: str) -> str:
    """Text of a far side, fit for an operator's terminal."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(clean.split())[:_SHOWN]


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error) or type(error).__name__


class Client:
    """Requests to one address; the path in it is the server's base path (`/_dashboards` in hosted OpenSearch)."""

    def __init__(self, url: str, access: Access | None = None) -> None:
        parts = _checked(url)
        access = (access or Access())._replace(environment=ENVIRONMENT).completed()
        self.url = url.rstrip("/")
        self._host, self._port, self._base = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._context = access.tls() if parts.scheme == "https" else None
        self._headers = {"Accept": "application/json"}
        if authorization := access.authorization():
            self._headers["Authorization"] = authorization
        self._timeout = access.timeout

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request on a connection of its own. Raises Unavailable and ConfigError; no redirect is followed."""
        connection = self._connection()
        try:
            connection.request(method, self._base + path, body or None, {**self._headers, **(headers or {})})
            answer = connection.getresponse()
            data = answer.read(_MOST)
            if answer.length:  # bytes announced and not there: a bounded read does not complain of its own
                raise http.client.IncompleteRead(data, answer.length)
        except ssl.SSLCertVerificationError as error:
            raise ConfigError(
                f"{self.url}: its certificate is not trusted ({error.verify_message}); name a CA file"
            ) from None
        except ssl.SSLError as error:
            raise ConfigError(f"{self.url}: TLS failed ({_reason(error)}): is it http:// ?") from None
        except (http.client.RemoteDisconnected, http.client.IncompleteRead):
            raise Unavailable(f"{self.url}: the connection ended before the answer did (is it https:// ?)") from None
        except http.client.HTTPException as error:
            raise ConfigError(f"{self.url}: does not speak HTTP ({type(error).__name__}): is it https:// ?") from None
        except OSError as error:
            raise Unavailable(f"{self.url}: cannot be reached: {_reason(error)}") from None
        finally:
            connection.close()
        return self._checked(Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, data))

    def _connection(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)

    def _checked(self, answer: Answer) -> Answer:
        """The answer, where its status is one that callers handle: 2xx and what the interfaces document as refusals."""
        status = answer.status
        if status in _LATER or status >= 500:
            after = answer.headers.get("retry-after", "")
            raise Unavailable(
                f"{self.url}: not ready ({status}): {answer.message}", float(after) if after.isdecimal() else 0.0
            )
        if status == 401:
            raise ConfigError(f"{self.url}: credentials are missing or wrong (401): {answer.message}")
        if status == 403:
            raise ConfigError(f"{self.url}: these credentials may not do that (403): {answer.message}")
        if 300 <= status < 400:
            target = one_line(answer.headers.get("location", "nowhere"))
            raise ConfigError(
                f"{self.url}: redirects to {target}: give the address with its base path, behind any sign-in proxy"
            )
        if answer.is_page:
            raise ConfigError(
                f"{self.url}: answers with a web page ({status}), not with JSON: "
                "wrong address, or a proxy or sign-in page stands before it"
            )
        return answer


def _checked(url: str) -> Any:
    try:
        parts = urlsplit(url)
        port_is_number = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ConfigError(f"not an address: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError("credentials in the address are refused: use files or the environment")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_number:
        raise ConfigError(f"not an http or https address: {one_line(url)!r}")
    if parts.query or parts.fragment:
        raise ConfigError(f"the address must end with the base path, without ? and #: {one_line(url)!r}")
    return parts
