# SPDX-License-Identifier: Apache-2.0
"""Which product answers, in which version, and what bundle it takes."""

import re
from typing import Any, Literal, NamedTuple

from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana.bundle import Bundle
from ttyscribe_kibana.client import Answer, Client

Flavour = Literal["kibana", "opensearch-dashboards"]

NAMES: dict[Flavour, str] = {"kibana": "Kibana", "opensearch-dashboards": "OpenSearch Dashboards"}
LENS_FROM = (8, 9)
"""Kibana from this version on takes the bundle with Lens."""
OLDEST_KIBANA = (7, 10)
"""The first Kibana that knows the versions of the other bundle."""
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,9}){0,3}(-[A-Za-z0-9.+_-]{1,40})?")
_NEWEST = {"kibana": 9, "opensearch-dashboards": 3}


class Server(NamedTuple):
    """Who answers."""

    flavour: Flavour
    version: str

    def __str__(self) -> str:
        return f"{NAMES[self.flavour]} {self.version}"

    @property
    def number(self) -> tuple[int, int]:
        """Major and minor version."""
        parts = self.version.split("-")[0].split(".")
        return int(parts[0]), int(parts[1]) if len(parts) > 1 else 0

    @property
    def is_newer_than_known(self) -> bool:
        """Tell whether this release has been made before that major version."""
        return self.number[0] > _NEWEST[self.flavour]

    @property
    def bundle(self) -> Bundle:
        """The bundle that it takes; ConfigError where it is too old for both."""
        if self.flavour == "opensearch-dashboards":
            return "opensearch-dashboards"
        if self.number >= LENS_FROM:
            return "kibana"
        if self.number >= OLDEST_KIBANA:
            return "opensearch-dashboards"
        oldest = ".".join(str(n) for n in OLDEST_KIBANA)
        raise ConfigError(
            f"{self} is too old: the pages need Kibana {oldest} or OpenSearch Dashboards 1.0 or newer: "
            "upgrade it, or leave --kibana out"
        )


def identify(client: Client, flavour: Flavour | None = None) -> Server:
    """Ask for the version, which the client's messages name from then on.

    `flavour` decides where the answer does not; a contradiction is a ConfigError.
    """
    answer = client.request("GET", "/api/status")
    status = answer.json()
    if answer.status != 200 or not isinstance(status, dict):
        raise ConfigError(f"{client.url}: {_who_instead(answer)}; give the address of Kibana or OpenSearch Dashboards")
    version = _version(status)
    if not version:
        raise ConfigError(f"{client.url}: tells its version only to those who sign in: give credentials")
    seen = _flavour(answer, status, version)
    if flavour is not None and seen is not None and seen != flavour:
        raise ConfigError(f"{client.url}: is {NAMES[seen]} {version}, not {NAMES[flavour]}")
    decided = seen or flavour
    if decided is None:
        raise ConfigError(
            f"{client.url} (version {version}) is neither Kibana nor OpenSearch Dashboards for sure: say which"
        )
    server = Server(decided, version)
    client.name = f"{server} at {client.url}"
    return server


def _who_instead(answer: Answer) -> str:
    if "x-elastic-product" in answer.headers or b"no handler found" in answer.data:
        return "is the search engine, not its user interface"
    return f"has no status page ({answer.status}: {answer.message})"


def _version(status: dict[str, Any]) -> str:
    found = status.get("version")
    number = found.get("number") if isinstance(found, dict) else found
    return number if isinstance(number, str) and _VERSION.fullmatch(number) else ""


def _flavour(answer: Answer, status: dict[str, Any], version: str) -> Flavour | None:
    """By the name header; else by the version: Kibana has counted from 4 on, OpenSearch Dashboards begins at 1."""
    if "osd-name" in answer.headers:
        return "opensearch-dashboards"
    if "kbn-name" in answer.headers:
        return "kibana"
    if "opensearch" in str(status.get("status")):
        return "opensearch-dashboards"
    major = int(version.split(".", maxsplit=1)[0])
    return None if major in (4, 5, 6) else "kibana" if major > 6 else "opensearch-dashboards"
