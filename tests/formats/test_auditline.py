# SPDX-License-Identifier: Apache-2.0
"""The grammar of one raw audit record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats import auditline, auditnames
from ttyscribe_formats.errors import MessageError

HEAD = "type=CWD msg=audit(1795521600.771:880):"
FIELDS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "bare values": (" a=1 b=-2 c=x:y", [("a", "1"), ("b", "-2"), ("c", "x:y")]),
    "quotes": (' a="b c" d="e=f"', [("a", '"b c"'), ("d", '"e=f"')]),
    "an empty value": (" a= b=1", [("a", ""), ("b", "1")]),
    "a quote that is never closed": (' a="b c', [("a", '"b c')]),
    "words that are no fields": (" avc:  denied  { read } for  pid=1", [("pid", "1")]),
    "a nested part": (" pid=1 msg='op=x acct=\"a\" res=1'", [("pid", "1"), ("op", "x"), ("acct", '"a"'), ("res", "1")]),
    "a nested part with a blank first": (" pid=1 msg=' comm=\"a\"'", [("pid", "1"), ("comm", '"a"')]),
    "a nested part that never ends": (" pid=1 msg='op=x acct=\"a", [("pid", "1"), ("op", "x"), ("acct", '"a')]),
    "commas of old": (" hostname=?, addr=?, res=success", [("hostname", "?"), ("addr", "?"), ("res", "success")]),
    "names with brackets and dashes": (" a1[0]=6162 old-auid=1", [("a1[0]", "6162"), ("old-auid", "1")]),
    "nothing": ("", []),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_fields_stand_as_they_were_written(name: str) -> None:
    body, wanted = FIELDS[name]
    assert auditline.parse(HEAD + body).fields == wanted


HEADS = {
    "of auditd": (HEAD, ("CWD", 1795521600_771_000_000, 880, "")),
    "with a node": (f"node=a.b {HEAD}", ("CWD", 1795521600_771_000_000, 880, "a.b")),
    "of the kernel": ("audit: type=1307 audit(1795521600.771:880):", ("CWD", 1795521600_771_000_000, 880, "")),
    "with the kernel's clock": ("[    1.5] audit: type=1307 audit(1.001:2):", ("CWD", 1_001_000_000, 2, "")),
    "one digit is one millisecond": ("type=CWD msg=audit(1.1:2):", ("CWD", 1_001_000_000, 2, "")),
    "a type that nobody knows": ("type=UNKNOWN[1420] msg=audit(1.001:2):", ("UNKNOWN[1420]", 1_001_000_000, 2, "")),
    "a number that nobody knows": ("audit: type=4242 audit(1.001:2):", ("UNKNOWN[4242]", 1_001_000_000, 2, "")),
    "the largest serial": (f"type=CWD msg=audit(1.001:{2**64 - 1}):", ("CWD", 1_001_000_000, 2**64 - 1, "")),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_are_read(name: str) -> None:
    text, wanted = HEADS[name]
    line = auditline.parse(text)
    assert (line.type, line.time_ns, line.serial, line.node) == wanted
    assert auditline.looks_like(text)


@pytest.mark.parametrize(
    "text", ["", "type=CWD", "type=cwd msg=audit(1.1:1):", f"type=CWD msg=audit(1.1:{2**64}):", "x " + HEAD]
)
def test_what_has_no_head_is_an_error(text: str) -> None:
    with pytest.raises(MessageError, match="no audit record"):
        auditline.parse(text)


def test_what_auditd_knew_is_apart_and_its_first_word_counts() -> None:
    line = auditline.parse(f'{HEAD} auid=1000\x1dAUID="ada" AUID="eve" SYSCALL=execve')
    assert line.fields == [("auid", "1000")]
    assert line.enriched == {"AUID": "ada", "SYSCALL": "execve"}


def test_the_mark_of_rsyslog_counts_only_where_rsyslog_was() -> None:
    text = f'{HEAD} auid=1000#035AUID="ada"'
    assert auditline.parse(text, shipped=True).enriched == {"AUID": "ada"}
    assert auditline.parse(text).enriched == {}


@given(st.text(max_size=80))
def test_any_body_gives_fields_of_names_and_values(body: str) -> None:
    for shipped in (True, False):
        line = auditline.parse(HEAD + body, shipped=shipped)
        assert all(name and (HEAD + body).count(value) for name, value in line.fields)


def test_numbers_have_the_kernels_names() -> None:
    assert auditnames.record_type(1300) == "SYSCALL"
    assert auditnames.system_call("c000003e", "59") == auditnames.system_call("C00000B7", "221") == "execve"
    assert auditnames.system_call("c000003e", "9999") == auditnames.system_call("40000003", "11") == ""
