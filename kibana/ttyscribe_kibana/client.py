# SPDX-License-Identifier: Apache-2.0
"""HTTP towards Kibana or OpenSearch Dashboards: TLS verified, credentials from files or environment, clear refusals.

Every answer that is not what the interface documents becomes `Unavailable` (come back later) or `ConfigError` (wrong
address, wrong credentials, something stands in between). Whoever answers can hold us for the time limit and fill a few
MiB of memory, no more.
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from ttyscribe_formats.errors import ConfigError, TtyscribeError, Unavailable
from ttyscribe_store.access import Access, hidden
from ttyscribe_store.address import shown

ENVIRONMENT = "TTYSCRIBE_KIBANA_"
_LATER = (429, 502, 503, 504)
_SHOWN = 300
_LONGEST_WAIT = 3600.0
MOST = 8 << 20
"""Bytes of one answer that are read; an export of ours is a tenth of that."""


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
        except (ValueError, RecursionError):  # the second for what is nested without end
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


class _Deadline:
    """Shuts a connection down when its time is over, whatever is being read or written on it just then."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._sock: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def watch(self, sock: socket.socket) -> None:
        """From here on it is this socket; connecting has a time limit of its own."""
        self._sock = sock
        self._timer.start()

    def _end(self) -> None:
        self.is_over = True
        if self._sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # TCP's, below any TLS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


class Client:
    """Requests to one address; the path in it is the server's base path (`/_dashboards` in hosted OpenSearch)."""

    def __init__(self, url: str, access: Access | None = None) -> None:
        parts = _checked(url)
        access = (access or Access())._replace(environment=ENVIRONMENT).completed()
        self.url = url.rstrip("/")
        self.name = self.url
        """What messages call the far side; with its version, once that is known."""
        self._host, self._port, self._base = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._context = access.tls() if parts.scheme == "https" else None
        self._headers = {"Accept": "application/json"}
        if authorization := access.authorization():
            self._headers["Authorization"] = authorization
        self._timeout = access.timeout

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request on a connection of its own. Raises Unavailable and ConfigError; no redirect is followed."""
        connection = self._connection()
        with _Deadline(self._timeout) as deadline:
            try:
                connection.connect()
                deadline.watch(connection.sock)
                answer = self._exchange(connection, method, path, body, {**self._headers, **(headers or {})})
            except (OSError, http.client.HTTPException, UnicodeError) as error:
                if deadline.is_over:
                    raise self._too_slow() from None
                raise self._told(error) from None
            finally:
                connection.close()
            if deadline.is_over:  # cut off where the answer could as well have ended
                raise self._too_slow()
        return self._checked(answer)

    def _too_slow(self) -> Unavailable:
        return Unavailable(f"{self.name}: gave no whole answer within {self._timeout:g} seconds")

    def _told(self, error: Exception) -> TtyscribeError:
        """What went wrong on the way, in an operator's words."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return ConfigError(f"{self.name}: its certificate is not trusted ({error.verify_message}); name a CA file")
        if isinstance(error, ssl.SSLError):
            return ConfigError(f"{self.name}: TLS failed ({_reason(error)}): is it http:// ?")
        if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead):
            return Unavailable(f"{self.name}: the connection ended before the answer did (is it https:// ?)")
        if isinstance(error, http.client.HTTPException):
            return ConfigError(f"{self.name}: does not speak HTTP ({type(error).__name__}): is it https:// ?")
        if isinstance(error, UnicodeError):
            return ConfigError(f"{self.name}: is no name that a host can have")
        return Unavailable(f"{self.name}: cannot be reached: {_reason(error)}")

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        connection.request(method, self._base + path, body or None, dict(headers))
        with connection.getresponse() as answer:  # it keeps the socket where the answer's end is the connection's
            data = answer.read(MOST)
            if len(data) == MOST:
                raise ConfigError(f"{self.name}: answers with more than {MOST >> 20} MiB, which no such server does")
            if answer.length:  # bytes announced and not there: a bounded read does not complain of its own
                raise http.client.IncompleteRead(data, answer.length)
            data = hidden(data, self._headers.get("Authorization", ""))
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, data)

    def _connection(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)

    def _checked(self, answer: Answer) -> Answer:
        """The answer, where its status is one that callers handle: 2xx and what the interfaces document as refusals."""
        status = answer.status
        if status in _LATER or status >= 500:
            after = answer.headers.get("retry-after", "")
            wait = min(float(after), _LONGEST_WAIT) if after.isdecimal() else 0.0
            raise Unavailable(f"{self.name}: not ready ({status}): {answer.message}", wait)
        if status == 401:
            raise ConfigError(f"{self.name}: credentials are missing or wrong (401): {answer.message}")
        if status == 403:
            raise ConfigError(f"{self.name}: these credentials may not do that (403): {answer.message}")
        if status == 413:
            raise ConfigError(
                f"{self.name}: the file is too large for it (413): {answer.message}: raise savedObjects."
                "maxImportPayloadBytes there, or the limit of the proxy before it"
            )
        if 300 <= status < 400:
            target = one_line(answer.headers.get("location", "nowhere"))
            raise ConfigError(
                f"{self.name}: redirects to {target}: give the address with its base path, behind any sign-in proxy"
            )
        if answer.is_page:
            raise ConfigError(
                f"{self.name}: answers with a web page ({status}), not with JSON: "
                "wrong address, or a proxy or sign-in page stands before it"
            )
        return answer


def _checked(url: str) -> Any:
    try:
        parts = urlsplit(url)
        port_is_number = parts.port is None or parts.port > 0
    except ValueError:  # its text repeats the address
        raise ConfigError(f"not an address: {shown(url)!r}") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError("credentials in the address are refused: use files or the environment")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_number:
        raise ConfigError(f"not an http or https address: {shown(url)!r}")
    if not (parts.path.isascii() and url.isprintable()) or " " in url:
        raise ConfigError(f"the address has characters in it that must be percent-encoded: {shown(url)!r}")
    if parts.query or parts.fragment:
        raise ConfigError(f"the address must end with the base path, without ? and #: {shown(url)!r}")
    return parts
