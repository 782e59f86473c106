# SPDX-License-Identifier: Apache-2.0
"""`--validate`: each document is checked against its JSON Schema; what does not fit is counted, told, and stored.

Slow by its nature: half a millisecond a document. Off, it costs nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers import schemas
from ttyscribe_normalizers.kinds import Kind
from ttyscribe_normalizers.logs import Report, Seldom
from ttyscribe_normalizers.pipeline import Pipeline, Processed

VIAQ = "viaq"
"""Schema of all documents of that profile."""
_LONGEST = 300
"""Characters of what is told of one document."""


class Validator(Protocol):
    """Tells why a document is none of a schema."""

    def problem(self, document: Any) -> str:
        """Where and why it does not fit; empty where it does."""


class _JsonSchema:
    def __init__(self, schema: Mapping[str, Any]) -> None:
        import jsonschema

        jsonschema.Draft202012Validator.check_schema(schema)
        self._validator = jsonschema.Draft202012Validator(schema)

    def problem(self, document: Any) -> str:
        try:
            error = next(iter(self._validator.iter_errors(document)), None)
        except Exception as fault:  # noqa: BLE001 - nested too deep, or a schema of a stranger's: nothing may stop for it
            return f"it can't be checked: {type(fault).__name__}: {fault}"[:_LONGEST]
        if error is None:
            return ""
        return f"{error.json_path[2:] or 'the document'}: {error.message}"[:_LONGEST]


def available() -> None:
    """Raise ConfigError where the library is missing."""
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        raise ConfigError("--validate needs the Python library jsonschema: install ttyscribe[schema]") from None


class Checks:
    """The schemas by kind, or that of the profile viaq for all. Kinds of other packages may have one: `schema`."""

    def __init__(self) -> None:
        available()
        self._known = frozenset(schemas.names())
        self._made: dict[str, Validator | None] = {}

    def problem(self, document: Document, kinds: Sequence[Kind]) -> str:
        """Why a document does not fit, with the schema's name; empty where it does."""
        name = _name(document, kinds)
        if name not in self._made:
            self._made[name] = self._make(name, kinds)
        validator = self._made[name]
        if validator is None:
            return f"there is no schema of {name!r}"
        problem = validator.problem(document)
        return f"{name}: {problem}" if problem else ""

    def _make(self, name: str, kinds: Sequence[Kind]) -> Validator | None:
        if name in self._known:
            return _JsonSchema(schemas.load(name))
        found = next((getattr(kind, "schema", None) for kind in kinds if kind.name == name), None)
        try:
            return _JsonSchema(found) if isinstance(found, dict) else None
        except Exception:  # noqa: BLE001 - what a stranger gives for a schema is none
            return None


def _name(document: Document, kinds: Sequence[Kind]) -> str:
    """The schema that a document of these kinds should fit."""
    if [kind.name for kind in kinds] == [VIAQ]:
        return VIAQ
    own: Any = document.get("ttyscribe")
    return str(own.get("kind")) if isinstance(own, dict) else "?"


class Validating(Pipeline):
    """The same pipeline, with checks. Its counters have `invalid`: documents that do not fit."""

    def __init__(self, around: Pipeline, checks: Checks, report: Report) -> None:
        super().__init__(*around.parts[:3])
        self.parts = around.parts
        self.counters: Counter[str] = around.counters
        self._checks = checks
        self._report = Seldom(report)

    def process(self, line: bytes, now_ns: int) -> Processed:
        """What becomes of one line."""
        processed = super().process(line, now_ns)
        for document in processed.documents:
            if problem := self._checks.problem(document, self.parts.kinds):
                self.counters["invalid"] += 1
                name = document.get("viaq_msg_id")
                self._report(f"stored, but invalid ({self.counters['invalid']} so far): {name}: {problem}")
        return processed
