# SPDX-License-Identifier: Apache-2.0
"""Steps: what a person is told and the requests that do it. A step without requests is only told."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ttyscribe_store.install import objects
from ttyscribe_store.install.objects import Asset

Action = Literal["create", "update", "overwrite", "keep", "remove", "map", "roll over", "attach", "name"]
DONE: dict[str, str] = {
    "create": "installed",
    "update": "updated",
    "overwrite": "took back",
    "keep": "kept",
    "remove": "removed",
    "map": "extended",
    "roll over": "rolled over",
    "attach": "put under care:",
    "name": "not done:",
}
"""How each is told when it is done."""


class Request(NamedTuple):
    """One request that changes something."""

    method: str
    target: str
    body: Any = None
    absent: bool = False
    """Whether 404 is as good: somebody was quicker."""


class Step(NamedTuple):
    """One thing to do, or to tell."""

    action: Action
    what: str
    """As `index template ttyscribe-tlog`."""
    why: str = ""
    requests: tuple[Request, ...] = ()
    before: Mapping[str, Any] | None = None
    """For the diff: what is there, and what is to be."""
    after: Mapping[str, Any] | None = None
    is_data: bool = False
    """Whether documents go by it."""

    def line(self, *, done: bool = True) -> str:
        """The step in one line."""
        verb = DONE[self.action] if done else self.action
        return f"{verb} {self.what}" + (f", {self.why}" if self.why else "")


def put(asset: Asset, found: Mapping[str, Any] | None = None) -> Request:
    """The request that writes an object."""
    path = asset.path
    if asset.kind == "ism" and found is not None:  # the plugin wants to be told which one is meant
        path += f"?if_seq_no={found.get('_seq_no', 0)}&if_primary_term={found.get('_primary_term', 1)}"
    return Request("PUT", path, asset.body)


def delete(kind: str, name: str) -> Request:
    """The request that removes an object."""
    return Request("DELETE", objects.path_of(kind, name), absent=True)
