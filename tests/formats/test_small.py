# SPDX-License-Identifier: Apache-2.0
"""tlog lines, identity, words, clean text, places and times."""

import json
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats import identity, tlog
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.place import Place, format_place, parse_place
from ttyscribe_formats.plain import plain_text
from ttyscribe_formats.timestamp import IMPLAUSIBLE, partition, to_text
from ttyscribe_formats.timestamp import parse as parse_time
from ttyscribe_formats.words import joined, query_terms, words

FIELDS: dict[str, Any] = {
    "ver": "2.3", "host": "h", "rec": "r-1", "user": "u", "term": "xterm", "session": 3, "id": 1, "pos": 0,
    "time": 1700000000.123, "timing": ">2", "in_txt": "", "in_bin": [], "out_txt": "hi", "out_bin": [],
}  # fmt: skip

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
messages = st.builds(
    tlog.Message,
    ver=st.sampled_from(["2.3", "1", "2.9", "0"]), host=texts, rec=texts, user=texts, term=texts,
    session=st.integers(1, 2**32 - 1), id=st.integers(0, 2**70), pos=st.integers(0, tlog.MAX_POS_MS),
    time_ms=st.one_of(st.none(), st.integers(0, 4 * 10**12)), timing=texts,
    in_txt=texts, in_bin=st.binary(max_size=8), out_txt=texts, out_bin=st.binary(max_size=8), extra=st.just(b""),
)  # fmt: skip


@given(messages)
def test_a_message_survives_its_line(message: tlog.Message) -> None:
    """decode(encode(m)) == m, and the line is JSON without blanks or control bytes."""
    line = tlog.encode(message)
    assert tlog.decode(line) == message
    assert json.loads(line)["out_txt"] == message.out_txt
    assert not any(byte < 0x20 or byte == 0x7F for byte in line)


def test_escapes_are_tlogs() -> None:
    """`/` and C1 stay raw; the short escapes are used; the others are lower-case hex."""
    assert tlog.escape('\x00\x7f\x1b/"\\\b\f\n\r\t\x0b\x80\u2028é') == (
        '"\\u0000\\u007f\\u001b/\\"\\\\\\b\\f\\n\\r\\t\\u000b\x80\u2028é"'
    )


def test_a_line_as_tlog_writes_it() -> None:
    """Key order, no blanks, three decimals."""
    line = tlog.encode(tlog.from_fields(FIELDS | {"time": 5.0}))
    assert line == (
        b'{"ver":"2.3","host":"h","rec":"r-1","user":"u","term":"xterm","session":3,"id":1,"pos":0,"time":5.000,'
        b'"timing":">2","in_txt":"","in_bin":[],"out_txt":"hi","out_bin":[]}'
    )


@pytest.mark.parametrize(
    ("change", "words_of_tlog"),
    [
        ({"ver": "3.0"}, 'unsupported "ver"'), ({"ver": "2."}, 'unsupported "ver"'), ({"ver": "x"}, "unsupported"),
        ({"ver": "2.3.1"}, "unsupported"), ({"ver": 2.2}, "invalid type"), ({"host": None}, "invalid type"),
        ({"session": 0}, '"session"'), ({"session": 2**32}, '"session"'), ({"session": "1"}, "invalid type"),
        ({"session": True}, "invalid type"), ({"id": -1}, '"id"'), ({"id": 1.0}, "invalid type"),
        ({"pos": -1}, '"pos"'), ({"pos": 2147483648000}, '"pos"'), ({"pos": 1.5}, "invalid type"),
        ({"time": "x"}, "invalid type"), ({"time": float("nan")}, '"time"'), ({"time": float("inf")}, '"time"'),
        ({"timing": 5}, "invalid type"), ({"in_txt": None}, "invalid type"), ({"in_bin": "x"}, "invalid type"),
        ({"in_bin": [256]}, "in_bin"), ({"out_bin": [-1]}, "out_bin"), ({"out_bin": ["a"]}, "out_bin"),
        ({"ttyscribe": 5}, "invalid type"),
    ],
    ids=str,
)  # fmt: skip
def test_what_tlog_refuses(change: dict[str, Any], words_of_tlog: str) -> None:
    """Strict types and ranges, in tlog's words."""
    with pytest.raises(MessageError, match=words_of_tlog):
        tlog.from_fields(FIELDS | change)


