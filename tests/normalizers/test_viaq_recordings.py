# SPDX-License-Identifier: Apache-2.0
"""A recording that arrives under the profile `viaq`, whichever way: the same documents, stored once, played whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.samples import MESSAGE, line, text
from tests.normalizers.test_viaq_program import run
from tests.store.samples import listed
from ttyscribe_store.base import RecordingFilter
from ttyscribe_store.open import open_store

KUBERNETES = {"namespace_name": "shop", "namespace_id": "u-1", "pod_name": "p", "host": "node9.example.com"}


def said(number: int) -> str:
    return text(id=number, pos=number)


def journal(number: int) -> dict[str, Any]:
    stamps = {"__CURSOR": f"s=1;i={number}", "__REALTIME_TIMESTAMP": "1795521604300000"}
    return {**stamps, "_UID": "0", "MESSAGE": said(number)}


def pod_journal(number: int) -> dict[str, Any]:
    return journal(number) | {"CONTAINER_NAME": "k8s_c_p_shop_u_0", "kubernetes": KUBERNETES, "_HOSTNAME": "node9"}


def pod_file(number: int) -> dict[str, Any]:
    return {"log": said(number) + "\n", "stream": "stdout", "time": "2026-11-24T12:00:05Z", "kubernetes": KUBERNETES}


def var_log(number: int) -> dict[str, Any]:
    return {"message": said(number), "host": "web7", "ident": "ttyscribe", "time": "2026-11-24T12:00:05.000000+00:00"}


def second_pass(number: int) -> dict[str, Any]:
    """As a collector brings it that nested the message already, without its host and time."""
    nested = {key: value for key, value in json.loads(said(number)).items() if key not in ("host", "time")}
    return journal(number) | {"tlog": nested}


def rsyslog(number: int) -> bytes:
    return line(said(number)) + b"\n"


def recorders_file(number: int) -> bytes:
    return said(number).encode() + b"\n"


WAYS = (journal, pod_journal, pod_file, var_log, second_pass, rsyslog, recorders_file)


def documents(lines: list[Any], *arguments: str) -> list[Any]:
    return [json.loads(one) for one in run(lines, *arguments).stdout.splitlines()]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_gives_the_same_id_and_the_whole_message(way: Any) -> None:
    (document,) = documents([way(3)])
    assert document["viaq_msg_id"] == documents([recorders_file(3)])[0]["viaq_msg_id"]
    assert document["tlog"] == MESSAGE | {"id": 3, "pos": 3}
    assert document["message"] == "hi\n"
    assert document["@timestamp"] == "2026-11-24T12:00:04.218000+00:00"
    assert document["hostname"] == MESSAGE["host"]


def test_what_came_by_all_ways_is_stored_once_and_played_whole(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}"
    for way in WAYS:
        assert run([way(number) for number in (1, 2, 3)], "--output", url).returncode == 0
    store = open_store(url)
    (recording,) = listed(store, RecordingFilter())
    assert (recording.messages, recording.distinct_ids) == (3, 3)
    played = [message.tlog for message in store.messages(recording.recording)]
    assert played == [MESSAGE | {"id": number, "pos": number} for number in (1, 2, 3)]
    store.close()


def test_a_record_says_nothing_for_us(tmp_path: Path) -> None:
    """A sender's own `ttyscribe` and `tlog` are never ours: neither its trust nor its recording."""
    claim = {"message": "x", "ttyscribe": {"trust": "system", "kind": "tlog"}, "tlog": {"rec": "4113-13dda"}}
    (document,) = documents([claim])
    assert "ttyscribe" not in document
    assert document["undefined"]["ttyscribe"] == claim["ttyscribe"]
    other = journal(1) | {"tlog": {"rec": "another", "out_txt": "forged"}}
    (document,) = documents([other])
    assert document["tlog"] == MESSAGE | {"id": 1, "pos": 1}
    assert document["undefined"]["tlog"] == other["tlog"]
    url = f"sqlite:{tmp_path}"
    run([claim], "--output", url)
    store = open_store(url)
    assert listed(store, RecordingFilter()) == []
    store.close()


@pytest.mark.parametrize("value", ['{"ver":"2.3","timing":"', '{"timing":1}', "{}", '{"ver":"2.3"}'])
def test_a_containers_line_that_only_looks_like_one_stays_a_line(value: str) -> None:
    (document,) = documents([pod_file(1) | {"log": value}])
    assert "tlog" not in document
    assert document["message"] == value
