# SPDX-License-Identifier: Apache-2.0
"""HTTP towards Elasticsearch or OpenSearch on elastic_transport's node: bytes out, bytes in.

The node alone is used, not the Transport around it: that one retries, decodes and gives up by rules of its own, and
knows no media type of a proxy's error page. Plain media types only, so every version of both engines answers.
"""

import json
import logging
import re
import ssl
from typing import Any, NamedTuple

from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store import jsontext
from ttyscribe_store.access import Access, hidden
from ttyscribe_store.address import Address

try:
    import elastic_transport
except ImportError:  # told in the constructor, where an operator can see it
    elastic_transport = None  # type: ignore[assignment]

JSON = "application/json"
NDJSON = "application/x-ndjson"
_SHOWN = 300


class Answer(NamedTuple):
    """One answer, whatever its status."""

    status: int
    body: bytes
    retry_after: float
    """Seconds that the engine asked us to wait; 0 if it did not."""

    def json(self) -> Any:
        """The parsed body; Unavailable where it is no JSON (something else than an engine answered)."""
        try:
            return jsontext.loads(self.body)
        except ValueError:
            raise Unavailable(f"the answer is no JSON: HTTP {self.status} {self.text()}", self.retry_after) from None

    def text(self) -> str:
        """The beginning of the body, one line, for messages."""
        return " ".join(self.body[:_SHOWN].decode("utf-8", "replace").split())

    def reason(self) -> str:
        """What the engine says is wrong, short."""
        try:
            error = jsontext.loads(self.body)["error"]
        except (ValueError, KeyError, TypeError):
            return f"HTTP {self.status} {self.text()}".rstrip()
        if isinstance(error, dict):
            return f"HTTP {self.status} {error.get('type')}: {str(error.get('reason'))[:_SHOWN]}"
        return f"HTTP {self.status} {str(error)[:_SHOWN]}"


class Transport:
    """One engine node and the credentials for it.

    Every trouble on the way is `Unavailable`. Nothing is retried, but for one repeat at once where a kept connection
    turns out to be closed; all our requests may be applied twice.
    """

    def __init__(self, address: Address, access: Access) -> None:
        if elastic_transport is None:
            raise ConfigError("this store needs elastic-transport: pip install 'ttyscribe[pipeline]'")
        # Its request log holds whole bodies, that is, what people typed.
        logging.getLogger("elastic_transport.node").propagate = False
        access = access.completed()
        authorization = access.authorization()
        self.address = address
        self._authorization = authorization
        self._headers = {"accept": JSON, "user-agent": "ttyscribe"}
        if authorization:
            self._headers["authorization"] = authorization
        try:
            self._node = elastic_transport.Urllib3HttpNode(_config(address, access))
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise ConfigError(f"TLS for {address}: {error}", access.client_cert or access.ca) from None

    def request(self, method: str, target: str, body: bytes | None = None, content_type: str = JSON) -> Answer:
        """Send one request and give the answer, whatever its status."""
        headers = {**self._headers, "content-type": content_type} if body else self._headers
        try:
            try:
                return self._once(method, target, body, headers)
            except elastic_transport.ConnectionTimeout:
                raise
            except elastic_transport.TlsError as error:
                raise Unavailable(f"{self.address}: TLS: {_cause(error)}") from None
            except elastic_transport.ConnectionError:
                return self._once(method, target, body, headers)
        except elastic_transport.TransportError as error:
            raise Unavailable(f"{self.address}: {_cause(error)}") from None

    def _once(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        sent = elastic_transport.HttpHeaders(headers)
        meta, data = self._node.perform_request(method, target, body=body, headers=sent)
        if meta.status >= 400 or data[:1] not in (b"{", b"["):  # what messages may repeat
            data = hidden(data, self._authorization)
        return Answer(meta.status, data, _wait(meta.headers.get("retry-after") or ""))

    def call(self, method: str, target: str, body: object = None, *, absent: bool = False) -> Any:
        """Send JSON, get JSON; with `absent`, 404 gives None.

        401 and 403 are `ConfigError`, everything else that is no success is `Unavailable`.
        """
        answer = self.request(method, target, None if body is None else json.dumps(body).encode())
        if answer.status == 404 and absent:
            return None
        if answer.status in (401, 403):
            raise ConfigError(f"{self.address} refuses {method} {target.partition('?')[0]}: {answer.reason()}")
        if not 200 <= answer.status < 300:
            where = f"{self.address} {method} {target.partition('?')[0]}"
            raise Unavailable(f"{where}: {answer.reason()}", answer.retry_after)
        return answer.json()

    def said(self, value: object) -> str:
        """A part of an answer, short, as messages may repeat it."""
        text = json.dumps(value, default=str).encode()
        return hidden(text, self._authorization)[:_SHOWN].decode("utf-8", "replace")

    def close(self) -> None:
        """Close the connections."""
        self._node.close()


def _config(address: Address, access: Access) -> Any:
    """What elastic_transport wants to know of the node."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    options: dict[str, Any] = {"request_timeout": access.timeout, "connections_per_node": 4}
    if address.scheme == "https":
        access.tls()  # tells unusable files before the first request
        options["ca_certs"] = access.ca or ssl.get_default_verify_paths().cafile
        options["client_cert"] = access.client_cert or None
        options["client_key"] = access.client_key or None
    return elastic_transport.NodeConfig(address.scheme, host, address.port, **options)


def _wait(text: str) -> float:
    """Seconds out of Retry-After; its other form, a date, is left to our own back-off."""
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() else 0.0


_NOISE = re.compile(
    r"<[^<>]* object at 0x[0-9a-f]+>:? ?"
    r"|HTTPS?Connection(?:Pool)?\([^()]*\): "
    r"|Failed to establish a new connection: |\[Errno -?[0-9]+\] "
)


def _cause(error: BaseException) -> str:
    """The first cause in words, without what is only of use to a programmer."""
    causes = getattr(error, "errors", ())
    text = " ".join(str(causes[0] if causes else error).split())
    return _NOISE.sub("", text)[:_SHOWN] or type(error).__name__
