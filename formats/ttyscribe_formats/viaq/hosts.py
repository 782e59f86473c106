# SPDX-License-Identifier: Apache-2.0
"""Small rules that several formatters share; pure."""

from collections.abc import Sequence
from typing import Any

from ttyscribe_formats.viaq import Record
from ttyscribe_formats.viaq.displaced import Displaced

TEXTS = ("MESSAGE", "log")
"""Fields of which the message is made."""


def find_message(record: Record, keys: Sequence[str], displaced: Displaced) -> None:
    """Where a record has no message, the first of `keys` that is neither absent, null nor false; else the last."""
    before = record.get("message")
    if before is not None and before is not False:
        return
    found = None
    for key in keys:
        found = record.get(key)
        if found is not None and found is not False:
            break
    record["message"] = found
    if before is False and found is not False:
        displaced.put("message", before)


def keep_texts(record: Record, keys: Sequence[str], displaced: Displaced) -> None:
    """Keep texts that are to be removed and are not the message."""
    message = record.get("message")
    for key in keys:
        if key in record:
            displaced.replaced(key, record[key], message)


def of_kubernetes(record: Record) -> Any:
    """The node on which Kubernetes says that a record was made; None where it says none."""
    kubernetes = record.get("kubernetes")
    host = kubernetes.get("host") if type(kubernetes) is dict else None
    return None if host is False else host