@pytest.mark.parametrize(
    "missing", ["ver", "host", "user", "term", "session", "id", "pos", "timing", "in_bin", "out_bin"]
)
def test_what_must_be_there(missing: str) -> None:
    """A required field that is absent is named."""
    with pytest.raises(MessageError, match=f"missing.*{missing}"):
        tlog.from_fields({key: value for key, value in FIELDS.items() if key != missing})


def test_what_may_be_absent_or_old() -> None:
    """Old versions lack rec, time and texts; `ver` may be a number; extra fields are ignored."""
    fields = {key: value for key, value in FIELDS.items() if key not in ("rec", "time", "in_txt", "out_txt")}
    message = tlog.from_fields(fields | {"ver": 1, "new": 1})
    assert (message.ver, message.rec, message.time_ms, message.out_txt) == ("1", "", None, "")


@given(st.binary(max_size=200))
def test_garbage_is_one_clean_error(data: bytes) -> None:
    """Whatever is not a message raises MessageError, never anything else."""
    with pytest.raises(MessageError):
        tlog.decode(data)


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'{"a":' * 50_000, b'{"ver":"2.3"', b"5", b"\xff{}"], ids=lambda x: x[:9]
)
def test_hostile_lines_are_one_clean_error(line: bytes) -> None:
    """Deep nesting and cut lines too."""
    with pytest.raises(MessageError):
        tlog.decode(line)


def test_identity_ignores_how_a_shipper_wrote_the_line() -> None:
    """Key order, blanks, escapes and 5 for 5.000 change nothing; another text does."""
    own = {"err": [[0, 1]], "v": 1}
    one = tlog.decode(json.dumps(FIELDS | {"out_txt": "é/", "time": 5.0, "ttyscribe": own}))
    other = json.dumps(dict(reversed((FIELDS | {"time": 5, "ttyscribe": own}).items()))).replace('"hi"', '"\\u00e9\\/"')
    assert identity.tlog_id("r", one) == identity.tlog_id("r", tlog.decode(other))
    assert identity.tlog_id("r", one) != identity.tlog_id("r", one._replace(out_txt="e/"))
    assert identity.tlog_id("r-1", one).startswith("tlog:r-1:1:")


@given(st.text())
def test_keys_are_bounded_and_safe(text: str) -> None:
    """Whatever a host or recording calls itself, its key is safe in ids, files and queries."""
    made = identity.key(text)
    assert identity.key(made) != made or made == text or made.startswith("h-")
    assert 0 < len(made) <= identity.MAX_KEY
    assert all(character.isascii() and (character.isalnum() or character in "._-") for character in made)


