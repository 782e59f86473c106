# SPDX-License-Identifier: Apache-2.0
"""The sample with mmexternal and omelasticsearch under the real rsyslogd, before an engine that misbehaves.

Nothing that did not pass the filter is ever sent to it; what is not stored is in a file that a replay brings in.
"""

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chain import run
from tests.e2e.filter_chain import SAMPLE, FilterChain, require_omelasticsearch
from tests.e2e.traffic import datagram, messages
from tests.peers import require_program
from tests.rsyslog.daemon import wait_until
from tests.store.stand_in import Action, Handler, answer, reset, slow, standing_in
from ttyscribe_formats import tlog
from ttyscribe_store.open import open_store

pytestmark = pytest.mark.rsyslogd


def sent(bulks: list[bytes]) -> Iterator[tuple[Any, Any]]:
    """Each action of some bulk requests with its document."""
    for bulk in bulks:
        lines = bulk.split(b"\n")
        assert lines.pop() == b""
        for head, document in zip(lines[::2], lines[1::2], strict=True):
            yield json.loads(head)["create"], json.loads(document)


def texts(bulks: list[bytes]) -> Counter[str]:
    """How often each text was sent."""
    return Counter(document["message"] for _, document in sent(bulks))


def stored_texts(folder: Path) -> list[str]:
    """The texts in a store on SQLite, sorted."""
    from ttyscribe_store.base import Query

    store = open_store(f"sqlite:{folder}")
    try:
        return sorted(hit.message for hit in store.search(Query([], limit=100_000)))
    finally:
        store.close()


def items(*statuses: int) -> Action:
    """Answer a bulk request with these statuses of its items, over and over."""

    def act(handler: Handler, body: bytes) -> None:
        found = []
        for number, head in enumerate(body.split(b"\n")[:-1:2]):
            action, status = json.loads(head)["create"], statuses[number % len(statuses)]
            item: dict[str, Any] = {"_index": action["_index"], "_id": action["_id"], "status": status}
            if status >= 300:
                item["error"] = {"type": f"type_{status}", "reason": f'reason "{status}"'}
            found.append({"create": item})
        failed = any(item["create"]["status"] >= 300 for item in found)
        answer(200, {"took": 1, "errors": failed, "items": found})(handler, body)

    return act


