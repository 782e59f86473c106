# SPDX-License-Identifier: Apache-2.0
"""One file a message kind, found by looking: a module here that has a class `Kind` is one.

To add a kind: its module, one example in its docstring, a folder of golden cases, its fields under `fields/`:
docs/howto/add-a-normalizer.md. Orders below 100 are for kinds that tell what was done in sessions, which are asked
before those of other packages; 100 and more for kinds of any other log.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from ttyscribe_formats.document import Document
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.trust import Trust


class Context(NamedTuple):
    """What kinds are made with."""

    trust: Trust
    stamp: Callable[[], str]
    """A new id, for a message that has none of its own and none of its shipper's."""
    protocol: str = ""
    """Protocol by which the lines come."""
    version: str = ""
    """Of ttyscribe."""


class Kind(Protocol):
    """One kind of message."""

    name: str
    order: int
    """Kinds are asked in this order, lowest first; the last takes everything."""

    def accepts(self, envelope: Envelope) -> bool:
        """Tell whether the message looks like one of this kind."""

    def normalize(self, envelope: Envelope) -> Sequence[Document]:
        """The message's documents; none = nothing to store. Raises MessageError where it is broken."""


def load(context: Context) -> list[Kind]:
    """All kinds, in the order in which they are asked."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    kinds: list[Kind] = [module.Kind(context) for module in modules if hasattr(module, "Kind")]
    return sorted(kinds, key=lambda kind: kind.order)


def about(kind: Kind) -> tuple[str, str]:
    """The package that a kind is from, and what it takes: the first line of its module's docstring."""
    module = importlib.import_module(type(getattr(kind, "inner", kind)).__module__)
    return module.__name__.partition(".")[0], (module.__doc__ or "").partition("\n")[0]


def table(known: Sequence[Kind]) -> str:
    """The kinds in the order in which they are asked, one line each: name, package, what it takes."""
    rows = [(kind.name, *about(kind)) for kind in known]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{name:{widths[0]}}  {package:{widths[1]}}  {text}".rstrip() for name, package, text in rows)
