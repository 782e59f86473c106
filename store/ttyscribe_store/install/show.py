# SPDX-License-Identifier: Apache-2.0
"""A plan for people: what would be done, under which names, and how each object would change. Pure."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ttyscribe_store.install.plan import Plan
from ttyscribe_store.install.steps import Step

_NOTHING = "/dev/null"


def shown(plan: Plan) -> Iterator[str]:
    """The lines of a plan that is not carried out."""
    for refusal in plan.refusals:
        yield f"in the way: {refusal}"
    for step in plan.steps:
        yield step.line(done=False)
        yield from diff(step)
    if not plan.writes:
        yield "nothing to change"


def diff(step: Step) -> Iterator[str]:
    """The unified diff of what a step changes."""
    if step.before is not None or step.after is not None:
        there = f"{step.what} (there)" if step.before is not None else _NOTHING
        wanted = f"{step.what} (wanted)" if step.after is not None else _NOTHING
        yield from difflib.unified_diff(_text(step.before), _text(step.after), there, wanted, lineterm="")


def _text(body: Mapping[str, Any] | None) -> list[str]:
    return [] if body is None else json.dumps(body, indent=1, sort_keys=True, ensure_ascii=True).splitlines()
