# SPDX-License-Identifier: Apache-2.0
"""Asks an engine over HTTP as tlog's users do: credentials in the URL, in a variable or in .netrc, for any scheme that
the server wants; redirects are followed.

Secrets go to the server that was named and to no other: a redirect to another one takes none with it. Nobody's password
is sent before the server asks for it.
"""

import base64
import hashlib
import http.client
import json
import netrc
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from secrets import token_hex
from typing import Any, NamedTuple

from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.access import Access

USER_VARIABLE = "TLOG_CURL_USERPWD"
VARIABLES = "TTYSCRIBE_ES_"
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_HOPS = 8
_SHOWN = 200
_CHALLENGE = re.compile(r"\s*(Basic|Digest|[A-Za-z][A-Za-z0-9-]*)((?:\s+|,\s*)[a-z-]+\s*=.*)?", re.IGNORECASE)
_PARAMETER = re.compile(r'([A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES = {"MD5": "md5", "SHA-256": "sha256"}
Tell = Callable[[str], None]


class _Answer(NamedTuple):
    status: int
    reason: str
    headers: Message
    body: bytes


class Client:
    """One `_search`. `tell` is told of each request, where it is given."""

    def __init__(self, base: str, access: Access, tell: Tell | None = None) -> None:
        parts = _parts(base)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("--es-baseurl is no http or https address, as http://host:9200/tlog/_search")
        if "?" in base or "#" in base:
            raise ConfigError("--es-baseurl must not hold ? or #: it is the address of a _search")
        access = access.completed()
        self._authorization = access._replace(user="").authorization()  # an API key or a token
        self._user = "" if self._authorization else _user(parts, access)
        self._challenge: dict[str, str] = {}
        self._count = 0
        self._url = _without_user(parts)
        self._origin = _origin(self._url)
        self._tell = tell
        self._seconds = access.timeout
        self._opener = urllib.request.OpenerDirector()
        tls = urllib.request.HTTPSHandler(context=access.tls())
        for handler in (urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), tls):
            self._opener.add_handler(handler)

    def ask(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a search. Unavailable where there is none that is whole, ConfigError where nobody is let in."""
        data = json.dumps(body).encode()
        tried = False
        for _ in range(_MOST_HOPS):
            answer = self._send(data)
            if answer.status in _REDIRECTS and answer.headers["Location"]:
                self._redirect(answer.headers["Location"])
            elif answer.status in (401, 403) and self._user and not tried and _origin(self._url) == self._origin:
                tried = True
                if not self._suit(answer):
                    return self._read(answer)
            else:
                return self._read(answer)
        raise Unavailable(f"{self._url}: redirected again and again")

    def _redirect(self, location: str) -> None:
        try:
            parts = _parts(urllib.parse.urljoin(self._url, location))
        except ValueError:
            parts = None
        safe = ("https",) if self._url.startswith("https:") else ("http", "https")
        if parts is None or parts.scheme not in safe or not parts.hostname:
            raise Unavailable(f"{self._url}: redirects to where nobody should go: {location[:_SHOWN]!r}")
        self._url = _without_user(parts)

    def _suit(self, refused: _Answer) -> bool:
        """Get ready to say who asks, in a way that the server knows; False where it knows none of ours."""
        self._challenge = {}
        offered = [_challenge(text) for text in refused.headers.get_all("WWW-Authenticate") or ()]
        digests = [parameters for scheme, parameters in offered if scheme == "digest"]
        digests = [one for one in digests if one.get("algorithm", "MD5").upper() in _HASHES and "nonce" in one]
        if digests:
            self._challenge = max(digests, key=lambda one: one.get("algorithm", "MD5").upper() == "SHA-256")
            return True
        if refused.status == 401 and not any(scheme == "basic" for scheme, _ in offered):
            return False
        self._authorization = f"Basic {base64.b64encode(self._user.encode()).decode()}"
        return True

    def _send(self, data: bytes) -> _Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "ttyscribe"}
        parts = urllib.parse.urlsplit(self._url)
        if _origin(self._url) == self._origin:
            if self._challenge:
                self._count += 1
                user, _, password = self._user.partition(":")
                headers["Authorization"] = digest(
                    self._challenge, "POST", parts.path or "/", user, password, self._count, token_hex(8)
                )
            elif self._authorization:
                headers["Authorization"] = self._authorization
        if self._tell:
            self._tell(f"asking {self._url} {data.decode()}")
        request = urllib.request.Request(self._url, data, headers, method="POST")  # noqa: S310 # http and https alone
        try:
            with self._opener.open(request, timeout=self._seconds) as answer:
                return _Answer(answer.status, answer.reason, answer.headers, answer.read())
        except urllib.error.URLError as error:
            raise Unavailable(f"{self._url}: {getattr(error.reason, 'strerror', None) or error.reason}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"{self._url}: {str(error) or type(error).__name__}") from None

    def _read(self, answer: _Answer) -> dict[str, Any]:
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError):
            found = None
        if answer.status in (401, 403):
            why = _why(found) or "it wants to know who asks: a user in the URL, in .netrc, or an API key"
            raise ConfigError(f"{self._url}: HTTP status {answer.status}: {why}")
        if answer.status != 200:
            raise Unavailable(f"{self._url}: HTTP status {answer.status} {answer.reason}: {_why(found)}".rstrip(": "))
        if not isinstance(found, dict):
            raise Unavailable(f"{self._url}: the answer is no JSON object")
        shards = found.get("_shards")
        if found.get("timed_out") or (isinstance(shards, dict) and shards.get("failed")):
            raise Unavailable(f"{self._url}: only a part of the index answered")
        return found


def _user(parts: urllib.parse.SplitResult, access: Access) -> str:
    """USER:PASSWORD for this server, from the first place that knows it."""
    if parts.username:
        return f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
    named = os.environ.get(USER_VARIABLE, "")
    if named:
        return named
    if access.user:
        return base64.b64decode(access.authorization().removeprefix("Basic ")).decode()
    return _from_netrc(parts.hostname or "")


def _from_netrc(host: str) -> str:
    path = os.environ.get("NETRC", "") or os.path.expanduser("~/.netrc")
    if not os.path.exists(path):
        return ""
    try:
        found = netrc.netrc(path).authenticators(host)
    except netrc.NetrcParseError as error:
        raise ConfigError(error.msg, path, error.lineno or 0) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't be read: {getattr(error, 'strerror', None) or error}", path) from None
    return f"{found[0]}:{found[2]}" if found and found[0] else ""


def _without_user(parts: urllib.parse.SplitResult) -> str:
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _parts(url: str) -> urllib.parse.SplitResult | None:
    """None where that is no address."""
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _origin(url: str) -> tuple[str, str, int]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _why(found: object) -> str:
    """The reason in an engine's error."""
    error = found.get("error") if isinstance(found, dict) else None
    if isinstance(error, dict):
        causes = error.get("root_cause")
        first = causes[0] if isinstance(causes, list) and causes else error
        error = first.get("reason") if isinstance(first, dict) else None
    text = error if isinstance(error, str) else ""
    return "".join(c if c.isprintable() else " " for c in text)[:_SHOWN]


def _challenge(text: str) -> tuple[str, dict[str, str]]:
    """One WWW-Authenticate: the scheme and its parameters."""
    match = _CHALLENGE.match(text)
    if match is None:
        return "", {}
    found = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(match[2] or "")}
    return match[1].lower(), found


def digest(
    challenge: Mapping[str, str], method: str, uri: str, user: str, password: str, count: int, cnonce: str
) -> str:
    """The Authorization header of RFC 7616."""
    algorithm = challenge.get("algorithm", "MD5").upper()

    def hashed(text: str) -> str:
        return hashlib.new(_HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce = challenge.get("realm", ""), challenge["nonce"]
    first, second = hashed(f"{user}:{realm}:{password}"), hashed(f"{method}:{uri}")
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
    more = f", algorithm={algorithm}"
    if "auth" in [word.strip() for word in challenge.get("qop", "").split(",")]:
        number = f"{count:08x}"
        fields["response"] = hashed(f"{first}:{nonce}:{number}:{cnonce}:auth:{second}")
        more += f', qop=auth, nc={number}, cnonce="{cnonce}"'
    else:
        fields["response"] = hashed(f"{first}:{nonce}:{second}")
    if "opaque" in challenge:
        fields["opaque"] = challenge["opaque"]
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items()) + more
