# SPDX-License-Identifier: Apache-2.0
"""An explanation as lines for people; pure. Nothing of the data reaches a terminal but what prints."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ttyscribe_normalizers import show
from ttyscribe_normalizers.explain.origins import Origin
from ttyscribe_normalizers.explain.steps import Chosen, Step
from ttyscribe_normalizers.explain.walk import Asked, Explained, Made, Reading

_LONGEST = 100
"""Characters of a value, and of a list of sources; the document shows values whole."""
_HEADING = 10


class Row(NamedTuple):
    """One line, and what it is: `title`, `good`, `bad`, `quiet`, or plain."""

    text: str
    style: str = ""


def rows(found: Explained) -> Iterator[Row]:
    """All that is to be said of one line."""
    is_stored = found.outcome.startswith("stored") and " error:" not in found.outcome
    yield Row(f"line {found.line}, {found.size} bytes: {show.printable(found.outcome)}", "good" if is_stored else "bad")
    if found.entry:
        yield _row("was dead", found.entry)
    if found.reading is not None:
        yield from _reading(found.reading)
    for asked in found.asked:
        yield from _asked(asked, asked is found.asked[0])
    for chosen in found.chosen:
        yield from _chosen(chosen)
    for step in found.steps:
        yield from _step(step)
    for made in found.made:
        yield from _made(made)


def _row(heading: str, text: str, style: str = "") -> Row:
    return Row(f"  {heading:{_HEADING}} {show.printable(text)}".rstrip(), style)


def _reading(reading: Reading) -> Iterator[Row]:
    yield _row("read", reading.what, "title")
    yield _row("", f"by {reading.by}", "quiet")
    for name, value in reading.fields.items():
        yield _row("", f"{name} = {_short(value)}", "quiet")
    for number, sentence in enumerate(reading.attested):
        yield _row("" if number else "attested", sentence)


def _asked(asked: Asked, is_first: bool) -> Iterator[Row]:
    style = {"took it": "good", "took it, but could not read it": "bad"}.get(asked.answer, "quiet")
    yield _row("kinds" if is_first else "", f"{asked.kind} {asked.answer} ({asked.why})", style)


def _chosen(chosen: Chosen) -> Iterator[Row]:
    yield _row("tag", chosen.tag, "title")
    yield _row("", f"formatter: {chosen.formatter}")
    yield _row("", f"index name: {chosen.index_name}")


def _step(step: Step) -> Iterator[Row]:
    yield _row("step", step.name, "title")
    for name, (before, after) in step.changed.items():
        if before is None:
            yield _row("", f"+ {name} = {_short(after)}", "good")
        elif after is None:
            yield _row("", f"- {name} (was {_short(before)})", "bad")
        else:
            yield _row("", f"~ {name} = {_short(after)} (was {_short(before)})")


def _made(made: Made) -> Iterator[Row]:
    if made.trust:
        yield _row("trust", made.trust)
    yield _row("identity", made.identity)
    yield _row("place", made.place)
    width = min(40, max(len(origin.field) for origin in made.origins))
    for number, origin in enumerate(made.origins):
        yield _row("" if number else "fields", f"{origin.field:{width}} {_origin(origin)}")
    yield _row("document", "", "title")
    for line in show.pretty(made.document, 2).split("\n"):
        yield Row(f"    {line}")


def _origin(origin: Origin) -> str:
    if not origin.sources:
        return "fixed"
    if not origin.copy_of:
        return f"< {_listed(origin.sources)}"
    others = [source for source in origin.sources if source != origin.copy_of]
    return f"= {origin.copy_of}{f' (depends on {_listed(others)})' if others else ''}"


def _listed(sources: Sequence[str]) -> str:
    """The names, as far as there is room."""
    shown: list[str] = []
    for number, name in enumerate(sources):
        if len(", ".join([*shown, name])) > _LONGEST and shown:
            return f"{', '.join(shown)} and {len(sources) - number} more"
        shown.append(name)
    return ", ".join(shown)


def _short(value: Any) -> str:
    text = show.pretty(value.decode("latin-1") if isinstance(value, bytes) else value, None)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
