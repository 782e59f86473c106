# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes come, each line has an outcome, and nothing is raised."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.normalizers.samples import MESSAGE, NOW_NS, line, pipeline, text
from tools.generators import fields as declared
from tools.generators import schema
from ttyscribe_formats import timestamp
from ttyscribe_normalizers import envelope, exact, shapes
from ttyscribe_normalizers.deadletter import Entry, encode
from ttyscribe_normalizers.ndjson import Lines
from ttyscribe_normalizers.pipeline import Decode, Processed
from ttyscribe_store import jsontext

MODEL = declared.load(Path(__file__).resolve().parents[2])
SCHEMAS = {name: schema.schema(kind) for name, kind in MODEL.kinds.items()}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ANY_TEXT = st.text(st.characters(), max_size=60)
TIMES = st.datetimes().map(lambda moment: moment.isoformat() + "Z") | ANY_TEXT
NUMBERS = st.integers().map(str) | ANY_TEXT


def check(decode: Decode, raw: bytes) -> Processed:
    """A line is dead with a reason, or dropped, or documents that are declared and can be written."""
    processed = pipeline(decode).process(raw, NOW_NS)
    if processed.dead is not None:
        assert not processed.documents
        assert processed.dead.status in ("unparsable", "too-long")
        assert processed.dead.reason
        kept = json.loads(encode(Entry(raw, processed.dead), "now"))
        assert base64.b64decode(kept["raw"]) == raw
    for document in processed.documents:
        written = jsontext.loads(jsontext.dumps(document))
        jsonschema.validate(written, SCHEMAS[document["ttyscribe"]["kind"]])
        timestamp.parse(document["@timestamp"])
    return processed


@given(st.binary(max_size=200))
@example(b'{"v":1,"msg":"\\ud800"}')
@example(b'{"MESSAGE":[256]}')
@example(b'{"MESSAGE":null}')
@example(b'\xef\xbb\xbf{"msg":"x"}')
def test_any_bytes_have_an_outcome(raw: bytes) -> None:
    check(envelope.decode, raw)
    check(shapes.decode, raw)


KEYS = [*envelope.KEYS, *envelope.MORE_KEYS, "v", "message", "MESSAGE", "ver", "timing", "level", "journal", "peer"]
OTHERS = ["log", "stream", "logtag", "kubernetes", "docker", "event", "verb", "kind", "involvedObject", "_boot_id"]
OTHERS += ["__REALTIME_TIMESTAMP", "__CURSOR", "_UID", "_AUDIT_SESSION", "TLOG_REC", "CONTAINER_NAME", "CONTAINER_ID"]
HEADER = {"v": 1, "msg": "@cee: {}"}


@given(st.dictionaries(st.sampled_from([*KEYS, *OTHERS]), JSON), st.booleans())
def test_any_object_has_an_outcome(fields: dict[str, Any], is_line: bool) -> None:
    raw = json.dumps(HEADER | fields if is_line else fields).encode()
    check(envelope.decode, raw)
    check(shapes.decode, raw)


@given(
    st.fixed_dictionaries(
        {"msg": ANY_TEXT},
        optional={
            **dict.fromkeys(envelope.KEYS[:-1], ANY_TEXT),
            "received": TIMES,
            "time": TIMES,
            "uid": NUMBERS,
            "pid": NUMBERS,
        },
    )
)
def test_any_texts_in_an_envelope_are_stored_or_dropped(fields: dict[str, str]) -> None:
    raw = json.dumps({"v": 1, **fields}).encode()
    assert check(envelope.decode, raw).dead is None


@given(st.lists(st.sampled_from(list(MESSAGE)), max_size=3), JSON, st.booleans())
def test_a_recordings_message_with_any_value_in_it_is_stored(keys: list[str], value: Any, bare: bool) -> None:
    message = text(**dict.fromkeys(keys, value))
    decode: Decode = shapes.decode if bare else envelope.decode
    raw = message.encode("utf-8", "surrogatepass") if bare else line(message)
    (document,) = check(decode, raw).documents
    own = document["ttyscribe"]
    assert own["kind"] == "tlog" or own["error"]


@given(st.binary(min_size=1, max_size=60))
def test_any_bytes_of_a_message_can_be_had_back(data: bytes) -> None:
    """As rsyslog hands them on: control characters escaped, quotes and backslashes too, all else raw."""
    shipped = b"".join(
        b"#%03o" % code if code < 32 else b"\\" + bytes((code,)) if code in b'"\\' else bytes((code,)) for code in data
    )
    raw = line("XYZ", program="app").replace(b"XYZ", shipped)
    message = json.loads(b'"' + shipped.decode("latin-1").encode() + b'"').encode("latin-1")
    for document in check(envelope.decode, raw).documents:
        kept = document["ttyscribe"].get("raw")
        assert (base64.b64decode(kept) if kept else document["message"].encode()) == message


@given(st.text(st.characters(codec="utf-8"), max_size=50), st.randoms(use_true_random=False))
def test_a_message_that_is_serialised_anew_keeps_its_identity(shown: str, dice: Any) -> None:
    fields = MESSAGE | {"out_txt": shown, "timing": f">{len(shown)}"}
    keys = list(fields)
    dice.shuffle(keys)
    rewrites: list[Callable[[Any], str]] = [json.dumps, lambda value: json.dumps(value, ensure_ascii=False, indent=1)]
    ids = {
        pipeline().process(line(write({key: fields[key] for key in keys})), NOW_NS).documents[0]["viaq_msg_id"]
        for write in rewrites
    }
    ids.add(pipeline().process(line(text(**fields)), NOW_NS).documents[0]["viaq_msg_id"])
    assert len(ids) == 1


@given(st.binary(max_size=100))
def test_a_repaired_text_and_its_bytes_belong_together(data: bytes) -> None:
    found, raw = exact.repaired(data.decode("utf-8", "surrogateescape"))
    assert found == data.decode("utf-8", "replace")
    assert raw in (data, b"")
    assert raw or found.encode() == data


@given(st.lists(st.binary(max_size=12).map(lambda part: part.replace(b"\n", b"")), max_size=6), st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_lines_do_not_depend_on_how_the_stream_was_cut(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"\n".join(lines)
    cutter, found, place = Lines(limit=5), [], 0
    while place < len(stream):
        size = data.draw(st.integers(1, 9))
        found += cutter.feed(stream[place : place + size])
        place += size
    if cutter.partial:
        found += cutter.feed(b"\n")
    wanted = lines[:-1] if lines and not lines[-1] else lines
    assert found == [(part[:5], len(part)) for part in wanted]
