# SPDX-License-Identifier: Apache-2.0
"""Syslog messages under the profile `viaq`: the short way by sender makes what the long one makes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.normalizers.samples import line, text
from ttyscribe_normalizers.kinds import Context
from ttyscribe_normalizers.template import Template
from ttyscribe_normalizers.trust import Trust
from ttyscribe_normalizers.viaq import load, senders, shapes
from ttyscribe_normalizers.viaq.profile import Profile, Wanted

NOW_NS = 1795521700123456000
MESSAGES = st.sampled_from(("Accepted", "", " ", "é", text(), text(host=""), text(id=2, out_txt=""), '{"ver":'))
LINES = st.fixed_dictionaries(
    {},
    optional={
        "host": st.sampled_from(("web7", "", "localhost")),
        "program": st.sampled_from(("sshd", "", "ttyscribe", "x" * 600)),
        "procid": st.sampled_from(("-", "77")),
        "facility": st.sampled_from(("4", "", "x")),
        "severity": st.sampled_from(("3", "", "9", "err")),
        "uid": st.sampled_from(("0", "1000", "-1", "")),
        "pid": st.sampled_from(("77", "")),
        "protocol-version": st.just("1"),
        "msgid": st.sampled_from(("ID47", "-")),
        "time": st.sampled_from(("2026-11-24T12:00:00.123456+00:00", "never", "1912-01-01T00:00:00.000000+00:00")),
    },
)


def profile(*, stored: bool, keep: bool = False) -> Profile:
    settings = load.read("")
    chain = load.compiled(settings, load.surroundings({"NODE_NAME": "node1"}, ""), "")
    wanted = Wanted(chain, settings.tags, "node1", lambda: NOW_NS, stored, keep)
    return Profile(wanted, Context(Trust({0}, lambda uid: ""), lambda: "id"))


def made(messages: list[tuple[str, dict[str, str]]], *, stored: bool) -> list[Any]:
    wanted, decode = profile(stored=stored), Template(shapes.decode).decode
    return [wanted.normalize(decode(line(said, **fields), NOW_NS)) for said, fields in messages]


@given(st.lists(st.tuples(MESSAGES, LINES), min_size=1, max_size=4), st.booleans())
def test_both_ways_make_the_same(messages: list[tuple[str, dict[str, str]]], stored: bool) -> None:
    short = made([*messages, *messages], stored=stored)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(senders.Senders, "made", lambda *given: None)
        assert made([*messages, *messages], stored=stored) == short


def test_documents_of_one_sender_share_nothing_that_differs() -> None:
    first, second = made([("one", {}), ("two", {})], stored=False)
    assert (first[0]["message"], second[0]["message"]) == ("one", "two")
    assert first[0]["pipeline_metadata"] is not second[0]["pipeline_metadata"]


def test_a_header_of_rfc_5424_has_its_place_in_the_model() -> None:
    header = {"protocol-version": "1", "app-name": "sshd", "msgid": "ID47", "structured-data": "-"}
    ((document,), (other,)) = made([("one", header), ("one", {})], stored=False)
    assert document["rsyslog"] == {"protocol-version": "1", "appname": "sshd", "msgid": "ID47"}
    assert "rsyslog" not in other
