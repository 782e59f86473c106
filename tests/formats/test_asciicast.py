# SPDX-License-Identifier: Apache-2.0
"""asciicast in both directions: what was written is read again; whatever is read gives packets or one clear error."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats.asciicast import Encoder, Header, decode, decode_header, encode_header
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Input, Output, Packet, Window

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
sizes = st.integers(1, 65535)
packet = st.one_of(
    st.builds(Output, st.just(0), text.map(str.encode)),
    st.builds(Input, st.just(0), text.map(str.encode)),
    st.builds(Window, st.just(0), sizes, sizes),
)
timed = st.lists(st.tuples(st.integers(0, 10**7), packet), max_size=20)


def at_their_times(gaps: list[tuple[int, Any]]) -> list[Packet]:
    """Packets with these gaps in microseconds."""
    now = 0
    found: list[Packet] = []
    for gap, item in gaps:
        now += gap * 1000
        found.append(item._replace(time_ns=now))
    return found


def written(header: Header, packets: list[Packet]) -> list[str]:
    """All lines of a file."""
    encoder = Encoder(header.version)
    return [encode_header(header), *(line for item in packets for line in encoder.lines(item)), *encoder.end()]


@given(st.sampled_from([2, 3]), timed)
def test_what_is_written_is_read_again(version: int, gaps: list[tuple[int, Any]]) -> None:
    packets = at_their_times(gaps)
    lines = written(Header(version, 100, 30), packets)
    assert list(decode(lines)) == [Window(0, 100, 30), *packets]


@given(
    st.builds(
        Header,
        st.sampled_from([2, 3]),
        sizes,
        sizes,
        st.integers(-1, 2**33),
        st.text(max_size=9),
        st.text(max_size=9),
        st.text(max_size=9),
    )
)
def test_a_header_is_read_again(header: Header) -> None:
    assert decode_header(encode_header(header)) == header


def test_the_forms_are_those_of_the_format() -> None:
    packets: list[Packet] = [Output(1_500_000_000, b"a\r\n"), Window(2_000_000_000, 120, 40)]
    second = written(Header(2, 80, 24, 1700000000, "t", "bash", "xterm"), packets)
    assert json.loads(second[0]) == {
        "version": 2,
        "width": 80,
        "height": 24,
        "timestamp": 1700000000,
        "command": "bash",
        "title": "t",
        "env": {"TERM": "xterm"},
    }
    assert second[1:] == ['[1.500000, "o", "a\\r\\n"]', '[2.000000, "r", "120x40"]']
    third = written(Header(3, 80, 24, term="xterm"), packets)
    assert json.loads(third[0]) == {"version": 3, "term": {"cols": 80, "rows": 24, "type": "xterm"}}
    assert third[1:] == ['[1.500000, "o", "a\\r\\n"]', '[0.500000, "r", "120x40"]']


def test_characters_that_are_cut_become_whole_and_bytes_that_are_none_are_counted() -> None:
    encoder = Encoder(2)
    lines = [
        line for item in (b"\xc3", b"\xa9\xff", b"\xef\xbf\xbd", b"\xe6\x97") for line in encoder.lines(Output(0, item))
    ]
    lines += encoder.end()
    assert "".join(json.loads(line)[2] for line in lines) == "é\ufffd\ufffd\ufffd"
    assert encoder.replaced == 2


def test_comments_markers_and_exit_statuses_are_passed_over() -> None:
    lines = [
        '{"version":3,"term":{"cols":80,"rows":24}}',
        "# a comment",
        "",
        '[1, "m", "here"]',
        '[1, "o", "a"]',
        '[1, "x", "0"]',
    ]
    assert list(decode(lines)) == [Window(0, 80, 24), Output(2_000_000_000, b"a")]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("{", "not JSON"),
        ('["o"]', "a list of time, code and data"),
        ('[-1, "o", "a"]', "a number of seconds"),
        ('[NaN, "o", "a"]', "a number of seconds"),
        ('[1e300, "o", "a"]', "a number of seconds"),
        ('[true, "o", "a"]', "a number of seconds"),
        ('[1, 2, "a"]', "are strings"),
        ('[1, "r", "80"]', "COLUMNSxROWS"),
        ('[1, "r", "99999x1"]', "COLUMNSxROWS"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_is_named(line: str, error: str) -> None:
    with pytest.raises(MessageError, match=rf"line 2: .*{error}"):
        list(decode(['{"version":2,"width":80,"height":24}', line]))


@pytest.mark.parametrize("lines", [[], [""], ['{"version":1}'], ['{"ver":"2.3"}'], ["[]"], ['{"version":[2]}']])
def test_what_is_no_asciicast_is_told(lines: list[str]) -> None:
    with pytest.raises(MessageError, match="an asciicast"):
        list(decode(lines))


json_value = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(json_value, st.lists(st.lists(json_value, max_size=4) | json_value, max_size=4))
def test_whatever_is_read_gives_packets_or_one_error(head: Any, items: list[Any]) -> None:
    heads = [head, {"version": 2, "width": head}, {"version": 3, "term": head}, {"version": 3, "timestamp": head}]
    for first in heads:
        try:
            for item in decode(map(json.dumps, [first, *items])):
                assert item.time_ns >= 0
        except MessageError:
            pass
