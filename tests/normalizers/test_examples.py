# SPDX-License-Identifier: Apache-2.0
"""The example in each kind's docstring is a message of that kind, and becomes the document that it says."""

import importlib
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.samples import NOW_NS, line, pipeline
from ttyscribe_normalizers import kinds, shapes

MODULES = [
    module
    for found in pkgutil.iter_modules(kinds.__path__)
    if hasattr(module := importlib.import_module(f"{kinds.__name__}.{found.name}"), "Kind")
]
_DOCSTRING = re.compile(r'"""(.*?)"""', re.DOTALL)
_SYSLOG = re.compile(r"<(\d+)>\w{3} [ \d]\d [\d:]{8} (\S+) ([^\s\[:]+)(?:\[(\d+)\])?: (.*)", re.DOTALL)
_TAGGED = re.compile(r"([a-z][a-z-]*): (.*)", re.DOTALL)
_LEFT_OUT = re.compile(r",\s*\{[^{}]*\.\.\.\s*\}|,?\s*\.\.\.(?=\s*[\]}])")
"""What an example writes as `...`."""
_ID = re.compile(r"`((?:tlog|audit|log|journal):[^`]+)`")


def docstring(module: Any) -> str:
    """As it stands in the source: what is escaped stays so."""
    found = _DOCSTRING.search(Path(module.__file__).read_text())
    assert found is not None
    return found[1]


def examples(text: str) -> Iterator[str]:
    """What stands behind each `::`: a message begins without a blank, and goes on in lines that are indented."""
    for part in text.split("::\n\n")[1:]:
        lines = part.split("\n")
        count = next((number for number, one in enumerate(lines) if one and not one.startswith(" ")), len(lines))
        block = textwrap.dedent("\n".join(lines[:count])).strip()
        for message in re.split(r"\n(?! )", block):
            yield _LEFT_OUT.sub("", "".join(re.split(r"\n +", message)))


def ways(message: str) -> Iterator[tuple[Any, bytes]]:
    """The ways on which a message may come, each with its decoder: a datagram, one without its head, a line, a text."""
    if found := _SYSLOG.fullmatch(message):
        facility, severity = divmod(int(found[1]), 8)
        fields = {"host": found[2], "program": found[3], "tag": f"{found[3]}:", "procid": found[4] or "-"}
        yield (), line(found[5], facility=str(facility), severity=str(severity), **fields)
    if found := _TAGGED.fullmatch(message):
        yield (), line(found[2], program=found[1], tag=f"{found[1]}:")
    yield (shapes.decode,), message.encode()
    yield (), line(message)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.Kind.name)
def test_the_example_is_one_of_its_kind(module: Any) -> None:
    text = docstring(module)
    found = [*examples(text)]
    own: list[Any] = []
    assert found, "the docstring has no example: a line `::`, an empty one, and the example, indented"
    for message in found:
        made = [pipeline(*decode).process(raw, NOW_NS) for decode, raw in ways(message)]
        documents: list[Any] = [document for one in made for document in one.documents]
        own = [document for document in documents if document["ttyscribe"]["kind"] == module.Kind.name]
        assert own, f"none of {[document['ttyscribe'] for document in documents]}"
        assert any("error" not in document["ttyscribe"] for document in own)
    if ids := _ID.findall(text):
        pattern = re.compile(re.sub(r"<[^>]*>", ".+", re.escape(ids[0]).replace("\\<", "<").replace("\\>", ">")))
        assert any(pattern.fullmatch(document["viaq_msg_id"]) for document in own), own[0]["viaq_msg_id"]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.Kind.name)
def test_the_first_line_says_what_it_takes(module: Any) -> None:
    """`--list-kinds` and `--explain` show it."""
    assert docstring(module).partition("\n")[0].endswith((".", ","))
    assert module.Kind.accepts.__doc__
