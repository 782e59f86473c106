# SPDX-License-Identifier: Apache-2.0
"""Kinds of other packages: found, ordered, checked, and never a reason for anything else to stop."""

import importlib.metadata
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.normalizers.samples import NOW_NS, line, stamps, text
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_normalizers import envelope, kinds, plugins
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog
from ttyscribe_normalizers.pipeline import Pipeline
from ttyscribe_normalizers.plugins import Wanted
from ttyscribe_normalizers.trust import Trust
from ttyscribe_normalizers.validate import Checks, Validating

CONTEXT = kinds.Context(Trust((0,), lambda uid: ""), stamps(), "omprog", "0.1.0")
Install = Callable[..., None]


class Greedy:
    """Takes everything."""

    name = "greedy"

    def __init__(self, context: kinds.Context) -> None:
        self._base = Syslog(context)

    def accepts(self, found: envelope.Envelope) -> bool:
        return True

    def normalize(self, found: envelope.Envelope) -> Sequence[Any]:
        made: Any = self._base.normalize(found)
        made[0]["ttyscribe"]["kind"] = self.name
        changed: Sequence[Any] = self.changed(made)
        return changed

    def changed(self, made: Any) -> Any:
        return made


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Make classes look like installed kinds, by their entry points' names."""
    module = types.ModuleType("stranger")
    monkeypatch.setitem(sys.modules, "stranger", module)
    points: list[importlib.metadata.EntryPoint] = []

    def add(name: str, kind: Any, value: str = "") -> None:
        module.__dict__[f"K{len(points)}"] = kind
        points.append(importlib.metadata.EntryPoint(name, value or f"stranger:K{len(points)}", plugins.GROUP))

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)
    return add