def test_the_shipped_file_passes_rsyslogds_own_check() -> None:
    require_omelasticsearch()
    command = [require_program("rsyslogd"), "-N1", "-f", str(SAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "config validation run" not in line] == []


def test_documents_are_created_where_they_belong(tmp_path: Path) -> None:
    """MMN-1, MMN-2: complete and exact, in the index and under the id that omprog's way would give them."""
    recorded = messages("rec-1", 20)
    odd = ["ü 😀", 'quoted "x" \\ /', "x" * 60_000, "#012 as it is", "9" * 40]
    with standing_in() as engine, FilterChain(f"{engine.url}/pre", tmp_path) as chain:
        chain.send([datagram(b"first", "daemon")])  # nobody attests what comes before the socket asks for it
        wait_until(lambda: engine.bulks, 60, f"the first document {chain.said()}")
        chain.send([datagram(line) for line in recorded] + [datagram(text.encode(), "daemon") for text in odd])
        wait_until(lambda: len(list(sent(engine.bulks))) == 26, 60, f"all documents {chain.said()}")
        found = list(sent(engine.bulks))[1:]
        assert chain.entries("diverted") == []
    for action, document in found:
        kind, partition = document["ttyscribe"]["kind"], document["ttyscribe"]["partition"]
        assert action == {"_index": f"pre-ttyscribe-{kind}-{partition}", "_id": document["viaq_msg_id"]}
    assert [document["message"] for _, document in found[20:]] == odd
    assert [tlog.canonical(tlog.from_fields(document["tlog"])) for _, document in found[:20]] == [
        tlog.canonical(tlog.decode(line)) for line in recorded
    ]
    assert {document["ttyscribe"]["trust"] for _, document in found} == {"system" if os.getuid() == 0 else "none"}
    assert {document["ttyscribe"]["sender_pid"] for _, document in found} == {os.getpid()}
    assert len({action["_id"] for action, _ in found}) == 25


NUL = (
    '{"ver":"2.3","host":"h","rec":"nul","user":"u","term":"x","session":1,"id":%d,"pos":0,"time":1795521604.218,'
    '"timing":">3","in_txt":"","in_bin":[],"out_txt":"a\\u0000b","out_bin":[]}'
)
"""A recording's message whose document rsyslog's own JSON can't hold."""


def test_what_does_not_pass_is_in_the_divert_file_and_a_replay_stores_it(tmp_path: Path) -> None:
    """MMN-3, MMN-4, MMN-5, MMN-8, MMN-9: never sent to the engine; empty messages are dropped as everywhere."""
    large, url = "y" * 2000, f"sqlite:{tmp_path}/store"
    with standing_in() as engine, FilterChain(engine.url, tmp_path, options=["--max-message", "1K"]) as chain:
        chain.send([datagram(b"before", "daemon"), datagram(large.encode(), "daemon"), datagram(b"", "daemon")])
        chain.send([datagram((NUL % 1).encode()), datagram(b"behind", "daemon")])
        chain.wait_entries("diverted", 2)
        wait_until(lambda: len(texts(engine.bulks)) == 2, 60, "the others")
        assert texts(engine.bulks) == {"before": 1, "behind": 1}
        assert chain.diverted() == {large: "too-long", NUL % 1: "inexact"}
        assert "has it open still, now as diverted.ndjson.replaying" in chain.replay("diverted", url, status=2)
        chain.send([datagram((NUL % 2).encode())])  # to the file that was set aside: rsyslogd has it open
        set_aside = chain.aside / "diverted.ndjson.replaying"
        wait_until(lambda: set_aside.read_bytes().count(b"inexact") == 2, 60, "the third message")
        chain.hang_up()
        chain.send([datagram((NUL % 3).encode())])
        chain.wait_entries("diverted", 1)
        assert "3 lines: 3 stored" in chain.replay("diverted", url)
        assert not set_aside.exists()
        assert [entry["msg"] for entry in chain.entries("diverted")] == [f" {NUL % 3}"]


MARK = '{"$!":{"normalized":{"passed":"","id":"x","index":"x","document":"{}"}}}'
JUNK = {
    "text": "print('no JSON', flush=True)",
    "an array": "print('[1]', flush=True)",
    "an empty object": "print('{}', flush=True)",
    "a mark of its own": f"print({MARK!r}, flush=True)",
    "two lines": "print('{}\\n{}', flush=True)",
    "a warning": "print('warning', file=sys.stderr, flush=True); print('{}', flush=True)",
    "its death": "sys.exit(1)",
    "nothing of what it read": "sys.exit(0)",
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
def test_a_filter_that_talks_junk_or_dies_passes_nothing(tmp_path: Path, junk: str) -> None:
    """MMN-3: all messages are in the divert file, and a replay normalises and stores them."""
    child = [sys.executable, "-c", f"import sys\nfor line in sys.stdin:\n    {junk}"]
    with standing_in() as engine, FilterChain(engine.url, tmp_path, child=child) as chain:
        chain.send(datagram(text, "daemon") for text in (b"one", b"two", b"three"))
        chain.wait_entries("diverted", 3)
        assert engine.bulks == []
        chain.stop()
        assert "3 lines: 3 stored" in chain.replay("diverted", f"sqlite:{tmp_path}/store")
    assert stored_texts(tmp_path / "store") == ["one", "three", "two"]


OUT_OF_STEP = """
import json, sys, time
from ttyscribe_normalizers import build, mmexternal, options
stamped = mmexternal.Stamped()
pipeline = build.build(options.parse(["--protocol", "mmexternal"], ""), stamped.around)
normalizer = mmexternal.Normalizer(pipeline, stamped, time.time_ns, print)
before = {}
for line in sys.stdin.buffer:
    reply, before = before, normalizer.line(line.strip())
    print(json.dumps(reply), flush=True)
"""


def test_an_answer_that_belongs_to_another_message_passes_nothing(tmp_path: Path) -> None:
    """MMN-3: a program one message behind, as one stray line leaves it; no document takes another one's place."""
    child = [sys.executable, "-c", OUT_OF_STEP]
    with standing_in() as engine, FilterChain(engine.url, tmp_path, child=child) as chain:
        chain.send(datagram(b"m%d" % number, "daemon") for number in range(20))
        chain.wait_entries("diverted", 20)
        assert engine.bulks == []


FORGED = {
    "passed": "0" * 32,
    "index": "evil",
    "id": "evil",
    "kind": "tlog",
    "document": "{}",
}


def test_a_sender_cannot_forge_what_the_filter_says(tmp_path: Path) -> None:
    """MMN-3, MMN-7: parsed into the tree before the stamp, in every spelling, under a filter that answers nothing and
    under ours; nor can it choose its uid, id or time of receipt."""
    stamp = {"id": FORGED["passed"], "received": "2001-01-01T00:00:00Z", "uid": "0", "pid": "1"}
    names = [("normalized", "ttyscribe"), ("NORMALIZED", "TTYSCRIBE"), ("Normalized", "ttyScribe")]
    forged = [json.dumps({one: FORGED, other: stamp, "pid": 1}) for one, other in names]
    parse = {
        'module(load="mmexternal")': 'module(load="mmexternal") module(load="mmjsonparse")',
        "    set $.uid = $!uid;": '    action(type="mmjsonparse" cookie="")\n    set $.uid = $!uid;',
    }
    mute = [sys.executable, "-c", "import sys\nfor line in sys.stdin:\n    print('{}', flush=True)"]
    with standing_in() as engine, FilterChain(engine.url, tmp_path, child=mute, replace=parse) as chain:
        chain.send(datagram(text.encode(), "daemon") for text in forged)
        entries = chain.wait_entries("diverted", len(forged))
        assert engine.bulks == []
        assert not {FORGED["passed"], "evil"} & {entry["id"] for entry in entries}
        assert {entry["status"] for entry in entries} == {""}
    (tmp_path / "ours").mkdir()
    with standing_in() as engine, FilterChain(engine.url, tmp_path / "ours", replace=parse) as chain:
        chain.send(datagram(text.encode(), "daemon") for text in forged)
        wait_until(lambda: sum(texts(engine.bulks).values()) == len(forged), 60, "the documents")
        for action, document in sent(engine.bulks):
            assert action["_id"].startswith("log:")
            assert FORGED["passed"] not in action["_id"]
            assert not document["ttyscribe"]["received"].startswith("2001")


def test_a_killed_filter_loses_nothing_and_passes_nothing_raw(tmp_path: Path) -> None:
    """MMN-3: each message is either sent once, normalised, or in the divert file; killed at work and at its start."""
    kills, each = 6, 60

    def passed_more_than(count: int) -> bool:
        return len(texts(engine.bulks)) > count

    with standing_in() as engine, FilterChain(engine.url, tmp_path) as chain:
        for kill in range(kills):
            before = len(texts(engine.bulks))
            chain.send(datagram(b"m%d" % number, "daemon") for number in range(kill * each, kill * each + each))
            wait_until(lambda: passed_more_than(before), 60, "the filter at work")  # noqa: B023
            chain.kill_child()
        wait_until(lambda: len(texts(engine.bulks)) + len(chain.diverted()) >= kills * each, 60, "all messages")
        for number in range(kills * each, kills * each + 10):
            chain.kill_child()
            chain.send([datagram(b"m%d" % number, "daemon")])
        total = kills * each + 10
        wait_until(lambda: len(texts(engine.bulks)) + len(chain.diverted()) >= total, 60, "all messages")
        passed, diverted = texts(engine.bulks), chain.diverted()
    assert set(passed.values()) == {1}
    assert set(diverted.values()) <= {""}
    assert passed.keys() | diverted.keys() == {f"m{number}" for number in range(total)}
    assert not passed.keys() & diverted.keys()


def test_a_whole_request_that_is_refused_is_in_the_errorfile_and_a_replay_stores_it(tmp_path: Path) -> None:
    """MMN-8: rsyslog 8.2302 takes these answers for delivered; a closed connection it tries again by itself."""
    script = [answer(status, {"error": {"type": "x", "reason": "y"}, "status": status}) for status in (503, 429, 413)]
    names = ["m503", "m429", "m413", "reset", "fine"]
    with standing_in(*script, reset) as engine, FilterChain(engine.url, tmp_path) as chain:
        for number, name in enumerate(names):
            chain.send([datagram(name.encode(), "daemon")])
            wait_until(lambda: len(engine.bulks) > number, 60, f"{name} {chain.said()}")  # noqa: B023
        wait_until(lambda: texts(engine.bulks)["fine"] == 1, 60, "the last one")
        assert texts(engine.bulks)["reset"] == 2
        chain.wait_entries("failed-requests", 3)
        chain.stop()
        assert "3 stored" in chain.replay("failed-requests", f"sqlite:{tmp_path}/store")
    assert stored_texts(tmp_path / "store") == ["m413", "m429", "m503"]


def test_an_engine_that_never_answers_is_asked_again(tmp_path: Path) -> None:
    """MMN-8: after indexTimeout; without it rsyslogd would wait for ever."""
    limit = {'indexTimeout="60000"': 'indexTimeout="1500"'}
    with standing_in(slow(600)) as engine, FilterChain(engine.url, tmp_path, replace=limit) as chain:
        chain.send(datagram(name, "daemon") for name in (b"one", b"two"))
        wait_until(
            lambda: texts(engine.bulks)["two"] and texts(engine.bulks)["one"] > 1, 60, f"a repeat {chain.said()}"
        )
        assert len({action["_id"] for action, _ in sent(engine.bulks)}) == 2
        assert chain.entries("failed-requests") == chain.entries("diverted") == []


@pytest.mark.parametrize("status", [200, 403, 502])
def test_a_proxys_page_is_no_answer(tmp_path: Path, status: int) -> None:
    """MMN-8: what is no JSON is sent again."""
    page = answer(status, b"<html>", "text/html")
    with standing_in(page, page) as engine, FilterChain(engine.url, tmp_path) as chain:
        chain.send([datagram(b"one", "daemon")])
        wait_until(lambda: len(engine.bulks) >= 3, 60, f"a third attempt {chain.said()}")
        assert all("one" in texts([bulk]) for bulk in engine.bulks)  # each with what the one before it held, too
        assert chain.entries("failed-requests") == chain.entries("diverted") == []


def test_items_are_told_apart_by_their_status(tmp_path: Path) -> None:
    """MMN-8: busy: sent again until it is not; there already: done; wrong itself: put aside with the reason."""
    with standing_in() as engine, FilterChain(engine.url, tmp_path) as chain:
        statuses = {"stored": 201, "there": 409, "busy": 429, "down": 503, "wrong": 400}
        engine.always = by_text(statuses)
        chain.send(datagram(name.encode(), "daemon") for name in statuses)
        wait_until(lambda: texts(engine.bulks)["busy"] > 2 and texts(engine.bulks)["down"] > 2, 60, "repeats")
        engine.always = None
        (rejected,) = chain.wait_entries("rejected", 1)
        before = len(engine.bulks)
        wait_until(lambda: {"busy", "down"} <= texts(engine.bulks[before:]).keys(), 60, "the last attempt")
        counted = texts(engine.bulks)
        assert (counted["stored"], counted["there"], counted["wrong"]) == (1, 1, 1)
        assert rejected["reason"] == '400 type_400: reason "400"'
        first = {document["message"]: (action, document) for action, document in sent(engine.bulks[:1])}
        for action, document in sent(engine.bulks):
            assert first.get(document["message"], (action, document)) == (action, document)
        chain.stop()
        assert "1 stored" in chain.replay("rejected", f"sqlite:{tmp_path}/store")
    assert stored_texts(tmp_path / "store") == ["wrong"]


def by_text(statuses: dict[str, int]) -> Action:
    """Answer each item with the status that its document's text has."""

    def act(handler: Handler, body: bytes) -> None:
        items(*(statuses[document["message"]] for _, document in sent([body])))(handler, body)

    return act


ODD_DOCUMENTS: list[Any] = [
    {"": "", "empty": [{}, [], None, True, False]},
    {"numbers": [0, -0.0, 1.10, 1e300, 5e-324, 1795521604.218, 2**63 - 1, -(2**63), 1e22, 0.1]},
    {"text": 'ü😀 \u2028 " \\ / \u007f \u0001 \ud7ff \uffff'},
    {'key "quoted" \\': {"a!b": {"$!x": 1}, "ü😀": 2, ".": 3}},
    {"message": {"not": "text"}},
]
DOCUMENTS = """
import json, sys
from ttyscribe_normalizers import mmexternal
from ttyscribe_store import bulk
documents = iter(json.load(open(sys.argv[1])))
for line in sys.stdin.buffer:
    stamp = json.loads(line)["$!"]["ttyscribe"]["id"]
    document = next(documents) | {"viaq_msg_id": stamp, "ttyscribe": {"kind": "odd", "partition": "2026.11"}}
    print(json.dumps({"$!": {"normalized": mmexternal.passed(stamp, document)}}), flush=True)
"""


def test_a_document_that_is_sent_again_is_what_it_was(tmp_path: Path) -> None:
    """MMN-4: rsyslog parses and writes it in between; what that would change does not pass."""
    deep: Any = "end"
    for number in range(26):
        deep = {"deep": deep} if number % 2 else [deep]
    golden = Path(__file__).parents[1] / "normalizers" / "golden"
    found = [json.loads(path.read_text()) for path in sorted(golden.glob("*/*.out.json"))]
    known = [document for case in found for document in case["documents"]]
    assert len(known) > 20
    documents = [*ODD_DOCUMENTS, {"deep": deep}, *known]
    path = tmp_path / "documents"
    path.write_text(json.dumps(documents))
    child = [sys.executable, "-c", DOCUMENTS, str(path)]
    with standing_in() as engine, FilterChain(engine.url, tmp_path, child=child) as chain:
        engine.always = items(429)
        chain.send(datagram(b"m%d" % number, "daemon") for number in range(len(documents)))
        wait_until(
            lambda: len(first_and_last(engine.bulks)) + len(chain.entries("diverted")) == len(documents), 60, "all"
        )
        engine.always = None
        count = len(engine.bulks)
        wait_until(lambda: len(first_and_last(engine.bulks[count:])) == len(first_and_last(engine.bulks)), 60, "again")
        pairs = first_and_last(engine.bulks)
        assert len(pairs) >= 0.95 * len(documents)
        for first, last in pairs.values():
            assert first == last
        assert {entry["status"] for entry in chain.entries("diverted")} <= {"inexact"}


def first_and_last(bulks: list[bytes]) -> dict[str, tuple[str, str]]:
    """What each document was when it was sent first and when it was sent last, with the types of numbers."""
    found: dict[str, tuple[str, str]] = {}
    for action, document in sent(bulks):
        text = repr(document)
        found[action["_id"]] = (found.get(action["_id"], (text, ""))[0], text)
    return found


def test_half_a_line_of_a_killed_rsyslogd_spoils_no_other(tmp_path: Path) -> None:
    """MMN-9: in each of the three files."""
    document: dict[str, Any] = {
        "message": "a",
        "viaq_msg_id": "log:a",
        "@timestamp": "2026-11-24T12:00:00.000000+00:00",
    }
    document |= {"hostname": "h", "level": "info", "pipeline_metadata": {}}
    own = {"kind": "syslog", "partition": "2026.11", "received": document["@timestamp"], "trust": "none", "words": "a"}
    entry = json.dumps({"v": 1, "document": {**document, "ttyscribe": own}})
    posted = (
        '{"create":{}}\n' + json.dumps({**document, "viaq_msg_id": "log:b", "message": "b", "ttyscribe": own}) + "\n"
    )
    request = '{ "request": { "url": "http:\\/\\/h\\/_bulk", "postdata": ' + json.dumps(posted) + ' }, "reply": { } }'
    message = json.dumps({"v": 1, "status": "", "id": "c", "received": document["@timestamp"], "msg": " c"})
    for name, whole in (("rejected", entry), ("failed", request), ("diverted", message)):
        half = whole[: len(whole) // 2]
        path = tmp_path / name
        path.write_text(f"{half}{whole}\n{whole}\n" if name == "failed" else f"\n{whole}\n\n{half}\n{whole}\n")
        done = run("ttyscribe-normalize", "--replay", str(path), "--output", f"sqlite:{tmp_path}/store")
        assert b"1 stored, 1 already there" in done.stderr
        assert b"1 of " in done.stderr
        assert done.returncode == 1
        kept = [json.loads(line) for line in path.read_text().splitlines()]
        assert [base64.b64decode(one["raw"]).decode() for one in kept] == [half]
    assert stored_texts(tmp_path / "store") == ["a", "b", "c"]


EVENT = (
    '{"serial":%d,"time":"2026-11-24T12:00:00.771+00:00","data":{"syscall":{"syscall":["execve","59"],'
    '"success":["yes"],"pid":["1201"],"auid":["ada","1000"],"uid":["root","0"],"exe":["/usr/bin/ps"]},'
    '"execve":["ps","-ef"]}}'
)
"""One audit event as aushape writes it."""


def test_a_message_of_several_events_goes_aside_and_a_replay_stores_each(tmp_path: Path) -> None:
    """MMN-4, MMN-8: one of a single event passes."""
    single, several = f"[{EVENT % 880}]", f"[{EVENT % 881},{EVENT % 882},{EVENT % 883}]"
    with standing_in() as engine, FilterChain(engine.url, tmp_path) as chain:
        chain.send(datagram(text.encode(), "aushape") for text in (several, single))
        chain.wait_entries("diverted", 1)
        wait_until(lambda: len(list(sent(engine.bulks))) == 1, 60, "the single event")
        ((action, document),) = sent(engine.bulks)
        assert (document["ttyscribe"]["kind"], action["_id"].split(":")[3]) == ("aushape", "880")
        assert chain.diverted() == {several: "several"}
        chain.stop()
        assert "3 stored" in chain.replay("diverted", f"sqlite:{tmp_path}/store")


def test_a_stop_while_the_engine_is_away_waits_for_it_or_for_sigkill(tmp_path: Path) -> None:
    """MMN-8: told to give up at once rsyslogd would lose the batch in work."""
    names = {f"m{number}" for number in range(40)}
    with standing_in() as engine, FilterChain(engine.url, tmp_path) as chain:
        engine.always = reset
        chain.send(datagram(name.encode(), "daemon") for name in sorted(names))
        chain.wait_read()
        wait_until(lambda: len(engine.bulks) > 0, 60, "a first attempt")
        chain.stop_or_kill(after=2)
        chain.start()
        engine.always, since = None, len(engine.bulks)
        wait_until(
            lambda: texts(engine.bulks[since:]).keys() | chain.diverted().keys() == names, 60, f"all {chain.said()}"
        )
        assert not chain.stop_or_kill(after=20)
        assert chain.entries("rejected") == chain.entries("failed-requests") == []


def test_a_stop_delivers_what_waits(tmp_path: Path) -> None:
    """MMN-8: and ends by itself; what the engine refused as busy is sent again first.

    At its stop rsyslogd interrupts its own waiting for the filter: some messages go aside, and none is lost.
    """
    names = {f"m{number}" for number in range(60)}
    with standing_in(items(429, 201)) as engine, FilterChain(engine.url, tmp_path) as chain:
        chain.send(datagram(name.encode(), "daemon") for name in sorted(names))
        chain.wait_read()
        assert not chain.stop_or_kill(after=30)
        passed, diverted = texts(engine.bulks), chain.diverted()
        assert passed.keys() | diverted.keys() == names
        assert not passed.keys() & diverted.keys()
        first = [document["message"] for _, document in sent(engine.bulks[:1])]
        assert set(first[::2]) <= texts(engine.bulks[1:]).keys()
        assert chain.entries("rejected") == chain.entries("failed-requests") == []


def test_stops_and_kills_while_the_engine_is_away_lose_nothing(tmp_path: Path) -> None:
    """MMN-8: messages that wait for the engine, and items that wait to be sent again, are in queues on disk."""
    names = [f"m{number}" for number in range(120)]

    def all_there(count: int) -> bool:
        return texts(engine.bulks[since:]).keys() | chain.diverted().keys() >= set(names[:count])

    with standing_in() as engine, FilterChain(engine.url, tmp_path) as chain:
        engine.always = reset
        chain.send(datagram(name.encode(), "daemon") for name in names[:40])
        chain.wait_read()
        chain.stop_or_kill(after=2)
        chain.start()
        engine.always = items(429)
        chain.send(datagram(name.encode(), "daemon") for name in names[40:80])
        since = len(engine.bulks)
        wait_until(lambda: all_there(80), 60, f"all of it refused as busy {chain.said()}")
        chain.kill()
        since = len(engine.bulks)
        chain.start()
        chain.send(datagram(name.encode(), "daemon") for name in names[80:])
        wait_until(lambda: all_there(120), 60, f"all of it tried again {chain.said()}")
        engine.always = None
        since = len(engine.bulks)
        wait_until(lambda: all_there(120), 60, f"all of it stored {chain.said()}")
        assert chain.entries("rejected") == chain.entries("failed-requests") == []
        ids = {(action["_id"], document["message"]) for action, document in sent(engine.bulks)}
        assert len(ids) == len({text for _, text in ids})  # however often it is sent, each message has its one id
