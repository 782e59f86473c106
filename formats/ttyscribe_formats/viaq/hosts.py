# SPDX-License-Identifier: Apache-2.0
"""Small rules that several formatters share; pure."""

from typing import Any

from ttyscribe_formats.viaq import Record


def first_set(*values: Any) -> Any:
    """The first that is neither absent, null nor false; else the last."""
    for value in values:
        if value is not None and value is not False:
            return value
    return values[-1]


def of_kubernetes(record: Record) -> Any:
    """The node on which Kubernetes says that a record was made; None where it says none."""
    kubernetes = record.get("kubernetes")
    host = kubernetes.get("host") if type(kubernetes) is dict else None
    return None if host is False else host
