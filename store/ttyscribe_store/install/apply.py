# SPDX-License-Identifier: Apache-2.0
"""The thin shell around the plan: reads what an engine has, and sends the plan's requests."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.install import indices, objects, settings
from ttyscribe_store.install.objects import Asset
from ttyscribe_store.install.patterns import Other
from ttyscribe_store.install.plan import Plan, State, plan
from ttyscribe_store.install.probe import probe
from ttyscribe_store.install.settings import Wishes
from ttyscribe_store.install.steps import Step
from ttyscribe_store.install.verify import in_force, read_marks, strange_indices
from ttyscribe_store.transport import Transport

LENIENT = "ignore_unavailable=true&allow_no_indices=true&expand_wildcards=open,closed"
_AT_ONCE = 40
"""Indices named in one request; the engines take no longer line."""


def planned(transport: Transport, prefix: str, wishes: Wishes = Wishes()) -> Plan:  # noqa: B008 - a constant
    """What has to be done there; nothing is written.

    Raises `Unavailable`, and `ConfigError` where the wishes can't be met.
    """
    assets = read_assets(transport, prefix)
    chosen = settings.resolved(
        wishes, settings.remembered(body for (kind, _), body in assets.items() if kind == "index")
    )
    abilities = probe(transport, prefix, settings.types_used(objects.load()))
    wanted = settings.rendered(prefix, chosen, abilities)
    names, marks = read_marks(transport, prefix)
    state = State(
        assets,
        read_templates(transport),
        read_mappings(transport, marks, wanted),
        strange=strange_indices(names, marks, wanted),
    )
    found = plan(wanted, state, chosen, wishes)
    return found._replace(warnings=(*abilities.warnings(), *found.warnings))


def applied(transport: Transport, prefix: str, todo: Plan) -> Iterable[Step]:
    """Do it: each step when it is done, those that are only told too.

    At the end the engine itself is asked whether our templates are in force. Raises `ConfigError` before anything is
    written where the plan can't be done, `Unavailable` where the engine refuses.
    """
    if todo.refusals:
        raise ConfigError(f"{transport.address}: " + "; ".join(todo.refusals))
    for step in todo.steps:
        for request in step.requests:
            transport.call(request.method, request.target, request.body, absent=request.absent)
        yield step
    in_force(transport, objects.load(prefix))


def read_assets(transport: Transport, prefix: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Bodies of all templates that bear our names, by kind and name."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for kind in ("component", "index"):
        answer = transport.call("GET", objects.path_of(kind, f"{prefix}ttyscribe-*"), absent=True) or {}
        for entry in answer.get(f"{kind}_templates", ()):
            found[kind, entry["name"]] = entry[f"{kind}_template"]
    return found


def read_templates(transport: Transport) -> list[Other]:
    """All index templates there are, ours and others'."""
    parts = ",".join(f"index_templates.{part}" for part in ("name", "index_template.index_patterns", _PRIORITY))
    answer = transport.call("GET", f"/_index_template?filter_path={parts}", absent=True) or {}
    found = []
    for entry in answer.get("index_templates", ()):
        template = entry["index_template"]
        patterns = template["index_patterns"]
        listed = tuple(patterns) if isinstance(patterns, list) else (patterns,)
        found.append(Other(entry["name"], listed, int(template.get("priority") or 0)))
    return found


_PRIORITY = "index_template.priority"


def read_mappings(
    transport: Transport, marks: Mapping[str, Mapping[str, Any]], wanted: Sequence[Asset]
) -> dict[str, Mapping[str, Any]]:
    """Mappings of those indices of ours that another version of a template made than the wanted one, by name."""
    old = []
    for name, mark in marks.items():
        template = indices.template_of(name, wanted)
        if mark and template is not None and mark.get("sha256") != template.mark["sha256"]:
            old.append(name)
    found: dict[str, Mapping[str, Any]] = {}
    for at in range(0, len(old), _AT_ONCE):
        answer = transport.call("GET", f"/{','.join(old[at : at + _AT_ONCE])}/_mapping?{LENIENT}", absent=True) or {}
        found |= {name: entry.get("mappings", {}) for name, entry in answer.items()}
    return found


def setup(transport: Transport, prefix: str) -> list[str]:
    """Bring an engine to what this version wants, as it was set up before; one line for each thing written or kept."""
    todo = planned(transport, prefix)
    return [step.line() for step in applied(transport, prefix, todo)]
