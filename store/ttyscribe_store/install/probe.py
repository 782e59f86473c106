# SPDX-License-Identifier: Apache-2.0
"""What an engine can do, asked of the engine itself: by simulations and by reads, never by product or version.

Nothing is written. What an engine lacks is replaced by the next best that every engine has, and named.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ttyscribe_store.transport import Transport

_KEYWORD = {"type": "keyword", "ignore_above": 8191}
FALLBACKS: dict[str, tuple[dict[str, Any], ...]] = {
    "flattened": ({"type": "flat_object"}, {"type": "object", "enabled": False}),
    "wildcard": (_KEYWORD,),
    "match_only_text": ({"type": "text", "norms": False},),
    "constant_keyword": (_KEYWORD,),
}
"""Types that some engine lacks, and what stands for them there, best first; the last is on every engine."""
EQUAL = ("flat_object",)
"""Not worth a warning: the same under another name."""
_OBJECT = ("object",)


class Abilities(NamedTuple):
    """What an engine can do."""

    types: Mapping[str, Mapping[str, Any]] = {}
    """What stands for each type that was asked about; empty = the type itself."""
    ilm: bool = False
    ism: bool = False
    streams: bool = False
    """Data streams, with the requests to care for them."""
    stream_lifecycle: bool = False
    """Data streams that look after their own retention."""

    def warnings(self) -> list[str]:
        """One line for each type that the engine lacks."""
        found = []
        for name, leaf in sorted(self.types.items()):
            kind = leaf.get("type", name)
            if leaf and kind in _OBJECT:
                found.append(f"the engine has no {name} fields: what stands in them is kept whole, and not found")
            elif leaf and kind not in EQUAL:
                found.append(f"the engine has no {name} fields: {kind} is taken in their place")
        return found


def is_type(there: str, wanted: str) -> bool:
    """Tell whether an engine's type of a field is what our template asks for."""
    return there == wanted or any(there == leaf["type"] for leaf in FALLBACKS.get(wanted, ()))


def probe(transport: Transport, prefix: str, types: Iterable[str]) -> Abilities:
    """Ask the engine. Raises `Unavailable` and `ConfigError` as the transport does."""
    streams = f"/_data_stream/{prefix}ttyscribe-*"
    return Abilities(
        types={name: _standing_for(transport, name) for name in sorted(types) if name in FALLBACKS},
        ilm=_serves(transport, f"/_ilm/policy/{prefix}ttyscribe"),
        ism=_serves(transport, f"/_plugins/_ism/policies/{prefix}ttyscribe"),
        streams=_serves(transport, streams),
        stream_lifecycle=_serves(transport, f"{streams}/_lifecycle"),
    )


def _standing_for(transport: Transport, name: str) -> Mapping[str, Any]:
    choices: tuple[dict[str, Any], ...] = ({}, *FALLBACKS[name])
    *tried, last = choices
    return next((leaf for leaf in tried if _has_type(transport, leaf.get("type", name))), last)


def _has_type(transport: Transport, name: str) -> bool:
    """Simulate a template with one field of that type."""
    body = {
        "index_patterns": ["ttyscribe-probe-of-a-type"],
        "template": {"mappings": {"properties": {"field": {"type": name}}}},
    }
    path = "/_index_template/_simulate"
    answer = transport.request("POST", path, json.dumps(body).encode())
    if answer.status == 400 and f"type [{name}]".encode() in answer.body:
        return False
    if not 200 <= answer.status < 300:
        transport.call("POST", path, body)  # tells what is wrong
    return True


def _serves(transport: Transport, path: str) -> bool:
    """Tell whether an engine knows such requests at all: an object that is not there is told by 404."""
    answer = transport.request("GET", path)
    if answer.status in (400, 405, 410):
        return False
    if answer.status != 404 and not 200 <= answer.status < 300:
        transport.call("GET", path)  # tells what is wrong
    return True
