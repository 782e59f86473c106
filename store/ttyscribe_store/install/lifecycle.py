# SPDX-License-Identifier: Apache-2.0
"""What removes old indices and begins data streams anew: ILM and ISM policies, and the retention of a stream. Pure.

Off unless a retention is asked for; data streams are rolled over in any case, where the engine can do it. Nothing goes
before it has been kept for as many days as asked for: an index is as old as its first document, so that a month's goes
a month later, and a stream's after its rollover.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_store.base import DERIVED
from ttyscribe_store.install import objects
from ttyscribe_store.install.objects import Asset
from ttyscribe_store.install.probe import Abilities
from ttyscribe_store.install.settings import Settings
from ttyscribe_store.install.steps import Request, Step
from ttyscribe_store.partition import DAILY, MONTHLY, STREAM

MONTHLY_POLICY, DAILY_POLICY, STREAM_POLICY = "ttyscribe-monthly", "ttyscribe-daily", "ttyscribe-stream"
POLICIES = (MONTHLY_POLICY, DAILY_POLICY, STREAM_POLICY)
"""Their names, without a prefix."""
DATES = ("1*.*", "2*.*")
"""Ends of the names of indices of a month or a day; `implausible-time` is none of them."""
_SPAN = {MONTHLY_POLICY: 31, DAILY_POLICY: 1}
"""Days that an index is written in."""
_ROLL_DAYS = 30
_ROLL_SIZE = "30gb"
_AT_ONCE = 40


def of_stream(settings: Settings) -> dict[str, Any]:
    """The lifecycle that a data stream looks after itself (Elasticsearch)."""
    return {"data_retention": f"{settings.retention_days}d"} if settings.retention_days else {}


def _needed(settings: Settings, abilities: Abilities) -> list[str]:
    names = [MONTHLY_POLICY] if settings.retention_days else []  # what is derived is in monthly indices always
    if settings.retention_days and settings.layout == DAILY:
        names.append(DAILY_POLICY)
    if settings.layout == STREAM and not abilities.stream_lifecycle:
        names.append(STREAM_POLICY)
    return names


def policies(prefix: str, settings: Settings, abilities: Abilities, version: int) -> list[Asset]:
    """The policies that the engine is to have."""
    if abilities.ilm:
        return [_ilm(prefix, name, settings, version) for name in _needed(settings, abilities)]
    if abilities.ism:
        return [_ism(prefix, name, settings, version) for name in _needed(settings, abilities)]
    return []


def warnings(settings: Settings, abilities: Abilities) -> list[str]:
    """One line for each thing that the engine can't do."""
    found = []
    managed = abilities.ilm or abilities.ism
    if settings.layout == STREAM and not (managed or abilities.stream_lifecycle):
        found.append("the engine has no lifecycle of data streams, no ILM and no ISM: roll the streams over yourself")
    if settings.retention_days and not managed:
        way = "" if settings.layout == STREAM else "; ttyscribe store retention does it"
        what = "derived documents are" if settings.layout == STREAM and abilities.stream_lifecycle else "nothing is"
        found.append(f"the engine has neither ILM nor ISM: {what} removed by age{way}")
    return found


def _mark(version: int) -> dict[str, Any]:
    return {"managed_by": objects.OWNER, "version": version}


def _ilm(prefix: str, name: str, settings: Settings, version: int) -> Asset:
    phases: dict[str, Any] = {}
    if name == STREAM_POLICY:
        rollover = {"max_age": f"{_ROLL_DAYS}d", "max_primary_shard_size": _ROLL_SIZE}
        phases["hot"] = {"min_age": "0ms", "actions": {"rollover": rollover}}
    if settings.retention_days:
        phases["delete"] = {"min_age": f"{_age(name, settings)}d", "actions": {"delete": {}}}
    return Asset("ilm", prefix + name, {"policy": {"phases": phases, "_meta": _mark(version)}})


def _age(name: str, settings: Settings) -> int:
    return settings.retention_days + _SPAN.get(name, 0)


def _ism(prefix: str, name: str, settings: Settings, version: int) -> Asset:
    first: dict[str, Any] = {"name": "keep", "actions": [], "transitions": []}
    condition = "min_index_age"
    if name == STREAM_POLICY:
        first["actions"] = [{"rollover": {"min_index_age": f"{_ROLL_DAYS}d", "min_size": _ROLL_SIZE}}]
        condition = "min_rollover_age"
    states = [first]
    if settings.retention_days:
        age = f"{_age(name, settings)}d"
        first["transitions"] = [{"state_name": "delete", "conditions": {condition: age}}]
        states.append({"name": "delete", "actions": [{"delete": {}}], "transitions": []})
    patterns, priority = _covered(prefix, name, settings)
    policy = {
        "description": objects.spoken(_ABOUT[name], _mark(version)),
        "default_state": "keep",
        "states": states,
        "ism_template": [{"index_patterns": patterns, "priority": priority}],
    }
    return Asset("ism", prefix + name, {"policy": policy})