def test_a_key_cannot_pretend_to_be_a_hash() -> None:
    """Text that looks like a hashed key is hashed itself."""
    assert identity.key(identity.key("a b")) != identity.key("a b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/etc/shadow", ["etc", "shadow"]),
        ("Straße \uff21\uff22\uff23 ﬁx", ["strasse", "abc", "fix"]),
        ("a_b-c.d", ["a_b", "c", "d"]),
        ("cafe\u0301 x", ["café", "x"]),
        ("हिन्दी", ["हिन्दी"]),
        ("日本 語", ["日本", "語"]),
        ("x" * 130, ["x" * 64, "x" * 64, "xx"]),
        ("é" * 65, ["é" * 64, "é"]),
        ("½ ², ٣", ["1", "2", "2", "٣"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    """The word rule by example."""
    assert words(text) == expected


@given(st.text(max_size=60))
def test_words_hold_only_what_may_be_in_words(text: str) -> None:
    """Letters, marks, digits and underscore, at most 64; the joined form splits at blanks only."""
    found = words(text)
    assert all(0 < len(word) <= 64 for word in found)
    assert all(
        unicodedata.category(c)[0] in "LM" or unicodedata.category(c) == "Nd" or c == "_" for w in found for c in w
    )
    assert joined(text).split(" ") == (found or [""])


def test_query_terms() -> None:
    """Quotes hold a phrase together; a path is a phrase; what has no word is dropped."""
    assert query_terms('rm "two words" /etc/shadow -- "open') == [["rm"], ["two", "words"], ["etc", "shadow"], ["open"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[01;34mdir\x1b[0m x\r\n", "dir x\n"),
        ("\x1b]0;title\x07$ ls\r\n", "$ ls\n"),
        ("\x1b]52;c;aGk=\x1b\\ok", "ok"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("abc\b\b\x1b[KX", "aX"),
        ("sl\b \b\b \bls", "ls"),
        ("long line\r\x1b[Kshort", "short"),
        ("\x1b(B\x1b=a\x1bPdcs\x1b\\b\x9b1mc", "abc"),
        ("bell\x07\x00\x7f\x85end", "bellend"),
        ("cut \x1b[3", "cut "),
        ("pass\x1b[1mword", "password"),
    ],
)
def test_plain_text(text: str, expected: str) -> None:
    """What a person would read."""
    assert plain_text(text) == expected


@given(st.text(alphabet=st.sampled_from("ab\x1b[]0;1mK\r\b\n\x07\\P\x9b\x15"), max_size=200))
def test_plain_text_holds_no_control(text: str) -> None:
    """Only line ends and tabs are left of the controls."""
    assert not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in plain_text(text))


@pytest.mark.parametrize(
    "text",
    ["x" * 60_000 + "\ry" * 60_000, "\x1b[" * 100_000, "\x1b]" * 100_000, "\x1b[1;" + "1;" * 100_000, "\b" * 200_000],
    ids=["overwrite", "csi", "osc", "parameters", "backspace"],
)  # fmt: skip
def test_plain_text_is_linear(text: str) -> None:
    """Hostile text costs no more than its length."""
    started = time.process_time()
    plain_text(text)
    assert time.process_time() - started < 5


@given(st.integers(0, 10**10))
def test_places_come_back(ms: int) -> None:
    """A place that is printed is the place that is read."""
    place = Place("a-1@b", ms)
    assert parse_place(format_place(place)) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("r@0:05.250", Place("r", 5250)),
        ("r@1:02:03.5", Place("r", 3_723_500)),
        ("r@90", Place("r", 90_000)),
        ("r", Place("r", 0)),
    ],
)
def test_places(text: str, place: Place) -> None:
    """Hours and fraction may be left out."""
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["", "@1:00", "r@x", "r@1:2:3:4", "r@-1"])
def test_bad_places(text: str) -> None:
    """The error says how a place is written."""
    with pytest.raises(MessageError, match=r"written|not a"):
        parse_place(text)


def test_times() -> None:
    """Six digits in UTC, any offset read, leap seconds and cut fractions taken."""
    assert to_text(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123456+00:00"
    assert parse_time("2023-11-14T23:13:20.123456789+01:00") == 1_700_000_000_123_456_789
    assert parse_time("2023-11-14T22:13:20Z") == 1_700_000_000_000_000_000
    assert parse_time("2016-12-31T23:59:60Z") == parse_time("2017-01-01T00:00:00Z")
    for text in ("", "yesterday", "2023-13-01T00:00:00Z", "2023-11-14T22:13:20"):
        with pytest.raises(MessageError):
            parse_time(text)
    with pytest.raises(MessageError):
        to_text(10**30)


@given(st.integers(0, 4 * 10**18))
def test_times_come_back(ns: int) -> None:
    """To the microsecond."""
    assert parse_time(to_text(ns)) == ns // 1000 * 1000


def test_partition_is_of_the_documents_own_time() -> None:
    """UTC month; a forged time far from the receipt can't choose one; imports have no window."""
    now = parse_time("2026-11-24T12:00:00Z")
    assert partition(now, now) == "2026.11"
    assert partition(parse_time("2026-12-01T00:30:00+01:00"), None) == "2026.11"
    assert partition(now - 401 * 86_400 * 10**9, now) == IMPLAUSIBLE
    assert partition(now + 2 * 86_400 * 10**9, now) == IMPLAUSIBLE
    assert partition(parse_time("1999-01-01T00:00:00Z"), None) == "1999.01"


@pytest.mark.parametrize("text", [".", "..", "..."])
def test_a_key_is_never_a_step_in_a_path(text: str) -> None:
    """It ends links to players and may name files."""
    assert identity.key(text).startswith("h-")
    assert identity.key(f"a{text}") == f"a{text}"
