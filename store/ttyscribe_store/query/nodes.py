# SPDX-License-Identifier: Apache-2.0
"""The tree of a query. Every node holds for a document or does not; none depends on other documents."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple, Union

from ttyscribe_store.query.regex import Regex


class Everything(NamedTuple):
    """Holds for every document: an empty query."""


class Phrase(NamedTuple):
    """These words stand next to each other among the document's words."""

    words: tuple[str, ...]


class Exact(NamedTuple):
    """A field has exactly this value, or has it among its values."""

    field: str
    value: str


class Wild(NamedTuple):
    """A field's value consists of these parts in this order, with anything between them."""

    field: str
    parts: tuple[str, ...]
    """At least two; the first and the last stand at the value's ends and may be empty."""


class Number(NamedTuple):
    """A field has this number."""

    field: str
    value: int


class Network(NamedTuple):
    """A field's address is in this network."""

    field: str
    network: IPv4Network | IPv6Network


class Pattern(NamedTuple):
    """A field's value holds a match of a regular expression."""

    field: str
    regex: Regex


class Since(NamedTuple):
    """The document's time is this (ns since the epoch) or later."""

    time_ns: int


class Until(NamedTuple):
    """The document's time is before this (ns since the epoch)."""

    time_ns: int


class Not(NamedTuple):
    """The other does not hold. A document without the field does not have the value: it fits."""

    node: "Node"


class And(NamedTuple):
    """All hold; two or more."""

    nodes: "tuple[Node, ...]"


class Or(NamedTuple):
    """Any holds; two or more."""

    nodes: "tuple[Node, ...]"


def phrases(node: "Node") -> Iterator[Phrase]:
    """The phrases that documents are found by; those that must not occur are left out."""
    match node:
        case Phrase():
            yield node
        case And() | Or():
            for inner in node.nodes:
                yield from phrases(inner)


Node = Union[  # noqa: UP007 - it names itself
    Everything, Phrase, Exact, Wild, Number, Network, Pattern, Since, Until, Not, And, Or
]
