# SPDX-License-Identifier: Apache-2.0
"""One field for an object of any names: each engine gets its own type for it, and what it can't hold is cut before."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.store.stand_in import Action, Handler, answer, standing_in
from ttyscribe_formats import flat
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.install.objects import field_types


def engine(*types: str, taken: list[Any]) -> Action:
    """An engine without templates that knows of these types only the named ones."""

    def act(handler: Handler, body: bytes) -> None:
        sent = json.loads(body) if body else {}
        strange = [name for name in ("flattened", "flat_object") if f'"type": "{name}"' in body.decode()]
        unknown = [name for name in strange if name not in types]
        if handler.command == "GET":
            answer(404, {})(handler, body)
        elif unknown:
            reason = f"No handler for type [{unknown[0]}] declared on field [data]"
            answer(400, {"error": {"type": "mapper_parsing_exception", "reason": reason}, "status": 400})(handler, body)
        elif "_simulate_index" in handler.path:
            answer(200, handler.server.in_force(handler.path))(handler, body)
        else:
            taken.extend([sent] if handler.command == "PUT" else [])
            answer(200, {"acknowledged": True})(handler, body)

    return act


@pytest.mark.parametrize(
    ("known", "wanted"), [(["flattened"], "flattened"), (["flat_object"], "flat_object"), ([], "object")]
)
def test_setup_writes_the_type_that_the_engine_has(known: list[str], wanted: str) -> None:
    taken: list[Any] = []
    with standing_in() as server:
        server.always = engine(*known, taken=taken)
        store = ElasticStore(server.url)
        store.setup()
        store.close()
    found = {
        name: type_
        for body in taken
        for name, type_ in field_types(body["template"].get("mappings", {}).get("properties", {}))
    }
    assert {found[name] for name in ("aushape.data", "aushape.norm", "audit.data", "sudo.data")} == {wanted}
    assert found["aushape.serial"] == "long"


def test_another_refusal_is_not_taken_for_a_missing_type() -> None:
    with standing_in() as server:
        server.always = answer(400, {"error": {"type": "x", "reason": "no"}, "status": 400})
        with pytest.raises(Unavailable, match="no"):
            ElasticStore(server.url).setup()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
@example({"": 1, "a": {"\0": 2, "b": [{"": 3}]}})
@example({"a": "x" * (flat.MAX_VALUE + 1)})
@example(json.loads('{"a":' * 20 + "1" + "}" * 20))
def test_what_is_cut_can_be_held_and_what_can_be_held_is_not_cut(value: Any) -> None:
    made, whole = flat.flat(value)
    assert flat.is_flat(made)
    assert whole == (made is value) == flat.is_flat(value)
