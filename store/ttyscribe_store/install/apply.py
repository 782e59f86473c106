# SPDX-License-Identifier: Apache-2.0
"""The thin shell around the plans: reads what an engine has, and sends a plan's requests."""

from collections.abc import Iterable

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.install import lifecycle, objects, read, removal, render, settings
from ttyscribe_store.install.plan import Plan, State, plan
from ttyscribe_store.install.probe import probe
from ttyscribe_store.install.settings import Wishes
from ttyscribe_store.install.steps import Step
from ttyscribe_store.install.verify import in_force, read_marks, strange_indices
from ttyscribe_store.partition import STREAM
from ttyscribe_store.shape import sound
from ttyscribe_store.transport import Transport


def planned(transport: Transport, prefix: str, wishes: Wishes = Wishes()) -> Plan:  # noqa: B008 - a constant
    """What has to be done there; nothing is written.

    Raises `Unavailable`, and `ConfigError` where the wishes can't be met.
    """
    with sound(transport):
        assets = read.templates(transport, prefix)
        names, marks = read_marks(transport, prefix)
    chosen = settings.resolved(
        wishes, settings.remembered(body for (kind, _), body in assets.items() if kind == "index")
    )
    abilities = probe(transport, prefix, settings.types_used(objects.load()))
    if chosen.layout == STREAM and not abilities.streams:
        raise ConfigError(f"{transport.address}: this engine has no data streams: give --layout monthly or daily")
    wanted = render.rendered(prefix, chosen, abilities)
    state = State(
        {**assets, **read.policies(transport, prefix, abilities)},
        read.others(transport),
        read.mappings(transport, marks, wanted),
        strange=strange_indices(names, marks, wanted),
        streams=read.streams(transport, prefix, assets) if abilities.streams else (),
        care=read.care(transport, prefix, marks, abilities),
    )
    found = plan(wanted, state, chosen, wishes, prefix)
    return found._replace(warnings=(*abilities.warnings(), *lifecycle.warnings(chosen, abilities)))


def planned_removal(transport: Transport, prefix: str, *, keep_data: bool) -> Plan:
    """What has to be done so that nothing of ours is left; nothing is written."""
    assets = read.templates(transport, prefix)
    abilities = probe(transport, prefix, ())
    names, marks = read_marks(transport, prefix)
    state = State(
        {**assets, **read.policies(transport, prefix, abilities)},
        streams=read.streams(transport, prefix, assets) if abilities.streams else (),
        care=read.care(transport, prefix, marks, abilities),
    )
    return removal.plan(state, names, marks, read.leases(transport, prefix), keep_data=keep_data)


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
    if not todo.removal:
        in_force(transport, objects.load(prefix))


def setup(transport: Transport, prefix: str) -> list[str]:
    """Bring an engine to what this version wants, as it was set up before; one line for each thing written or kept."""
    todo = planned(transport, prefix)
    return [step.line() for step in applied(transport, prefix, todo)]
