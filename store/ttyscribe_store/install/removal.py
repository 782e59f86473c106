# SPDX-License-Identifier: Apache-2.0
"""What has to be done so that nothing of ours is left on an engine, in the order that engines ask for. Pure.

Data first, because a template that makes a data stream can't go before it; then what refers to others, then these.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ttyscribe_store.install import lifecycle, objects
from ttyscribe_store.install.indices import BACKING
from ttyscribe_store.install.objects import TITLES
from ttyscribe_store.install.plan import Plan, State, removal_order, streams_of
from ttyscribe_store.install.settings import Settings
from ttyscribe_store.install.steps import Request, Step, delete

_AT_ONCE = 40


def plan(
    state: State,
    names: Sequence[str],
    marks: Mapping[str, Mapping[str, Any]],
    leases: Sequence[str] = (),
    *,
    keep_data: bool,
) -> Plan:
    """What to do; `names` and `marks` are the indices under our names and what our templates left in them."""
    steps = [] if keep_data else list(_data(state, names, marks))
    steps += [Step("remove", f"index {name}", "the indexer's lease", (_dropped(name),)) for name in leases]
    gone = {request.target[1:] for step in steps for request in step.requests}
    steps += _released(state, gone)
    steps += _objects(state, state.streams if keep_data else ())
    return Plan(Settings(), tuple(steps), removal=True)


def _dropped(name: str) -> Request:
    return Request("DELETE", f"/{name}", absent=True)


def _data(state: State, names: Sequence[str], marks: Mapping[str, Mapping[str, Any]]) -> Iterable[Step]:
    for stream in state.streams:
        requests = (Request("DELETE", f"/_data_stream/{stream}", absent=True),)
        yield Step("remove", f"data stream {stream}", "", requests, is_data=True)
    for name in names:
        if name.startswith(BACKING):
            continue
        if marks.get(name):
            yield Step("remove", f"index {name}", "", (_dropped(name),), is_data=True)
        else:
            yield Step("name", f"removing index {name}", "it was not made by our templates")


def _released(state: State, gone: set[str]) -> Iterable[Step]:
    """No index that stays may be under a policy that goes."""
    own = {name for kind, name in state.assets if kind in ("ilm", "ism")}
    under = [
        index
        for index, policy in state.care.policies.items()
        if policy in own and index not in gone and not index.startswith(BACKING)
    ]
    if under:
        requests = tuple(lifecycle.moved(under, "-", "", ism=state.care.ism))
        yield Step("attach", f"{len(under)} indices", "no longer by a policy", requests)


def _objects(state: State, streams: Sequence[str]) -> Iterable[Step]:
    needed: set[tuple[str, str]] = set()
    for key in sorted(state.assets, key=removal_order):
        (kind, name), body = key, state.assets[key]
        what = f"{TITLES[kind]} {name}"
        used = streams_of(body, streams)
        if not objects.mark_of(kind, body):
            yield Step("name", f"removing {what}", "it is not ours")
        elif used:
            needed |= {("component", part) for part in body.get("composed_of", ())}
            needed |= {(one, policy) for one, policy in state.assets if policy.endswith(lifecycle.STREAM_POLICY)}
            yield Step("name", f"removing {what}", f"data stream {used[0]} is made by it")
        elif key in needed:
            yield Step("name", f"removing {what}", "a data stream that stays needs it")
        else:
            why = "which had been edited" if objects.is_edited(kind, body) else ""
            before = objects.canonical(kind, body)
            yield Step("remove", what, why, (delete(kind, name),), before)
