# SPDX-License-Identifier: Apache-2.0
"""Our objects as one engine is to have them: in its words, for the layout and the retention that were chosen. Pure.

Beside the template of each kind, which makes whatever bears its name, there is at need a second one of higher priority:
for the data stream, or for indices with a date, which an ILM policy may remove. What has an implausible time is never
removed by age: its index is as old as the first such message.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ttyscribe_store.base import DERIVED
from ttyscribe_store.install import lifecycle, objects
from ttyscribe_store.install.objects import Asset
from ttyscribe_store.install.probe import Abilities
from ttyscribe_store.install.settings import Settings
from ttyscribe_store.partition import DAILY, STREAM, STREAMS

OTHERS = "others"
"""The template for kinds of other packages, whose pattern ends before the kind."""
PROBE = f"{STREAMS}.probe"
"""In the place of a stream's name in simulations: OpenSearch makes none for a name that is taken."""
_SECOND = 1
"""How much higher the priority of a second template is."""


def rendered(prefix: str, settings: Settings, abilities: Abilities) -> list[Asset]:
    """All objects that the engine is to have, in the order in which they can be written."""
    shipped = [_rendered(asset, settings, abilities.types) for asset in objects.load(prefix)]
    components = [asset for asset in shipped if asset.kind == "component"]
    index = [asset for asset in shipped if asset.kind == "index"]
    policies = lifecycle.policies(prefix, settings, abilities, components[0].mark["version"])
    seconds = [two for asset in index for two in _second(prefix, asset, settings, abilities)]
    return [objects.marked(asset) for asset in (*components, *policies, *index, *seconds)]


def _rendered(asset: Asset, settings: Settings, types: Mapping[str, Mapping[str, Any]]) -> Asset:
    body = _replaced(asset.body, types)
    if asset.kind == "index":
        priority = settings.priority + body["priority"] - objects.PRIORITY
        body = {**body, "priority": priority, "_meta": {**body["_meta"], "choices": settings._asdict()}}
        body["template"] = _telling(body["template"], layout=settings.layout)
    return asset._replace(body=body)


def _telling(template: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    """A template whose indices will tell these facts of themselves."""
    mappings = template["mappings"]
    mark = {**objects.mapping_mark(mappings), **facts}
    return {**template, "mappings": {**mappings, "_meta": {objects.OWNER: mark}}}


def _replaced(value: Any, types: Mapping[str, Mapping[str, Any]]) -> Any:
    """A body in the words that the engine has."""
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("type"), str) and value["type"] in types:
        return dict(types[value["type"]]) or value
    return {name: _replaced(entry, types) for name, entry in value.items()}


def _second(prefix: str, asset: Asset, settings: Settings, abilities: Abilities) -> Iterable[Asset]:
    """The second template of a kind, where one is needed."""
    template, derived = dict(asset.body["template"]), asset.mark["template"] in DERIVED
    if settings.layout == STREAM and not derived:
        template = {**_telling(template, stream=True), "aliases": {}}  # indices have it; Elasticsearch mixes them not
        if abilities.stream_lifecycle:
            template["lifecycle"] = lifecycle.of_stream(settings)
        elif abilities.ilm:
            template["settings"] = {"index": {"lifecycle": {"name": prefix + lifecycle.STREAM_POLICY}}}
        yield _beside(asset, "stream", [STREAMS, PROBE], template, data_stream={})
    elif settings.retention_days and abilities.ilm:
        name = lifecycle.DAILY_POLICY if settings.layout == DAILY and not derived else lifecycle.MONTHLY_POLICY
        template["settings"] = {"index": {"lifecycle": {"name": prefix + name}}}
        yield _beside(asset, "dated", list(lifecycle.DATES), template)


def _beside(asset: Asset, name: str, ends: Sequence[str], template: dict[str, Any], **more: Any) -> Asset:
    (pattern,) = asset.body["index_patterns"]
    stem = f"{pattern}-" if asset.mark["template"] == OTHERS else pattern.removesuffix("*")
    body = {**asset.body, "index_patterns": [f"{stem}{end}" for end in ends], "template": template, **more}
    body["priority"] += _SECOND
    return Asset("index", f"{asset.name}-{name}", body)
