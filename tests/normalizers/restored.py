# SPDX-License-Identifier: Apache-2.0
"""Puts together again what went into a document, from the places where the contract says that it is kept."""

import base64
import json
from typing import Any

from ttyscribe_formats.viaq.systemd import KERNEL, TRUSTED, USER

_PLACES = {
    **{f"_{name}": ("t", name) for name in (*TRUSTED, "HOSTNAME", "SOURCE_REALTIME_TIMESTAMP")},
    **{name: ("u", name) for name in USER if name != "CODE_FUNCTION"},
    "CODE_FUNC": ("u", "CODE_FUNCTION"),
    **{f"_{name}": ("k", name) for name in KERNEL},
}


def _data(text: Any, encoded: Any) -> Any:
    """A field's bytes: of its base64, else of its text."""
    if isinstance(text, list):
        pairs = zip(text, encoded or [None] * len(text), strict=True)
        return [_data(one, data) for one, data in pairs]
    if encoded:
        return base64.b64decode(encoded)
    return text.encode() if isinstance(text, str) else text


def journal(document: Any) -> dict[str, Any]:
    """The fields of a journal entry; texts as bytes, of several values a list."""
    own = document["ttyscribe"]
    if "original" in own:
        return {name: as_bytes(value) for name, value in json.loads(own["original"]).items()}
    found = {}
    for name, (group, key) in _PLACES.items():
        if key in document.get("systemd", {}).get(group, {}) and name not in document.get("journal", {}):
            found[name] = _data(document["systemd"][group][key], own.get("bytes", {}).get(name))
    for name, text in document.get("journal", {}).items():
        found[name] = _data(text, own.get("bytes", {}).get(name))
    if "MESSAGE" not in found:
        found["MESSAGE"] = base64.b64decode(own["raw"]) if "raw" in own else document["message"].encode()
    return found


def as_bytes(value: Any) -> Any:
    """A field as the journal gives it: text, an array of bytes, or several of these; as bytes, or a list of them."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, list) and value and not isinstance(value[0], int):
        return [as_bytes(one) for one in value]
    return bytes(value) if isinstance(value, list) and value else value
