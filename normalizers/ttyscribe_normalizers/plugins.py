# SPDX-License-Identifier: Apache-2.0
"""Kinds of other packages: found by their entry points in the group `ttyscribe.kinds`, and kept from doing harm.

::

    [project.entry-points."ttyscribe.kinds"]
    fail2ban = "ttyscribe_fail2ban:Kind"

The entry point's name is the kind's. A kind that can't be loaded, or fails over a message, is told and stops nobody
else. docs/howto/add-a-normalizer.md shows how to make one.
"""

import importlib.metadata
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, cast

from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_normalizers import kinds
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds import Context, Kind
from ttyscribe_normalizers.logs import Report, Seldom
from ttyscribe_normalizers.watch.snapshot import NOT_KINDS

GROUP = "ttyscribe.kinds"
ORDER = 500
"""Of a kind that says none."""
SESSIONS = 100
"""Kinds of ours with a lower order tell what was done in sessions: who is asked before them has to be preferred."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_RESERVED = frozenset(("viaq", "others"))
"""The profile, and the index template of these kinds."""
_TEXTS = ("@timestamp", "hostname", "level", "message", "viaq_msg_id")
_OWN_TEXTS = ("partition", "received", "trust", "words")
_OURS = ("tlog:", "audit:")
"""Beginnings of ids that only our kinds give: such a document would keep a true one out of the store."""


class Wanted(NamedTuple):
    """What the operator says of kinds of other packages, by their names."""

    prefer: tuple[str, ...] = ()
    """They are asked before all others."""
    without: tuple[str, ...] = ()
    """They are not used."""


class Plugged:
    """A kind of another package. What it raises is told, and what it makes is checked."""

    def __init__(self, name: str, inner: Any, origin: str, report: Report) -> None:
        self.name = name
        self.order: int = getattr(inner, "order", ORDER)
        self.inner = inner
        self.origin = origin
        """Name and version of its distribution."""
        self.schema = getattr(inner, "schema", None)
        self._report = Seldom(report)

    def accepts(self, envelope: Envelope) -> bool:
        """Ask it; where it fails it does not take the message."""
        try:
            return bool(self.inner.accepts(envelope))
        except Exception as error:  # noqa: BLE001 - whatever a stranger's code raises
            self._report(f"the kind {self.name} of {self.origin} failed: {_described(error)}; others were asked")
            return False

    def normalize(self, envelope: Envelope) -> Sequence[Document]:
        """Its documents. Raises MessageError where it does, where it fails, or where they are none."""
        try:
            documents = list(self.inner.normalize(envelope))
            problem = next((why for one in documents if (why := problem_of(one, self.name))), "")
        except MessageError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            problem = _described(error)
        else:
            if not problem:
                return documents
        text = f"the kind {self.name} of {self.origin} failed: {problem}"
        self._report(f"{text}; the message is kept as kind syslog")
        raise MessageError(text)


def problem_of(document: Any, name: str) -> str:
    """Why something is no document of a kind of this name; empty where it is one."""
    own = document.get("ttyscribe") if isinstance(document, dict) else None
    if not isinstance(own, dict):
        return "a document has no `ttyscribe`"
    if own.get("kind") != name:
        return f"a document says that its kind is {own.get('kind')!r}"
    lacking = [key for key in _TEXTS if not isinstance(document.get(key), str)]
    lacking += [f"ttyscribe.{key}" for key in _OWN_TEXTS if not isinstance(own.get(key), str)]
    if lacking:
        return f"a document has no text in {', '.join(lacking)}"
    if document["viaq_msg_id"].startswith(_OURS) or not document["viaq_msg_id"]:
        return f"{document['viaq_msg_id']!r} can't be its id"
    try:
        timestamp.parse(document["@timestamp"])
    except MessageError as error:
        return f"@timestamp: {error}"
    return ""


def load(context: Context, wanted: Wanted, report: Report) -> list[Kind]:
    """All kinds, ours and others', in the order in which they are asked. Raises ConfigError for a name that is none.

    First those that the operator prefers, then ours of sessions, then those of other packages, then ours of any log.
    """
    ours = kinds.load(context)
    taken = {kind.name for kind in ours} | NOT_KINDS | _RESERVED
    points = _points()
    named = {point.name for point in points}
    known = f" (there are: {', '.join(sorted(named))})" if named else ""
    for name in (*wanted.prefer, *wanted.without):
        if name not in named and name in wanted.prefer:
            raise ConfigError(f"no other package has a kind {name!r}{known}")
        if name not in named:
            report(f"no other package has a kind {name!r}, which is not to be used{known}")
    others = []
    for point in points:
        if point.name not in wanted.without:
            found = _plugged(point, context, taken, report)
            if found is not None:
                taken.add(found.name)
                others.append(found)
    return in_order(ours, others, wanted.prefer)


def in_order(ours: Iterable[Kind], others: Iterable[Kind], prefer: Sequence[str]) -> list[Kind]:
    """The order in which they are asked."""
    preferred, rest = [kind for kind in others if kind.name in prefer], [k for k in others if k.name not in prefer]
    preferred.sort(key=lambda kind: prefer.index(kind.name))
    first = [kind for kind in ours if kind.order < SESSIONS]
    last = [kind for kind in ours if kind.order >= SESSIONS]
    return [*preferred, *first, *sorted(rest, key=lambda kind: (kind.order, kind.name)), *last]


def _points() -> list[importlib.metadata.EntryPoint]:
    """The entry points, by name; of two with one name that of the distribution that comes first."""
    found = importlib.metadata.entry_points(group=GROUP)
    return sorted(found, key=lambda point: (point.name, _origin(point)))


def _origin(point: importlib.metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def _plugged(point: importlib.metadata.EntryPoint, context: Context, taken: set[str], report: Report) -> Plugged | None:
    """The kind of one entry point; none, and a report, where it can't be used."""
    origin = _origin(point)
    try:
        problem = "" if (other := _alike(point.name, taken)) is None else f"the name {other!r} is taken"
        if not _NAME.fullmatch(point.name):
            problem = f"{point.name!r} can't be a name: small letters, digits and hyphens, at most 32"
        if not problem:
            make = cast("Callable[[Context], Any]", point.load())
            inner = make(context)
            missing = [name for name in ("accepts", "normalize") if not callable(getattr(inner, name, None))]
            if missing:
                problem = f"it has no {' and no '.join(missing)}"
            elif getattr(inner, "name", None) != point.name:
                problem = f"it is called {getattr(inner, 'name', None)!r} itself"
            elif not isinstance(getattr(inner, "order", ORDER), int):
                problem = "its order is no number"
            else:
                return Plugged(point.name, inner, origin, report)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module does when it is imported
        problem = _described(error)
    report(f"the kind {point.name} of {origin} is left out: {problem}")
    return None


def _alike(name: str, taken: set[str]) -> str | None:
    """A taken name that is this one, or begins with it, or it with this: patterns of indices can't tell them apart."""
    return next(
        (one for one in sorted(taken) if one == name or one.startswith(f"{name}-") or name.startswith(f"{one}-")), None
    )


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]
