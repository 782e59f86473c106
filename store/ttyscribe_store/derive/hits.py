# SPDX-License-Identifier: Apache-2.0
"""One hit for one sight: what was found in a message and in the line that it wrote is the line's; pure.

A line tells the place better, and holds phrases that messages cut in two. A message stays a hit where no line of it was
found: it holds what was typed unseen, hidden, or wiped out at once.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from ttyscribe_store.base import Hit
from ttyscribe_store.derive.transcript import SETTLE_MS
from ttyscribe_store.query import nodes

_MS = 1_000_000
_SLACK_MS = 1000
_REMEMBERED = 100
"""Lines that a message that comes after them may have written."""


def asks_for_kinds(node: nodes.Node) -> bool:
    """Whether a query says itself which kinds of documents it is about."""
    match node:
        case nodes.And() | nodes.Or():
            return any(map(asks_for_kinds, node.nodes))
        case nodes.Not():
            return asks_for_kinds(node.node)
        case nodes.Exact() | nodes.Wild() | nodes.Pattern():
            return node.field in ("kind", "line", "cmd")
    return False


def everyday(node: nodes.Node) -> nodes.Node:
    """The query of somebody who does not ask for kinds: commands are lines, and rows of recordings are no hits."""
    hidden = (nodes.Not(nodes.Exact("kind", "command")), nodes.Not(nodes.Exact("kind", "recording")))
    return nodes.And((*(node.nodes if isinstance(node, nodes.And) else (node,)), *hidden))


def folded(hits: Iterable[Hit]) -> Iterator[Hit]:
    """The hits, ordered by time, without messages of which a line is a hit too."""
    held: list[Hit] = []
    lines: deque[Hit] = deque(maxlen=_REMEMBERED)
    for hit in hits:
        if hit.kind == "line":
            held = [other for other in held if not _wrote(other, hit)]
            lines.append(hit)
        while held and hit.time_ns > held[0].time_ns + (held[0].last_ms - held[0].first_ms + _SLACK_MS) * _MS:
            yield held.pop(0)
        if hit.kind == "tlog" and any(_wrote(hit, line) for line in lines):
            continue
        if hit.kind == "tlog" or held:
            held.append(hit)
        else:
            yield hit
    yield from held


def _wrote(message: Hit, line: Hit) -> bool:
    """Whether a line was on the screen when a message had been shown."""
    if message.kind != "tlog" or message.recording != line.recording:
        return False
    return line.first_ms <= message.last_ms + SETTLE_MS and line.last_ms >= message.first_ms - SETTLE_MS
