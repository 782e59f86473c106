# SPDX-License-Identifier: Apache-2.0
"""What has to be done so that an engine has what we want it to have. Pure: values in, steps out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_store.install import indices, lifecycle, objects, patterns
from ttyscribe_store.install.objects import TITLES, Asset
from ttyscribe_store.install.settings import Settings, Wishes
from ttyscribe_store.install.steps import Step, delete, put


class State(NamedTuple):
    """What an engine has."""

    assets: Mapping[tuple[str, str], Mapping[str, Any]] = {}
    """Bodies by kind and name, of all that bear our names."""
    others: Sequence[patterns.Other] = ()
    """All index templates, ours too."""
    indices: Mapping[str, Mapping[str, Any]] = {}
    """Mappings of indices of ours that another version or an edited template made, by name."""
    strange: Sequence[str] = ()
    """Indices under our names that no template of ours made."""
    streams: Sequence[str] = ()
    """Our data streams."""
    care: lifecycle.Care = lifecycle.Care()


class Plan(NamedTuple):
    """What is to be done."""

    settings: Settings
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    """Why nothing can be done before an operator acts; empty = it can."""
    removal: bool = False
    """Whether nothing of ours is to be left."""

    @property
    def writes(self) -> int:
        """How many requests would change something."""
        return sum(len(step.requests) for step in self.steps)


def plan(wanted: Sequence[Asset], state: State, settings: Settings, wishes: Wishes, prefix: str = "") -> Plan:
    """What to do."""
    refusals = [
        f"{TITLES[asset.kind]} {asset.name} exists and is not ours: rename or remove it, or use another prefix"
        for asset in wanted
        if (there := state.assets.get((asset.kind, asset.name))) is not None and not objects.mark_of(asset.kind, there)
    ]
    ours = {name for (kind, name), body in state.assets.items() if kind == "index" and objects.mark_of(kind, body)}
    refusals += patterns.in_the_way(wanted, state.others, ours)
    left = list(_left_over(wanted, state, overwrite=wishes.overwrite))
    templates = [step for step in left if step.what.startswith(TITLES["index"])]
    brought = [
        step for asset in _ordered(wanted, state) for step in _brought(asset, state.assets, overwrite=wishes.overwrite)
    ]
    steps = [*templates, *brought, *lifecycle.steps(prefix, wanted, state.care, brought)]
    steps += [step for step in left if step not in templates]
    steps += indices.steps(wanted, state.indices, state.streams, rollover=wishes.rollover)
    odd = "not made by our template, so that nothing is written: reindex or delete it"
    steps += [Step("name", f"making index {name} right", odd) for name in state.strange]
    return Plan(settings, tuple(steps), refusals=tuple(refusals))


def _ordered(wanted: Sequence[Asset], state: State) -> list[Asset]:
    """Index templates in an order in which no two of ours that overlap ever have the same priority."""
    index = [asset for asset in wanted if asset.kind == "index"]
    there = {asset.name: int(state.assets.get(("index", asset.name), {}).get("priority", 0)) for asset in index}
    raised = any(0 < there[asset.name] < asset.body["priority"] for asset in index)
    index.sort(key=lambda asset: int(asset.body["priority"]), reverse=raised)
    return [*(asset for asset in wanted if asset.kind != "index"), *index]


def _brought(asset: Asset, there: Mapping[tuple[str, str], Mapping[str, Any]], *, overwrite: bool) -> Iterable[Step]:
    """What one object needs."""
    what, version = f"{TITLES[asset.kind]} {asset.name}", f"version {asset.mark['version']}"
    found = there.get((asset.kind, asset.name))
    after = objects.canonical(asset.kind, asset.body)
    if found is None:
        yield Step("create", what, version, (put(asset),), None, after)
        return
    before, mark = objects.canonical(asset.kind, found), objects.mark_of(asset.kind, found)
    if before == after or not mark:
        return
    requests = (put(asset, found),)
    if mark.get("version", 0) > asset.mark["version"]:
        yield Step("keep", what, f"version {mark['version']}, which is newer than this program's")
    elif not objects.is_edited(asset.kind, found):
        yield Step("update", what, version, requests, before, after)
    elif overwrite:
        yield Step("overwrite", what, f"which had been edited, {version}", requests, before, after)
    else:
        yield Step("keep", what, "which has been edited: --overwrite takes it back", (), before, after)


def _left_over(wanted: Sequence[Asset], state: State, *, overwrite: bool) -> Iterable[Step]:
    """Objects of ours that nothing needs any more: of an older version, or of another layout."""
    names = {(asset.kind, asset.name) for asset in wanted}
    newest = max((asset.mark["version"] for asset in wanted), default=0)
    for kind, name in sorted(state.assets, key=removal_order):
        body = state.assets[kind, name]
        mark = objects.mark_of(kind, body)
        if (kind, name) in names or not mark or mark.get("version", 0) > newest:
            continue
        what, before = f"{TITLES[kind]} {name}", objects.canonical(kind, body)
        used = streams_of(body, state.streams)
        if used:
            yield Step("name", f"removing {what}", f"data stream {used[0]} is made by it: remove that first")
        elif objects.is_edited(kind, body) and not overwrite:
            yield Step("keep", what, "which is no longer needed, but has been edited: --overwrite removes it")
        else:
            yield Step("remove", what, "which is no longer needed", (delete(kind, name),), before, None)


def removal_order(key: tuple[str, str]) -> tuple[int, str]:
    """First what refers to others: engines remove nothing that is in use."""
    return ("index", "component", "ilm", "ism").index(key[0]), key[1]


def streams_of(body: Mapping[str, Any], streams: Iterable[str]) -> list[str]:
    """Data streams for whose sake an engine would not remove a template: OpenSearch 2 looks at its patterns alone."""
    patterns_there = body.get("index_patterns", ()) if "data_stream" in body else ()
    return [stream for stream in sorted(streams) if any(patterns.overlap(stream, one) for one in patterns_there)]
