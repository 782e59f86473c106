# SPDX-License-Identifier: Apache-2.0
"""Keys of the template's line that not every template writes: header of RFC 5424, journal entry, peer."""

import json
from typing import Any

import pytest

from tests.normalizers.samples import MESSAGE, NOW_NS, document, line, text
from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import envelope
from ttyscribe_normalizers.envelope import NOBODY, Envelope

ENTRY = {
    "MESSAGE": "Accepted publickey for ada",
    "PRIORITY": "4",
    "SYSLOG_FACILITY": "10",
    "SYSLOG_IDENTIFIER": "sshd",
    "SYSLOG_PID": "812",
    "_HOSTNAME": "db3",
    "_PID": "813",
    "_UID": "0",
    "_SOURCE_REALTIME_TIMESTAMP": "1795521604123001",
}


def read(**fields: Any) -> Envelope:
    """The envelope of a line with these keys."""
    return envelope.decode(line("cut off", **fields), NOW_NS)


def test_a_header_of_rfc_5424_is_kept_without_what_is_none() -> None:
    """ENV-6."""
    header = {"protocol-version": "1", "app-name": "root", "msgid": "-", "structured-data": '[a@1 b="c"]'}
    found = envelope.decode(line("\ufeffhello", **header), NOW_NS)
    assert found.header == {"protocol-version": "1", "app-name": "root", "structured-data": '[a@1 b="c"]'}
    assert (found.text, found.sender_uid) == ("hello", 0)


def test_a_header_of_rfc_3164_says_nothing_more() -> None:
    """ENV-6."""
    header = {"protocol-version": "0", "app-name": "vm", "msgid": "-", "structured-data": "-"}
    found = envelope.decode(line("\ufeffhello", **header), NOW_NS)
    assert (found.header, found.text) == (None, "\ufeffhello")


def test_a_journal_entry_in_the_line_says_what_the_line_can_not() -> None:
    """ENV-7."""
    long = "x" * 20_000 + "\n\ttab"
    found = read(journal=ENTRY | {"MESSAGE": long, "ttyscribe": {"id": "7"}})
    assert found.text == long
    assert found.journal == ENTRY | {"MESSAGE": long}
    assert (found.host, found.program, found.pid, found.facility, found.severity) == ("db3", "sshd", "812", "10", "4")
    assert (found.sender_uid, found.sender_pid) == (0, 813)
    assert found.time_ns == 1795521604123001000
    assert found.stable_id == "E59101DB99164E47B6CAAF8A93598736"
    assert document(line("cut off", journal=ENTRY))["viaq_msg_id"] == "log:E59101DB99164E47B6CAAF8A93598736"


def test_what_the_entry_lacks_is_the_lines() -> None:
    """ENV-7."""
    found = read(journal={"FOO": "bar"})
    assert (found.text, found.host, found.program, found.severity) == ("cut off", "web7", "ttyscribe", "6")
    assert (found.sender_uid, found.sender_pid) == (0, 4113)


@pytest.mark.parametrize("broken", [7, "text", ["list"], None])
def test_a_journal_that_is_none_is_ignored(broken: Any) -> None:
    """ENV-1."""
    assert read(journal=broken).journal is None


@pytest.mark.parametrize("address", ["", "127.0.0.1", "::1"])
def test_a_sender_on_this_host_is_attested(address: str) -> None:
    """ENV-8."""
    assert document(line(text(), **{"from": address}))["ttyscribe"]["trust"] == "system"


@pytest.mark.parametrize("entry", [{}, {"journal": ENTRY}])
def test_a_sender_elsewhere_is_nobody_unless_its_host_proved_its_name(entry: dict[str, Any]) -> None:
    """ENV-8."""
    found = envelope.decode(line(text(), **{"from": "192.0.2.7"}, **entry), NOW_NS)
    assert (found.sender_uid, found.sender_pid) == (NOBODY, NOBODY)
    assert found.doubt.startswith("the journal's fields" if entry else "uid 0 and pid ")
    own = document(line(text(), **{"from": "192.0.2.7"}))["ttyscribe"]
    assert own["trust"] == "none"
    assert own["doubt"].endswith("the line came from 192.0.2.7, which proved no name")
    assert "sender_uid" not in own
    own = document(line(text(), **{"from": "192.0.2.7", "peer": "*.example.com"}))["ttyscribe"]
    assert (own["trust"], own["sender_uid"], own["sender_pid"], own.get("doubt")) == ("system", 0, 4113, None)


def test_a_line_without_a_sender_raises_no_doubt() -> None:
    """ENV-8."""
    assert envelope.decode(line("x", uid="", pid="", **{"from": "192.0.2.7"}), NOW_NS).doubt == ""


