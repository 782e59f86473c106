# SPDX-License-Identifier: Apache-2.0
"""The corpus is of documents as the programs make them: else panels would be tried on what never comes."""

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from tests.kibana.corpus import FACTS, arrived, document, seen
from tests.kibana.facts import Fact

KINDS = sorted({fact["ttyscribe.kind"] for fact in FACTS})


def _of(kind: str) -> list[Fact]:
    return [fact for fact in FACTS if fact["ttyscribe.kind"] == kind]


def test_there_is_something_of_each_kind_that_a_page_reads() -> None:
    assert {"tlog", "recording", "line", "command", "aushape", "audit-line", "sudo", "syslog"} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_documents_fit_the_schema_of_their_kind(kind: str) -> None:
    schema = files("ttyscribe_normalizers").joinpath("schemas", f"{kind}.schema.json").read_text("utf-8")
    validator = Draft202012Validator(json.loads(schema))
    found = [error.message for fact in _of(kind) for error in validator.iter_errors(document(fact))]
    assert not found
    broken = {**document(_of(kind)[0]), "@timestamp": 5}
    assert list(validator.iter_errors(broken)), "the schema asks for nothing"


def test_ids_are_of_one_document_each() -> None:
    assert len({fact["viaq_msg_id"] for fact in FACTS}) == len(FACTS)


def test_names_are_hostile_and_times_out_of_range_lie_beside_the_week() -> None:
    names = {str(fact.get("user.audit.name")) for fact in seen("aushape")}
    assert any("\x1b" in name for name in names)
    assert any("<script>" in name and '"' in name for name in names)
    assert any(len(name) > 400 for name in names)
    assert len(seen()) < len(FACTS)
    assert {fact["viaq_msg_id"] for fact in arrived()} - {fact["viaq_msg_id"] for fact in seen()}
