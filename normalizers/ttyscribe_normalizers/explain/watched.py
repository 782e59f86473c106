# SPDX-License-Identifier: Apache-2.0
"""Which of our functions a call runs, with what comes in and what goes out: by the interpreter's profile hook.

So that what is told is what was done, and the hot path needs no word of it.
"""

import copy
import inspect
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")

_ROOTS = ("ttyscribe_normalizers.", "ttyscribe_formats.")
_KEPT = frozenset(("record", "uid", "user", "tag"))
"""Arguments whose values are kept."""


class Call(NamedTuple):
    """One call that has returned."""

    module: str
    name: str
    about: str
    """First paragraph of its docstring."""
    parent: int
    """Number of the call from which it was made; -1 for none that is watched."""
    before: dict[str, Any]
    """Arguments at its beginning."""
    after: dict[str, Any]
    """The same at its end: a record is changed in place."""
    result: Any

    @property
    def place(self) -> str:
        """Such as `shapes.journal`."""
        return f"{self.module.removeprefix(_ROOTS[0]).removeprefix(_ROOTS[1])}.{self.name}"


def watch(call: Callable[[], Result]) -> tuple[Result, list[Call]]:
    """What the call gives, and our functions that it ran, in the order in which they began. Raises what it raises."""
    seen = _Seen()
    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        result = call()
    finally:
        sys.setprofile(before)
    return result, seen.calls


class _Seen:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._stack: list[tuple[FrameType, int]] = []

    def __call__(self, frame: FrameType, event: str, result: Any) -> None:
        if event == "call" and str(frame.f_globals.get("__name__", "")).startswith(_ROOTS):
            parent = self._stack[-1][1] if self._stack else -1
            self._stack.append((frame, len(self.calls)))
            kept = _kept(frame)
            self.calls.append(
                Call(frame.f_globals["__name__"], frame.f_code.co_name, _about(frame), parent, kept, kept, None)
            )
        elif event == "return" and self._stack and self._stack[-1][0] is frame:
            number = self._stack.pop()[1]
            kept = _copied(result) if type(result) is dict else result
            self.calls[number] = self.calls[number]._replace(after=_kept(frame), result=kept)


def _kept(frame: FrameType) -> dict[str, Any]:
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    return {name: _copied(frame.f_locals[name]) for name in names if name in _KEPT and name in frame.f_locals}


def _copied(value: Any) -> Any:
    """A copy that later changes don't reach; of what is nested too deep to be copied the thing itself."""
    try:
        return copy.deepcopy(value)
    except RecursionError:
        return value


def _about(frame: FrameType) -> str:
    """A function's docstring stands first among its constants."""
    if sys.version_info >= (3, 14) and not frame.f_code.co_flags & inspect.CO_HAS_DOCSTRING:
        return ""
    constants = frame.f_code.co_consts
    text = constants[0] if constants and isinstance(constants[0], str) else ""
    return " ".join(text.strip().partition("\n\n")[0].split())
