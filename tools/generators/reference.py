# SPDX-License-Identifier: Apache-2.0
"""The field reference for people: docs/fields.md."""

import json
from pathlib import Path

from tools.generators.fields import Emitted, Field, Model, Namespace, load

_HEAD = """# Fields

<!-- Made by tools/generate.py from fields/*.toml: change those. -->

Every field of a stored document. The same list makes the [index templates](../store/ttyscribe_store/templates) of
Elasticsearch and OpenSearch and the [JSON Schemas](../normalizers/ttyscribe_normalizers/schemas) of each kind.

A type says how the engines hold a field: `keyword` = exact value (longer than 8,191 characters: kept, not indexed),
`text` = words of natural text, `words` = words under the word rule (indexed, left out of what is stored), `time` = date
to the nanosecond, `stored`, `bytes` and `object` = kept whole and not indexed, `flattened` = an object of any names,
found by them (`flattened` on Elasticsearch, `flat_object` on OpenSearch; an object that is not indexed where the engine
has neither). A name in italics is an alias: the engines find the field by it too, where the kind has no such field.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _row(field: Field) -> str:
    """One line of a table."""
    kind = f"{field.type}[]" if field.array else field.type
    unit = f", {field.unit}" if field.unit else ""
    always = " Always there." if field.required else ""
    names = [
        *(f"*{name}*" for name in field.alias),
        *([field.ecs] if field.ecs and field.ecs not in field.alias else []),
    ]
    example = _cell(json.dumps(field.example, ensure_ascii=True))
    cells = [f"`{field.name}`", kind + unit, _cell(field.description) + always, f"`{example}`", ", ".join(names)]
    return "| " + " | ".join(cells) + " |"


def _section(namespace: Namespace) -> str:
    """One namespace."""
    head = f"## {namespace.title}\n\n{namespace.description}\n\n"
    table = "| field | type | what it is | example | ECS |\n|---|---|---|---|---|\n"
    return head + table + "\n".join(_row(field) for field in namespace.fields) + "\n"


def _emitted(what: Emitted) -> str:
    """Something else that is emitted."""
    head = f"### {what.title}\n\n{what.description}\n\n"
    table = "| key | type | what it is | example |\n|---|---|---|---|\n"
    rows = (_row(field).rpartition(" | ")[0] + " |" for field in what.fields)
    return head + table + "\n".join(rows) + "\n"


def _kinds(model: Model) -> str:
    """Which kind carries what."""
    lines = [
        f"| `{kind.name}` | {kind.title}. {_cell(kind.description)} | {', '.join(n.name for n in kind.namespaces)} |"
        for kind in model.kinds.values()
    ]
    return "## Kinds\n\n| kind | what it is | namespaces |\n|---|---|---|\n" + "\n".join(lines) + "\n"


def files(root: Path) -> dict[str, str]:
    """Path and text of the reference."""
    model = load(root)
    order = ["base", "ttyscribe", "tlog", "systemd", "pipeline_metadata"]
    spaces = [model.namespaces[n] for n in [*order, *sorted(set(model.namespaces) - set(order))]]
    others = ["## What else is emitted\n", *(_emitted(what) for what in model.emitted.values())]
    return {"docs/fields.md": "\n".join([_HEAD, _kinds(model), *(_section(n) for n in spaces), *others])}
