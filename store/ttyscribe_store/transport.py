# SPDX-License-Identifier: Apache-2.0
"""HTTP towards Elasticsearch or OpenSearch on elastic_transport's nodes: bytes out, bytes in.

The nodes alone are used, not the Transport around them: that one retries, decodes and gives up by rules of its own, and
knows no media type of a proxy's error page. Plain media types only, so every version of both engines answers.
"""

import inspect
import json
import logging
import random
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store import bounded, jsontext
from ttyscribe_store.access import Access, hidden
from ttyscribe_store.address import Address, Host, checked_prefix
from ttyscribe_store.nodes import Turns

try:
    import elastic_transport
    import urllib3
except ImportError:  # told in `connect`, where an operator can see it
    elastic_transport = None  # type: ignore[assignment]

JSON = "application/json"
NDJSON = "application/x-ndjson"
_LOG = logging.getLogger("ttyscribe.store")
_HEADERS = {"accept": JSON, "user-agent": "ttyscribe"}
_NODE_TROUBLE = (502, 503, 504)
"""Statuses that another node may not have."""
_CONNECT_S = 10.0
_CONNECTIONS = 8
"""To each node: requests under way at once, and one that reads meanwhile."""
_SHOWN = 300
_HIDDEN = 10_000
"""As much as a credential is looked for in: longer than one that is shown in part."""


class TooLarge(Unavailable):
    """The answer has more than `bounded.MOST_BYTES`; one to a smaller question may not."""


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
            kind, reason = (jsontext.shown(error.get(name), _SHOWN) for name in ("type", "reason"))
            return f"HTTP {self.status} {kind}: {reason}"
        return f"HTTP {self.status} {jsontext.shown(error, _SHOWN)}"


