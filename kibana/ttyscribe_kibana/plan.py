# SPDX-License-Identifier: Apache-2.0
"""Decides, object by object, what setup does: what is ours and unedited follows the release, an edit stays. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ttyscribe_kibana.bundle import SavedObject
from ttyscribe_kibana.manifest import Entry, content_digest, differing, is_same, shipped_digest, updated_at
from ttyscribe_kibana.saved import Key, key_of, named

Action = Literal["same", "create", "upgrade", "restore", "keep", "remove"]
WRITES: tuple[Action, ...] = ("create", "upgrade", "restore")


class Step(NamedTuple):
    """What is to be done about one object."""

    action: Action
    key: Key
    why: str
    """What differs, for those that do."""

    def __str__(self) -> str:
        return named(self.key) + (f" ({self.why})" if self.why else "")


def plan(
    ours: Sequence[SavedObject],
    theirs: Mapping[Key, SavedObject],
    entries: Mapping[Key, Entry],
    *,
    overwrite: bool = False,
) -> list[Step]:
    """One step for each object that we ship, and for each that we shipped once and ship no more."""
    steps = [_step(one, theirs.get(key_of(one)), entries.get(key_of(one)), overwrite=overwrite) for one in ours]
    shipped = {key_of(one) for one in ours}
    return steps + [
        _leave(theirs[key], entry, overwrite=overwrite)
        for key, entry in entries.items()
        if key not in shipped and key in theirs
    ]


def _step(ours: SavedObject, theirs: SavedObject | None, entry: Entry | None, *, overwrite: bool) -> Step:
    key = key_of(ours)
    if theirs is None:
        return Step("create", key, "")
    why = ", ".join(differing(ours, theirs))
    if is_untouched(theirs, entry) or content_digest(theirs) == content_digest(ours):
        is_current = entry.shipped == shipped_digest(ours) if entry and entry.stored else is_same(ours, theirs)
        return Step("same", key, "") if is_current else Step("upgrade", key, why)
    if is_same(ours, theirs):
        return Step("same", key, "")
    return Step("restore" if overwrite else "keep", key, why)


def _leave(theirs: SavedObject, entry: Entry, *, overwrite: bool) -> Step:
    """What no release ships any more goes, unless somebody edited it."""
    if overwrite or is_untouched(theirs, entry):
        return Step("remove", key_of(theirs), "no longer part of it")
    return Step("keep", key_of(theirs), "no longer part of it, but edited")


def is_untouched(theirs: SavedObject, entry: Entry | None) -> bool:
    """Whether an object is as it was kept after we sent it. A server's own upgrade changes content, not the time.

    What an interrupted run was about to send was untouched then.
    """
    if entry is None:
        return False
    return (
        not entry.stored
        or content_digest(theirs) == entry.stored
        or bool(entry.updated and updated_at(theirs) == entry.updated)
    )


def removal(
    ours: Sequence[SavedObject],
    theirs: Mapping[Key, SavedObject],
    entries: Mapping[Key, Entry],
    *,
    overwrite: bool = False,
) -> list[Step]:
    """What to remove of all that is ours: what was edited stays, and so does what it refers to."""
    shipped = {key_of(one): content_digest(one) for one in ours}
    edited = {
        key
        for key, one in theirs.items()
        if not overwrite and not is_untouched(one, entries.get(key)) and content_digest(one) != shipped.get(key)
    }
    kept = _with_targets(edited, theirs)
    return [
        Step("keep", key, "edited" if key in edited else "an edited one refers to it")
        if key in kept
        else Step("remove", key, "")
        for key in theirs
    ]


def _with_targets(keys: Iterable[Key], theirs: Mapping[Key, SavedObject]) -> set[Key]:
    found: set[Key] = set()
    left = list(keys)
    while left:
        key = left.pop()
        if key in found or key not in theirs:
            continue
        found.add(key)
        left += [(str(one.get("type")), str(one.get("id"))) for one in theirs[key]["references"]]
    return found
