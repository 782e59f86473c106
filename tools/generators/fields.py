# SPDX-License-Identifier: Apache-2.0
"""Reads `fields/*.toml`: the one place where every stored field is declared."""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

TYPES = ("keyword", "text", "words", "time", "date", "long", "double", "ip", "stored", "bytes", "object", "flattened")
"""`time` is the document's own time, in ns; `stored`, `bytes` and `object` are kept in the source and not indexed;
`flattened` is an object of any names whose values are found, as one field of the mapping."""
EMITTED_TYPES = (*TYPES, "any", "base64", "count", "counts")
"""Further types of what is emitted and not indexed by our templates."""


class Field(NamedTuple):
    """One field of a stored document."""

    name: str
    """Path from the document's root, parts joined by dots."""
    type: str
    description: str
    example: Any
    required: bool = False
    array: bool = False
    also: tuple[str, ...] = ()
    """Further JSON types that occur."""
    unit: str = ""
    ecs: str = ""
    """Nearest field of the Elastic Common Schema."""
    alias: tuple[str, ...] = ()
    """Names under which the engines find it too."""
    choices: tuple[Any, ...] = ()
    """The only values."""

    @property
    def path(self) -> list[str]:
        """The parts of the name."""
        return self.name.split(".")


class Namespace(NamedTuple):
    """The fields of one file."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]


class Kind(NamedTuple):
    """One kind of document and what it may carry."""

    name: str
    title: str
    description: str
    namespaces: tuple[Namespace, ...]
    derived: bool = False
    """Whether documents of it are made of others, and not of messages."""

    @property
    def fields(self) -> list[Field]:
        """All fields that it may carry."""
        return [field for namespace in self.namespaces for field in namespace.fields]

    @property
    def aliases(self) -> dict[str, str]:
        """Further names and the fields that they stand for; a field that the kind has itself keeps its name."""
        own = {field.name for field in self.fields}
        return {name: field.name for field in self.fields for name in field.alias if name not in own}


class Emitted(NamedTuple):
    """Something else that is emitted as JSON."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    includes: tuple[Namespace, ...]
    """Namespaces whose fields it may carry."""
    open: bool
    """Whether keys may stand in it that are not declared."""


class Model(NamedTuple):
    """All of it."""

    version: int
    namespaces: dict[str, Namespace]
    kinds: dict[str, Kind]
    emitted: dict[str, Emitted]


def _field(entry: dict[str, Any], source: Path, types: tuple[str, ...] = TYPES) -> Field:
    """One entry of a file, its keys and type checked."""
    unknown = set(entry) - set(Field._fields)
    if unknown or entry.get("type") not in types:
        raise ValueError(f"{source}: {entry.get('name')}: unknown key {sorted(unknown)} or type {entry.get('type')}")
    return Field(**entry | {key: tuple(entry.get(key, ())) for key in ("also", "alias", "choices")})


def _namespace(source: Path) -> Namespace:
    """One file. Raises ValueError where a field stands twice."""
    data = tomllib.loads(source.read_text("utf-8"))
    fields = tuple(_field(entry, source) for entry in data["field"])
    names = [name for field in fields for name in (field.name, *field.alias)]
    if len(set(names)) != len(names):
        raise ValueError(f"{source}: a name stands twice: {sorted({n for n in names if names.count(n) > 1})}")
    return Namespace(data["namespace"], data["title"], data["description"], fields)


def _emitted(source: Path, namespaces: dict[str, Namespace]) -> Emitted:
    """One file of `fields/emitted/`."""
    data = tomllib.loads(source.read_text("utf-8"))
    fields = tuple(_field(entry, source, EMITTED_TYPES) for entry in data["field"])
    includes = tuple(namespaces[name] for name in data.get("includes", ()))
    return Emitted(source.stem, data["title"], data["description"], fields, includes, data.get("open", False))


def load(root: Path) -> Model:
    """The whole model of a repository."""
    folder = root / "fields"
    kinds = tomllib.loads((folder / "kinds.toml").read_text("utf-8"))
    read = [_namespace(path) for path in sorted(folder.glob("*.toml")) if path.name != "kinds.toml"]
    by_name = {namespace.name: namespace for namespace in read}
    return Model(
        kinds["version"],
        by_name,
        {
            name: Kind(
                name,
                entry["title"],
                entry["description"],
                tuple(by_name[n] for n in entry["namespaces"]),
                entry.get("derived", False),
            )
            for name, entry in kinds["kind"].items()
        },
        {path.stem: _emitted(path, by_name) for path in sorted(folder.glob("emitted/*.toml"))},
    )
