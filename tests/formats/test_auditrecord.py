# SPDX-License-Identifier: Apache-2.0
"""What the fields of an audit record mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats import auditfacts, auditline, auditrecord
from ttyscribe_formats.auditrecord import Record, Socket, Value

FIELDS = (
    "pid ppid uid auid euid ses exe comm tty cwd cmd res success syscall arch name path saddr addr laddr lport rport "
    "acct id key proctitle"
)
NAMES = st.sampled_from(FIELDS.split())
TEXT = st.text(max_size=12)
SOCKETS = {
    "IPv4": ("02000016C0A8010A0000000000000000", Socket("192.168.1.10", 22)),
    "IPv4 of a machine with the other byte order": ("00020016C0A8010A0000000000000000", Socket("192.168.1.10", 22)),
    "IPv6": ("0A0000160000000020010DB800000000000000000000000100000000", Socket("2001:db8::1", 22)),
    "a path": ("01002F746D702F58300041414141", Socket(path="/tmp/X0")),
    "an abstract name": ("0100002F746D702F64627573", Socket(shown="0100002F746D702F64627573")),
    "netlink": ("100000000000000000000000", Socket(shown="100000000000000000000000")),
    "cut short": ("0200", Socket(shown="0200")),
    "IPv4 cut short": ("02000016C0A8", Socket(shown="02000016C0A8")),
    "as a converter shows it": ("{ saddr_fam=inet laddr=192.168.1.10 lport=22 }", Socket("192.168.1.10", 22)),
    "IPv6 as a converter shows it": ("{ saddr_fam=inet6 laddr=::1 lport=80 }", Socket("::1", 80)),
    "a path as a converter shows it": ("{ saddr_fam=local path=/run/x y }", Socket(path="/run/x y")),
    "a port that is none": ("{ saddr_fam=inet laddr=1.2.3.4 lport=99999 }", Socket("1.2.3.4", -1)),
}


@pytest.mark.parametrize("name", SOCKETS)
def test_socket_addresses(name: str) -> None:
    raw, wanted = SOCKETS[name]
    assert auditrecord.socket(Value(raw, raw)) == wanted
    assert auditrecord.socket(None) == Socket()


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Value("ada", "1000"), {"id": "1000", "name": "ada"}),
        (Value("1000", "1000"), {"id": "1000"}),
        (Value("unknown(890)", "890"), {"id": "890"}),
        (Value("root", "root"), {"name": "root"}),
        (Value("unset", "4294967295"), {}),
        (Value("-1", "-1"), {}),
        (Value("?", "?"), {}),
        (None, {}),
    ],
)
def test_who_somebody_is(value: Value | None, wanted: dict[str, str]) -> None:
    assert auditrecord.identity(value) == wanted


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        *(("0", 0), ("1201", 1201), ("4294967294", 4294967294), ("4294967295", None)),
        *(("-1", None), ("x", None), ("9" * 40, None), ("\u0663", None)),
    ],
)
def test_numbers_that_join(raw: str, wanted: int | None) -> None:
    assert auditrecord.number(Value(raw, raw)) == wanted


@pytest.mark.parametrize(
    ("name", "raw", "wanted"),
    [
        ("exe", '"/bin/a b"', "/bin/a b"),
        ("exe", "2F62696E2F612062", "/bin/a b"),
        ("acct", "C3A4", "\u00e4"),
        ("proctitle", "6C73002D6C00", "ls -l"),
        ("comm", "FF", "\ufffd"),
        ("pid", "1201", "1201"),
        ("name", "(null)", "(null)"),
        ("exe", "2f62", "2f62"),
    ],
)
def test_values_are_decoded(name: str, raw: str, wanted: str) -> None:
    assert auditrecord.decoded(name, raw) == wanted


@given(
    st.dictionaries(NAMES, st.tuples(TEXT, TEXT)),
    st.sampled_from(["syscall", "user_cmd", "path", "sockaddr", "avc", "cwd", "proctitle"]),
    st.lists(TEXT, max_size=3),
)
def test_any_records_give_facts_that_can_be_shown(
    fields: dict[str, tuple[str, str]], kind: str, arguments: list[str]
) -> None:
    values = {name: Value(*pair) for name, pair in fields.items()}
    for records in (
        [Record(kind, values, [])],
        [Record("syscall", {}, []), Record(kind, values, []), Record("execve", {}, arguments)],
    ):
        known = auditfacts.facts(records)
        assert not auditfacts._CONTROL.search(known.sentence)
        assert known.session is None or 0 <= known.session < 2**32 - 1
        assert known.parts["event"]["action"] or records[0].type == "syscall" or "event" not in known.parts


def test_a_sentence_says_who_did_what_as_whom_where_and_how_it_ended() -> None:
    head = "msg=audit(1.1:1):"
    known = '\x1dAUID="ada" UID="root" EUID="root"'
    what = f'arch=c000003e syscall=257 success=no exit=-13 auid=1000 uid=0 euid=0 exe="/bin/cat"{known}'
    text = f"type=SYSCALL {head} {what}"
    path = 'type=PATH msg=audit(1.1:1): item=0 name="shadow"'
    cwd = 'type=CWD msg=audit(1.1:1): cwd="/etc"'
    records = [auditrecord.from_line(auditline.parse(line)) for line in (text, cwd, path)]
    assert auditfacts.facts(records).sentence == "ada: openat /etc/shadow by /bin/cat as root: failure, -13"


def test_a_long_command_is_cut_in_the_sentence_and_searched_whole() -> None:
    known = auditfacts.facts([Record("syscall", {}, []), Record("execve", {}, ["sh", "x" * 9000])])
    assert len(known.sentence) < auditfacts.MAX_SHOWN + 200
    assert "more characters" in known.sentence
    assert "x" * 9000 in known.searched
