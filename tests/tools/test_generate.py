# SPDX-License-Identifier: Apache-2.0
"""Generated files equal their sources, and every field that a kind emits is declared once."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.store.elastic_samples import syslog, tlog
from tools import generate
from tools.generators import GENERATORS, Generator, fields, schema, templates
from ttyscribe_formats.document import Document, Own
from ttyscribe_store.install.probe import FALLBACKS

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/normalizers/golden"
MODEL = fields.load(ROOT)
COMMON = ("base", "ttyscribe", "pipeline_metadata", "systemd")


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda generator: generator.name)
def test_generated_equals_committed(generator: Generator) -> None:
    assert generate.differences(generator, ROOT) == {}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A repository that holds the sources of the field generators only."""
    shutil.copytree(ROOT / "fields", tmp_path / "fields")
    return tmp_path


def _run(root: Path, *arguments: str) -> int:
    return max(generate.main([*arguments, "--only", name], root) for name in ("templates", "schema", "fields"))


def test_check_fails_until_the_files_are_written_and_names_them(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(copied, "--check") == 1
    assert "differs: docs/fields.md" in capsys.readouterr().out
    assert _run(copied) == 0
    assert _run(copied, "--check") == 0


def test_a_changed_field_changes_what_it_is_generated_into_and_its_hash(copied: Path) -> None:
    _run(copied)
    index = copied / templates.FOLDER / "index.ttyscribe-tlog.json"
    before = json.loads(index.read_text())["_meta"]["sha256"]
    source = copied / "fields/tlog.toml"
    source.write_text(source.read_text().replace('type = "double"', 'type = "long"'))
    assert _run(copied, "--check") == 1
    _run(copied)
    assert json.loads(index.read_text())["_meta"]["sha256"] != before
    untouched = json.loads((copied / templates.FOLDER / "index.ttyscribe-syslog.json").read_text())
    assert untouched["_meta"] == templates.templates(MODEL)["index.ttyscribe-syslog.json"]["_meta"]


def test_what_is_no_longer_generated_is_removed(copied: Path) -> None:
    _run(copied)
    stray = copied / f"{schema.FOLDER}/gone.schema.json"
    stray.write_text("{}")
    assert _run(copied, "--check") == 1
    _run(copied)
    assert not stray.exists()


BROKEN = {
    "unknown type": ('type = "double"', 'type = "float"'),
    "unknown key": ('unit = "s"', 'units = "s"'),
    "a name twice": ('name = "tlog.term"', 'name = "tlog.user"'),
    "a field where an object is": ('name = "tlog.ttyscribe"', 'name = "tlog"'),
    "a field below a field": ('name = "tlog.ttyscribe"', 'name = "tlog.rec.part"'),
    "an alias that is a field": ('alias = ["event.sequence"]', 'alias = ["tlog.pos"]'),
}


@pytest.mark.parametrize(("old", "new"), BROKEN.values(), ids=BROKEN)
def test_a_contradiction_in_the_source_is_an_error(copied: Path, old: str, new: str) -> None:
    source = copied / "fields/tlog.toml"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new, 1))
    with pytest.raises((ValueError, TypeError)):
        templates.files(copied)


def test_an_alias_of_one_namespace_does_not_hide_a_field_of_another() -> None:
    for kind in MODEL.kinds.values():
        names = [*(field.name for field in kind.fields), *kind.aliases]
        assert len(names) == len(set(names))
        assert templates.properties(kind.fields, kind.aliases)


def test_every_field_says_what_it_is() -> None:
    for namespace in MODEL.namespaces.values():
        for field in namespace.fields:
            assert field.description.endswith("."), field.name
            assert field.example is not None, field.name


@pytest.mark.parametrize("kind", MODEL.kinds)
def test_the_examples_make_a_valid_document(kind: str) -> None:
    document: dict[str, Any] = {}
    for field in MODEL.kinds[kind].fields:
        node = document
        for part in field.path[:-1]:
            node = node.setdefault(part, {})
        node[field.path[-1]] = [field.example] if field.array else field.example
    jsonschema.validate(document, schema.schema(MODEL.kinds[kind]))


def test_the_document_type_and_the_declared_fields_agree() -> None:
    """`document.py` is for type checkers, `fields/` for the engines; neither knows a field that the other lacks."""
    own = {f"ttyscribe.{name}" for name in Own.__annotations__}
    assert {field.name for field in MODEL.namespaces["ttyscribe"].fields} == own
    required = {f"ttyscribe.{name}" for name in Own.__required_keys__}
    assert {field.name for field in MODEL.namespaces["ttyscribe"].fields if field.required} == required
    declared = {field.path[0] for kind in MODEL.kinds.values() for field in kind.fields if field.required}
    assert Document.__required_keys__ <= declared <= Document.__annotations__.keys()


def test_only_what_every_engine_has_is_in_the_templates() -> None:
    """Neither a field type nor a setting of a plugin or of one engine alone."""
    portable = {"keyword", "text", "date", "date_nanos", "long", "double", "ip", "object", "alias"}
    replaced = set(FALLBACKS)  # by the loader
    assert {mapping["type"] for mapping in templates.MAPPINGS.values()} <= portable | replaced
    assert set(templates.SETTINGS["index"]) <= {
        "number_of_shards",
        "auto_expand_replicas",
        "refresh_interval",
        "codec",
        "mapping",
    }


def _golden() -> Iterator[tuple[str, Any]]:
    """Every document that a kind's golden cases hold."""
    for path in sorted(GOLDEN.rglob("*.out.json")):
        made = json.loads(path.read_text("utf-8"))
        documents = made if isinstance(made, list) else made.get("documents", [made])
        for number, document in enumerate(documents):
            if path.parent.name != VIAQ:
                yield f"{path.relative_to(GOLDEN)}#{number}", document


VIAQ = "viaq"
"""Documents of the profile viaq are ViaQ's own, field for field: its model is not ours to declare."""
DOCUMENTS = {"sample tlog": tlog(), "sample syslog": syslog(), **dict(_golden())}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_field_that_a_kind_emits_is_declared_with_its_type(name: str) -> None:
    document = DOCUMENTS[name]
    kind = MODEL.kinds[document["ttyscribe"]["kind"]]
    jsonschema.validate(document, schema.schema(kind))


def test_the_schema_refuses_what_is_not_declared_or_lacks_or_has_another_type() -> None:
    made = schema.schema(MODEL.kinds["tlog"])
    undeclared: Any = copy.deepcopy(tlog())
    undeclared["tlog"]["extra"] = 1
    lacking: Any = copy.deepcopy(tlog())
    del lacking["ttyscribe"]["trust"]
    other: Any = copy.deepcopy(tlog())
    other["tlog"]["id"] = "1"
    for bad in (undeclared, lacking, other):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, made)