def loaded(said: list[str], prefer: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> list[kinds.Kind]:
    return plugins.load(CONTEXT, Wanted(prefer, without), said.append)


def names(found: list[kinds.Kind]) -> list[str]:
    return [kind.name for kind in found]


def named(given: str, order: int | None = None, base: type[Greedy] = Greedy) -> type[Greedy]:
    return type("Named", (base,), {"name": given} | ({} if order is None else {"order": order}))


def pipeline(said: list[str], prefer: tuple[str, ...] = ()) -> Pipeline:
    return Pipeline(envelope.decode, loaded(said, prefer), Syslog(CONTEXT))


def test_the_order_is_ours_of_sessions_then_theirs_then_ours_of_any_log(install: Install) -> None:
    for name, order in (("late", 700), ("early", 1), ("middle", None), ("alike", None)):
        install(name, named(name, order))
    said: list[str] = []
    ours = kinds.load(CONTEXT)
    sessions, rest = [k.name for k in ours if k.order < 100], [k.name for k in ours if k.order >= 100]
    assert "tlog" in sessions
    assert rest[-1] == "syslog"
    assert names(loaded(said)) == [*sessions, "early", "alike", "middle", "late", *rest]
    assert names(loaded(said, prefer=("late", "alike"))) == ["late", "alike", *sessions, "early", "middle", *rest]
    assert names(loaded(said, without=("late", "early"))) == [*sessions, "alike", "middle", *rest]
    assert said == []


def test_a_greedy_kind_gets_no_recording_unless_it_is_preferred(install: Install) -> None:
    install("greedy", Greedy)
    for prefer, expected in (((), "tlog"), (("greedy",), "greedy")):
        subject = pipeline([], prefer)
        documents = [subject.process(line(*one), NOW_NS).documents[0] for one in ((text(),), ("any",))]
        assert [document["ttyscribe"]["kind"] for document in documents] == [expected, "greedy"]
        assert subject.counters["greedy"] == (2 if prefer else 1)


def test_a_name_that_nobody_has_is_the_operators_to_mend(install: Install) -> None:
    install("greedy", Greedy)
    with pytest.raises(ConfigError, match=r"no other package has a kind 'tlog' \(there are: greedy\)"):
        loaded([], prefer=("tlog",))
    said: list[str] = []
    assert "greedy" in names(loaded(said, without=("gone",)))
    assert said == ["no other package has a kind 'gone', which is not to be used (there are: greedy)"]


class _Exits:
    def __init__(self, context: Any) -> None:
        sys.exit("good bye")


UNFIT: dict[str, tuple[str, Any, str, str]] = {
    "no module": ("a", None, "no_such_module:Kind", "ModuleNotFoundError: No module named 'no_such_module'"),
    "no class": ("a", None, "stranger:None_such", "AttributeError: "),
    "exits": ("a", _Exits, "", "SystemExit: good bye"),
    "raises": ("a", lambda context: 1 // 0, "", "ZeroDivisionError: "),
    "no kind": ("a", lambda context: object(), "", "it has no accepts and no normalize"),
    "another name": ("a", Greedy, "", "it is called 'greedy' itself"),
    "our name": ("tlog", named("tlog"), "", "the name 'tlog' is taken"),
    "the profile's": ("viaq", named("viaq"), "", "the name 'viaq' is taken"),
    "a counter's": ("lines", named("lines"), "", "the name 'lines' is taken"),
    "a part of ours": ("tlog-x", named("tlog-x"), "", "the name 'tlog' is taken"),
    "the template's": ("others", named("others"), "", "the name 'others' is taken"),
    "no name": ("../x", named("../x"), "", "'../x' can't be a name"),
    "order": ("a", type("Odd", (Greedy,), {"name": "a", "order": "first"}), "", "its order is no number"),
}


@pytest.mark.parametrize(("name", "kind", "value", "problem"), UNFIT.values(), ids=UNFIT)
def test_a_kind_that_cant_be_used_is_told_and_stops_nobody(
    install: Install, name: str, kind: Any, value: str, problem: str
) -> None:
    install(name, kind, value)
    install("greedy", Greedy)
    said: list[str] = []
    assert "greedy" in names(loaded(said))
    assert len(said) == 1
    assert f"the kind {name} of " in said[0]
    assert f"is left out: {problem}" in said[0]


def test_of_two_with_one_name_one_is_used(install: Install) -> None:
    install("greedy", Greedy)
    install("greedy", Greedy)
    said: list[str] = []
    assert names(loaded(said)).count("greedy") == 1
    assert "the name 'greedy' is taken" in said[0]


class _Raises(Greedy):
    name = "raises"

    def accepts(self, found: envelope.Envelope) -> bool:
        if found.text == "accepts":
            raise KeyError(found.text)
        return True

    def normalize(self, found: envelope.Envelope) -> Sequence[Any]:
        if found.text == "broken":
            raise MessageError("no such thing")
        raise ZeroDivisionError


def test_what_it_raises_is_told_and_the_message_is_kept(install: Install) -> None:
    install("raises", _Raises)
    said: list[str] = []
    subject = pipeline(said)
    made = {one: subject.process(line(one), NOW_NS).documents[0]["ttyscribe"] for one in ("accepts", "broken", "x")}
    assert {one: own["kind"] for one, own in made.items()} == dict.fromkeys(made, "syslog")
    assert "error" not in made["accepts"]
    assert made["broken"]["error"] == "no such thing"
    assert made["x"]["error"].endswith("failed: ZeroDivisionError: ")
    assert len(said) == 1  # the second within a minute is not told
    assert "failed: KeyError: 'accepts'; others were asked" in said[0]
    assert subject.process(line("again"), NOW_NS).dead is None


def _changes(change: Callable[[Any], Any]) -> type[Greedy]:
    class Changed(Greedy):
        def changed(self, made: Any) -> Any:
            change(made[0])
            return made

    return Changed


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "another kind": (lambda one: one["ttyscribe"].update(kind="tlog"), "says that its kind is 'tlog'"),
    "a recording's id": (lambda one: one.update(viaq_msg_id="tlog:a:1:f"), "'tlog:a:1:f' can't be its id"),
    "an event's id": (lambda one: one.update(viaq_msg_id="audit:web7:1:2:f"), "can't be its id"),
    "no id": (lambda one: one.update(viaq_msg_id=""), "'' can't be its id"),
    "no time": (lambda one: one.update({"@timestamp": "today"}), "@timestamp: "),
    "no text": (lambda one: one.update(message=5, level=None), "has no text in level, message"),
    "no partition": (lambda one: one["ttyscribe"].pop("partition"), "has no text in ttyscribe.partition"),
    "nothing of ours": (lambda one: one.pop("ttyscribe"), "a document has no `ttyscribe`"),
}


@pytest.mark.parametrize(("change", "problem"), WRONG.values(), ids=WRONG)
def test_what_is_no_document_of_its_own_is_not_stored(
    install: Install, change: Callable[[Any], Any], problem: str
) -> None:
    install("greedy", _changes(change))
    said: list[str] = []
    document: Any = pipeline(said).process(line("x"), NOW_NS).documents[0]
    assert document["ttyscribe"]["kind"] == "syslog"
    assert problem in document["ttyscribe"]["error"]
    assert problem in said[0]


def test_none_documents_or_not_even_a_list(install: Install) -> None:
    for name, made in (("none", []), ("null", None), ("text", "abc"), ("numbers", [1])):
        install(name, type("Odd", (Greedy,), {"name": name, "changed": lambda self, _, made=made: made}))
    for name, count in (("none", 0), ("null", 1), ("text", 1), ("numbers", 1)):
        said: list[str] = []
        others = tuple(n for n in ("none", "null", "text", "numbers") if n != name)
        subject = Pipeline(envelope.decode, plugins.load(CONTEXT, Wanted((), others), said.append), Syslog(CONTEXT))
        assert len(subject.process(line("x"), NOW_NS).documents) == count
        assert len(said) == count


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"required": ["x"]}, "greedy: the document: 'x' is a required property"),
        ({}, ""),
        ({"type": "no such"}, "there is no schema of 'greedy'"),
        ({"$ref": "#/nowhere"}, "greedy: it can't be checked: "),
        ("text", "there is no schema of 'greedy'"),
        (None, "there is no schema of 'greedy'"),
    ],
)
def test_its_documents_are_checked_by_its_own_schema(install: Install, schema: Any, problem: str) -> None:
    install("greedy", type("Own", (Greedy,), {"schema": schema}))
    said: list[str] = []
    subject = Validating(pipeline(said), Checks(), said.append)
    assert subject.process(line("x"), NOW_NS).documents[0]["ttyscribe"]["kind"] == "greedy"
    assert subject.counters["invalid"] == bool(problem)
    assert [problem in one for one in said] == [True] * bool(problem)


def test_a_document_that_is_too_deep_to_be_checked_is_stored(install: Install) -> None:
    deep: Any = {}
    for _ in range(900):
        deep = {"a": deep}
    recursive = {
        "$defs": {"a": {"properties": {"a": {"$ref": "#/$defs/a"}}}},
        "properties": {"own": {"$ref": "#/$defs/a"}},
    }
    install("greedy", type("Own", (_changes(lambda one: one.update(own=deep)),), {"schema": recursive}))
    said: list[str] = []
    subject = Validating(pipeline(said), Checks(), said.append)
    assert len(subject.process(line("x"), NOW_NS).documents) == 1
    assert "it can't be checked: RecursionError" in said[0]