class Transport:
    """An engine's nodes and the credentials for them.

    Every trouble on the way is `Unavailable`. A request that finds no answer at one node goes to the next: all our
    requests may be applied twice. Only one whose answer is late does not: it may be the cluster that is slow. Where a
    kept connection turns out to be closed, the same node is asked once more at once.
    """

    def __init__(
        self, address: Address, nodes: Sequence[Any], headers: Mapping[str, str], *, timeout: Any, owned: bool
    ) -> None:
        """Use `connect` or `borrow`. `timeout`: for each request, none = the nodes' own."""
        self.address = address
        self._turns = Turns(nodes, time.monotonic, random.random)
        self._count = len(nodes)
        self._headers = headers
        self._authorization = headers.get("authorization", "")
        self._options = {} if timeout is None else {"request_timeout": timeout}
        self._owned = nodes if owned else ()

    def request(self, method: str, target: str, body: bytes | None = None, content_type: str = JSON) -> Answer:
        """Send one request and give the answer, whatever its status."""
        headers = {**self._headers, "content-type": content_type} if body else self._headers
        problem: Unavailable | None = None
        answer: Answer | None = None
        for node in self._turns.turn():
            try:
                answer = self._twice(node, method, target, body, headers)
            except elastic_transport.TransportError as error:
                kind = "TLS: " if isinstance(error, elastic_transport.TlsError) else ""
                problem = Unavailable(f"{self._name(node)}: {kind}{_cause(error)}")
                self._avoid(node, problem)
                if isinstance(error, elastic_transport.ConnectionTimeout) and not _is_unsent(error):
                    break
                continue
            if answer.status not in _NODE_TROUBLE:
                if self._turns.answered(node):
                    _LOG.warning("%s answers again", self._name(node))
                return answer
            self._avoid(node, answer.reason())
        if answer is not None:
            return answer
        raise problem or Unavailable(f"{self.address}: no nodes")

    def _avoid(self, node: Any, why: object) -> None:
        pause = self._turns.failed(node)
        if self._count > 1:
            text = str(why).removeprefix(f"{self._name(node)}: ")
            _LOG.warning("%s is avoided for %.1f s: %s", self._name(node), pause, text)

    def _name(self, node: Any) -> str:
        """How messages call a node."""
        config = node.config
        return f"{config.scheme}://{config.host}:{config.port}" if self._count > 1 else str(self.address)

    def _twice(self, node: Any, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            return self._once(node, method, target, body, headers)
        except (elastic_transport.ConnectionTimeout, elastic_transport.TlsError):
            raise
        except elastic_transport.ConnectionError:
            return self._once(node, method, target, body, headers)

    def _once(self, node: Any, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        sent = elastic_transport.HttpHeaders(headers)
        meta, data = node.perform_request(method, target, body=body, headers=sent, **self._options)
        if len(data) > bounded.MOST_BYTES:
            what = f"{method} {target.partition('?')[0]}"
            raise TooLarge(f"{self._name(node)} answers {what} with more than {bounded.MOST_BYTES >> 20} MiB")
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
        return self.accepted(method, target, answer)

    def accepted(self, method: str, target: str, answer: Answer) -> Any:
        """The JSON of an answer, if it is a success; errors are those of `call`."""
        if answer.status in (401, 403):
            raise ConfigError(f"{self.address} refuses {method} {target.partition('?')[0]}: {answer.reason()}")
        where = f"{self.address} {method} {target.partition('?')[0]}"
        if not 200 <= answer.status < 300:
            raise Unavailable(f"{where}: {answer.reason()}", answer.retry_after)
        try:
            return answer.json()
        except Unavailable as error:
            raise Unavailable(f"{where}: {error}", error.after) from None

    def said(self, value: object) -> str:
        """A part of an answer, short, as messages may repeat it."""
        text = jsontext.shown(value, _HIDDEN).encode("utf-8", "replace")
        return hidden(text, self._authorization)[:_SHOWN].decode("utf-8", "replace")

    def close(self) -> None:
        """Close the connections that are ours."""
        for node in self._owned:
            node.close()


def connect(address: Address, access: Access) -> Transport:
    """A way to the nodes of a URL. ConfigError where the client library, a secret or a certificate is missing."""
    if elastic_transport is None:
        raise ConfigError("this store needs elastic-transport: pip install 'ttyscribe[pipeline]'")
    # Its request log holds whole bodies, that is, what people typed.
    logging.getLogger("elastic_transport.node").propagate = False
    access = access.completed()
    headers = dict(_HEADERS)
    if authorization := access.authorization():
        headers["authorization"] = authorization
    try:
        nodes = [_node(config) for config in _configs(address, access)]
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(f"TLS for {address}: {error}", access.client_cert or access.ca) from None
    timeout = urllib3.Timeout(connect=min(access.timeout, _CONNECT_S), read=access.timeout)
    return Transport(address, nodes, headers, timeout=timeout, owned=True)


def borrow(client: Any, prefix: str = "") -> Transport:
    """The way of an `elasticsearch.Elasticsearch` object: the nodes that it has now, its credentials and time-outs.

    Requests don't go through the client itself: it would send media types that other engines and versions refuse. It
    stays the caller's to close. ConfigError where it is no such object.
    """
    nodes = client.transport.node_pool.all()
    if any(inspect.iscoroutinefunction(node.perform_request) for node in nodes):
        raise ConfigError("an asynchronous client can't be used: give an elasticsearch.Elasticsearch")
    configs = [node.config for node in nodes]
    hosts = tuple(Host(config.host.strip("[]"), config.port) for config in configs)
    address = Address(configs[0].scheme, hosts, checked_prefix(prefix, "the settings"))
    own = {name.lower(): value for name, value in client._headers.items()}  # noqa: SLF001 - there is no other way
    return Transport(address, nodes, {**own, **_HEADERS}, timeout=None, owned=False)


def _node(config: Any) -> Any:
    """One node; how large an answer may be is not asked for in its configuration."""
    node: Any = elastic_transport.Urllib3HttpNode(config)
    node.pool = bounded.BoundedPool(node.pool)
    return node


def _configs(address: Address, access: Access) -> list[Any]:
    """What elastic_transport wants to know of the nodes."""
    options: dict[str, Any] = {"request_timeout": access.timeout, "connections_per_node": _CONNECTIONS}
    if address.scheme == "https":
        access.tls()  # tells unusable files before the first request
        options["ca_certs"] = access.ca or ssl.get_default_verify_paths().cafile
        options["client_cert"] = access.client_cert or None
        options["client_key"] = access.client_key or None
    names = [str(host).rpartition(":")[0] for host in address.hosts]
    ports = [host.port for host in address.hosts]
    return [elastic_transport.NodeConfig(address.scheme, *one, **options) for one in zip(names, ports, strict=True)]


def _is_unsent(error: Any) -> bool:
    """Tell whether a time-out came before anything was sent: nobody took the connection."""
    return any(isinstance(cause, urllib3.exceptions.ConnectTimeoutError) for cause in error.errors)


def _wait(text: str) -> float:
    """Seconds out of Retry-After; its other form, a date, is left to our own back-off."""
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() else 0.0


_NOISE = re.compile(
    r"<[^<>]* object at 0x[0-9a-f]+>:? ?"
    r"|HTTPS?Connection(?:Pool)?\([^()]*\): "
    r"|Failed to establish a new connection: |\[Errno -?[0-9]+\] |\[SSL[^]]*\] | \(_ssl\.c:[0-9]+\)"
)
_UNKNOWN_ISSUER = ("self-signed certificate", "self signed certificate", "unable to get local issuer certificate")


def _cause(error: BaseException) -> str:
    """The first cause in words, without what is only of use to a programmer."""
    causes = getattr(error, "errors", ())
    text = " ".join(str(causes[0] if causes else error).split())
    text = _NOISE.sub("", text)[:_SHOWN]
    if any(said in text for said in _UNKNOWN_ISSUER):
        text += ": name a file of certificates to trust in TTYSCRIBE_STORE_CA"
    return text or type(error).__name__
