# SPDX-License-Identifier: Apache-2.0
"""tlog-play's other readers: messages out of a journal, or out of an Elasticsearch index as tlog's users have them.

What they read is kept in an unnamed temporary file and then played as a file of messages is: with several recordings
in it, twice or out of order.
"""

import base64
import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, NamedTuple

from ttyscribe_formats.errors import ConfigError, Unavailable

_PAGE = 1000
_SECONDS = 60.0
_USER_VARIABLE = "TLOG_CURL_USERPWD"
Complain = Callable[[str], None]


class Journal(NamedTuple):
    """Which entries: times are seconds since the epoch."""

    since: int | None
    until: int | None
    matches: Sequence[str]
    """FIELD=value, and OR between groups of them."""
    namespace: str


def from_journal(wanted: Journal, complain: Complain) -> BinaryIO:
    """A file of the messages that the journal's entries hold."""
    command = ["journalctl", "--all", "--quiet", "--no-pager", "--output=json"]
    command += [f"--since=@{wanted.since}"] if wanted.since is not None else []
    command += [f"--until=@{wanted.until}"] if wanted.until is not None else []
    command += [f"--namespace={wanted.namespace}"] if wanted.namespace else []
    file = tempfile.TemporaryFile()  # noqa: SIM115 # its reader closes it
    try:
        process = subprocess.Popen(
            [*command, "--", *_terms(wanted.matches)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise ConfigError(f"the journal can't be read: journalctl: {error.strerror or error}") from None
    with process:
        for number, line in enumerate(process.stdout or (), 1):
            message = _entry(line)
            if message is None:
                complain(f"entry {number} of the journal is no message of a recording")
            else:
                file.write(message.replace(b"\n", b" ") + b"\n")
    if process.returncode:
        complain(f"journalctl ended with status {process.returncode}")
    file.seek(0)
    return file


def _terms(matches: Sequence[str]) -> list[str]:
    """As journalctl wants them. It has no AND between groups: matches of different fields are joined by it anyway."""
    if "AND" in matches and "OR" in matches:
        raise ConfigError("--journal-match: AND and OR together are not possible here")
    for match in matches:
        if match not in ("AND", "OR") and "=" not in match:
            raise ConfigError(f"--journal-match: {match!r} is not FIELD=value, AND or OR")
    return ["+" if match == "OR" else match for match in matches if match != "AND"]


def _entry(line: bytes) -> bytes | None:
    """The message of one entry, which may be a list of bytes."""
    try:
        message = json.loads(line)["MESSAGE"]
        return bytes(message) if isinstance(message, list) else message.encode("utf-8", "surrogatepass")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


class Search(NamedTuple):
    """A search in Elasticsearch or OpenSearch: the address of its `_search`, and a query string."""

    base: str
    query: str
    verbose: bool


def from_search(wanted: Search, complain: Complain) -> BinaryIO:
    """A file of the messages that were found: tlog's fields at the top of the documents, or under `tlog`."""
    if "?" in wanted.base or "#" in wanted.base:
        raise ConfigError(f"--es-baseurl: {wanted.base!r} must not hold ? or #: it is the address of a _search")
    file = tempfile.TemporaryFile()  # noqa: SIM115 # its reader closes it
    field, last = "id", -1
    seen: set[str] = set()
    while True:
        query = f"({wanted.query}) AND {field}:>={last}" if last >= 0 else wanted.query
        hits = _page(wanted, query, field, complain)
        if hits is None:  # there is no such field to sort by
            field = "tlog.id"
            hits = _page(wanted, query, field, complain) or []
        fresh = [hit for hit in hits if str(hit.get("_index")) + "/" + str(hit.get("_id")) not in seen]
        for hit in fresh:
            seen.add(str(hit.get("_index")) + "/" + str(hit.get("_id")))
            message = _message(hit)
            if message is None:
                complain(f"document {hit.get('_id')!r} is no message of a recording")
                continue
            last = max(last, message["id"])
            file.write(json.dumps(message).encode() + b"\n")
        if not fresh or len(hits) < _PAGE:
            break
    file.seek(0)
    return file


def _message(hit: dict[str, Any]) -> dict[str, Any] | None:
    source = hit.get("_source")
    fields = source.get("tlog", source) if isinstance(source, dict) else None
    is_message = isinstance(fields, dict) and isinstance(fields.get("id"), int) and "timing" in fields
    return fields if is_message else None


def _page(wanted: Search, query: str, field: str, complain: Complain) -> list[dict[str, Any]] | None:
    """One page of hits; none where the engine can't sort by this field."""
    parts = urllib.parse.urlsplit(wanted.base)
    host = parts.netloc.rpartition("@")[2]
    asked = urllib.parse.urlencode({"q": query, "sort": f"{field}:asc", "size": _PAGE})
    address = urllib.parse.urlunsplit((parts.scheme, host, parts.path, asked, ""))
    if wanted.verbose:
        complain(f"asking {address}")
    try:
        request = urllib.request.Request(address, headers=_headers(parts))  # noqa: S310 # the operator named it
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            body = json.load(answer)
        hits = body["hits"]["hits"]
    except urllib.error.HTTPError as error:
        if error.code == 400 and field == "id":
            return None
        raise Unavailable(f"{parts.scheme}://{host}: HTTP status {error.code} {error.reason}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"{parts.scheme}://{host}{parts.path}: {error}") from None
    if not isinstance(hits, list):
        raise Unavailable(f"{parts.scheme}://{host}{parts.path}: the answer has no hits")
    return [hit for hit in hits if isinstance(hit, dict)]


def _headers(parts: urllib.parse.SplitResult) -> dict[str, str]:
    """Who asks: by the URL, or by tlog's own variable."""
    user = os.environ.get(_USER_VARIABLE, "")
    if parts.username:
        user = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"} if user else {}