def test_of_a_peer_that_proved_nothing_id_and_time_are_not_used() -> None:
    """ENV-9."""
    found = read(peer="")
    assert (found.stable_id, found.windowed, found.received_ns) == ("", False, NOW_NS)
    assert found.received == timestamp.to_text(NOW_NS)
    assert found.sender_uid == NOBODY
    assert document(line("x", peer=""))["viaq_msg_id"] == "log:stamp-1"


@pytest.mark.parametrize(
    ("peer", "host", "is_believed"),
    [
        ("web7.example.com", "web7.example.com", True),
        ("web7.example.com", "WEB7", True),
        ("web7", "web7", True),
        ("web7.example.com", "db1", False),
        ("web7.example.com", "web7.example.org", False),
        ("web7.example.com", "", False),
        ("*.example.com", "anything", True),
    ],
)
def test_a_named_peer_vouches_for_itself_alone(peer: str, host: str, is_believed: bool) -> None:
    """ENV-10."""
    found = read(peer=peer, host=host)
    assert (found.sender_uid == 0) == is_believed
    assert bool(found.doubt) != is_believed
    assert (found.stable_id == "E59101DB99164E47B6CAAF8A93598736") == is_believed


EVENT = '{"serial":880,"time":"2026-11-24T12:00:00.771+00:00","node":"HOST","data":{"syscall":{"pid":["1"]}}}'
SUDO = '@cee:{"sudo":{"accept":{"submithost":"HOST","peeraddr":"192.0.2.1","submituser":"ada","command":"/bin/ls"}}}'
RECORD = "node=HOST type=SYSCALL msg=audit(1795521600.771:880): arch=c000003e syscall=59 success=yes"


@pytest.mark.parametrize("message", [text(host="HOST"), EVENT, SUDO, RECORD], ids=["tlog", "aushape", "sudo", "line"])
@pytest.mark.parametrize(
    ("peer", "host", "trust"),
    [
        ("web7.example.com", "web7.example.com", "system"),
        ("web7.example.com", "WEB7", "system"),
        ("web7.example.com", "web7.example.org", "system"),
        ("web7.example.com", "db1", "none"),
        ("web7.example.com", "db1.example.com", "none"),
        ("*.example.com", "db1", "system"),
        (None, "db1", "system"),
    ],
)
def test_nor_does_it_vouch_for_another_in_what_a_message_says(
    message: str, peer: str | None, host: str, trust: str
) -> None:
    """ENV-10: who has a host must not forge another one's recordings; the line's own host here is `web7`."""
    program = "sudo" if message is SUDO else "aushape"
    own = document(line(message.replace("HOST", host), peer=peer, program=program))["ttyscribe"]
    assert own["kind"] in ("tlog", "aushape", "sudo", "audit-line")
    assert (own["trust"], "doubt" in own) == (trust, trust == "none")


def test_the_boot_of_an_event_from_a_stranger_is_not_attested() -> None:
    """KEEP-5."""
    entry = {"MESSAGE": EVENT, "_BOOT_ID": "ec25" * 8, "SYSLOG_IDENTIFIER": "aushape"}
    for address, boot in (("127.0.0.1", "ec25" * 8), ("192.0.2.7", None)):
        made = document(line("", journal=entry, **{"from": address}))["ttyscribe"]
        assert (made["kind"], made.get("boot_id")) == ("aushape", boot)


def test_a_user_of_another_host_is_not_a_user_of_this_one() -> None:
    """ENV-11."""
    assert MESSAGE["user"] == "ada"
    assert document(line(text(), uid="1000"))["ttyscribe"]["trust"] == "user"
    assert document(line(text(), uid="1000", peer="*.example.com"))["ttyscribe"]["trust"] == "none"


def test_what_stands_last_in_a_relayed_line_counts() -> None:
    """A central ruleset closes the host's line; the host can't say what it says."""
    inner = line("hello", **{"from": "127.0.0.1", "peer": "db1"})
    closed = inner.removesuffix(b"}") + b',"from":"192.0.2.9","peer":"web7"}'
    found = envelope.decode(closed, NOW_NS)
    assert (found.peer, found.relayed, found.sender_uid) == ("192.0.2.9", True, 0)


@pytest.mark.parametrize("tail", [b',"z":{"a":"b"', b',"z":"', b',"z":[', b"}", b""])
def test_no_end_of_a_hosts_line_keeps_the_close_out_of_force(tail: bytes) -> None:
    inner = json.dumps({"v": 1, "msg": "x", "host": "db1", "uid": "0", "peer": "db1"}).encode().removesuffix(b"}")
    try:
        found = envelope.decode(inner + tail + b',"from":"192.0.2.9","peer":"web7"}', NOW_NS)
    except MessageError:
        assert tail
    else:
        assert not tail
        assert found.sender_uid == NOBODY