_ABOUT = {
    MONTHLY_POLICY: "Removes monthly indices of recordings and logs.",
    DAILY_POLICY: "Removes daily indices of recordings and logs.",
    STREAM_POLICY: "Begins data streams of recordings and logs anew, and removes what is old.",
}


def _covered(prefix: str, name: str, settings: Settings) -> tuple[list[str], int]:
    """Patterns that an ISM policy is for, and their priority."""
    if name == STREAM_POLICY:
        return [f"{prefix}ttyscribe-*-stream"], settings.priority
    kinds = DERIVED if name == MONTHLY_POLICY and settings.layout != MONTHLY else ("*",)
    patterns = [f"{prefix}ttyscribe-{kind}-{end}" for kind in kinds for end in DATES]
    return patterns, settings.priority + (kinds == DERIVED)


# ---- what is there already


class Care(NamedTuple):
    """What looks after the indices that are there."""

    ism: bool = False
    policies: Mapping[str, str] = {}
    """The policy that each index of ours is under; empty = none."""
    retentions: Mapping[str, str] = {}
    """What each data stream says of itself; empty = none."""


def policy_for(prefix: str, index: str, wanted: Iterable[Asset]) -> str:
    """The policy that an index should be under, by what its name is; empty = none."""
    names = {asset.name for asset in wanted if asset.kind in ("ilm", "ism")}
    end = index.rpartition("-")[2]
    if index.startswith(".ds-"):
        found = STREAM_POLICY
    elif not end[:1].isdigit() or "." not in end:
        return ""
    else:
        found = DAILY_POLICY if end.count(".") == 2 else MONTHLY_POLICY
    return prefix + found if prefix + found in names else ""


def steps(prefix: str, wanted: Sequence[Asset], care: Care, done: Sequence[Step]) -> Iterable[Step]:
    """Bring the indices that are there under their policies. `done` are the steps for the objects themselves."""
    own = {prefix + name for name in POLICIES}
    moves: dict[tuple[str, str], list[str]] = {}
    for index, there in care.policies.items():
        to = policy_for(prefix, index, wanted)
        if to != there and (not there or there in own):
            moves.setdefault((there, to), []).append(index)
    for (there, to), names in sorted(moves.items()):
        what = f"{len(names)} indices ({names[0]}{', ...' if len(names) > 1 else ''})"
        why = f"by policy {to}" if to else f"no longer by policy {there}"
        yield Step("attach", what, why, tuple(moved(names, there, to, ism=care.ism)))
    yield from _changed(prefix, care, done)
    yield from _streams(wanted, care, done)


def moved(names: Sequence[str], there: str, to: str, *, ism: bool) -> Iterable[Request]:
    """The requests that bring indices from one policy under another; empty = none."""
    for at in range(0, len(names), _AT_ONCE):
        some = ",".join(names[at : at + _AT_ONCE])
        if not ism:
            yield Request("PUT", f"/{some}/_settings", {"index.lifecycle.name": to or None})
        elif not to:
            yield Request("POST", f"/_plugins/_ism/remove/{some}", {})
        else:
            verb = "change_policy" if there else "add"
            yield Request("POST", f"/_plugins/_ism/{verb}/{some}", {"policy_id": to})


def _changed(prefix: str, care: Care, done: Sequence[Step]) -> Iterable[Step]:
    """Under ISM an index stays with the policy as it was when it came under it."""
    for name in (prefix + name for name in POLICIES):
        under = [index for index, there in care.policies.items() if there == name]
        if under and any(step.what == f"ISM policy {name}" and step.action in ("update", "overwrite") for step in done):
            why = f"by policy {name} as it is now"
            yield Step("attach", f"{len(under)} indices", why, tuple(moved(under, name, name, ism=True)))


def _streams(wanted: Sequence[Asset], care: Care, done: Sequence[Step]) -> Iterable[Step]:
    """A data stream keeps the retention that it began with, until it is told another."""
    own = [asset for asset in wanted if asset.kind == "index" and "lifecycle" in asset.body["template"]]
    names = {f"{objects.TITLES['index']} {asset.name}" for asset in own}
    if not any(step.what in names and step.requests for step in done):
        return
    lifecycle: dict[str, Any] = own[0].body["template"]["lifecycle"]  # the same for all
    days = lifecycle.get("data_retention", "")
    for stream, there in care.retentions.items():
        if there != days:
            request = Request("PUT", f"/_data_stream/{stream}/_lifecycle", lifecycle)
            yield Step("attach", f"data stream {stream}", f"kept {days or 'for ever'}", (request,))
