# SPDX-License-Identifier: Apache-2.0
"""Each rule about Fluentd finds what it is about, and nothing in the configurations that we ship."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe.health import fluentconf, fluentd
from ttyscribe.health.findings import Place, Unreadable

CONF = Path(__file__).resolve().parents[3] / "fluentd" / "conf"
CHUNKS = (CONF / "ttyscribe-chunks.conf").read_text()
FILTER = (CONF / "ttyscribe-filter.conf").read_text()
ALWAYS = {"fluentd-1"}
"""A note that every exec_filter gets."""


def keys(text: str) -> set[str]:
    """Rules that the text breaks."""
    return {finding.rule.key for finding in fluentd.check(fluentconf.parse("/f", text))}


def test_nothing_is_wrong_with_what_we_ship() -> None:
    assert keys(CHUNKS) == set()
    assert keys(FILTER) == ALWAYS


BROKEN = [
    ("fluentd-2", FILTER, "@type msgpack", "@type tsv"),
    ("fluentd-2", CHUNKS, "@type json", ""),
    ("fluentd-3", FILTER, "--protocol fluentd-msgpack", "--protocol fluentd-json"),
    ("fluentd-3", FILTER, "<parse>\n    @type msgpack", "<parse>\n    @type json"),
    ("fluentd-4", FILTER, "child_respawn inf", ""),
    ("fluentd-4", FILTER, "child_respawn inf", "child_respawn none"),
    ("fluentd-5", CHUNKS, " --log-file /var/log/ttyscribe-normalize.log", ""),
    ("fluentd-6", FILTER, "flush_interval 1\n", "flush_interval 0.2s\n"),
    ("fluentd-7", CHUNKS, "retry_forever true", ""),
    ("fluentd-7", FILTER, "overflow_action block", "overflow_action drop_oldest_chunk"),
    ("fluentd-8", CHUNKS, "@type file", "@type memory"),
    ("fluentd-9", CHUNKS, "--output sqlite:/var/lib/ttyscribe", "--output -"),
    ("fluentd-10", CHUNKS, "time_key fluentd_time", ""),
    ("fluentd-11", CHUNKS, "storage>", "other>"),
]


@pytest.mark.parametrize(("key", "text", "before", "after"), BROKEN)
def test_a_setting_that_is_wrong_is_found(key: str, text: str, before: str, after: str) -> None:
    assert before in text
    assert keys(text.replace(before, after)) - ALWAYS == {key}


def test_every_rule_is_tried() -> None:
    by_file = {"fluentd-12", "fluentd-13"}  # tests/cli/test_doctor.py
    assert {row[0] for row in BROKEN} | by_file | ALWAYS == set(fluentd.RULES)


def test_sections_values_and_comments() -> None:
    root = fluentconf.parse("/f", "<match a.** b>\n  type exec\n  command 'a # b'\n  # no\n  x 1 # one\n</match>\n")
    match = root.sections[0]
    assert (match.name, match.argument, match.place) == ("match", "a.** b", Place("/f", 1))
    assert (match.get("@type", "type"), match.get("command"), match.get("x")) == ("exec", "a # b", "1")
    assert match.at("x") == Place("/f", 5)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("<match a>\n<buffer>\n</match>", 3, "closes nothing"),
        ("</match>", 1, "closes nothing"),
        ("\n<match a>\n", 2, "never closed"),
    ],
)
def test_what_is_broken_is_told_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(Unreadable, match=what) as caught:
        fluentconf.parse("/f", text)
    assert caught.value.place == Place("/f", line)


def test_files_that_include_each_other_end() -> None:
    with pytest.raises(Unreadable, match="without end"):
        fluentconf.parse("/a", "@include /a\n", lambda pattern, place: [(pattern, f"@include {place.path}\n")])


@given(st.text(alphabet="<>/ab @\n#'\"", max_size=200) | st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        root = fluentconf.parse("/f", text)
    except Unreadable as error:
        assert error.place.line >= 1  # noqa: PT017 - it is what is looked at
    else:
        assert {finding.rule.key for finding in fluentd.check(root)} <= set(fluentd.RULES)
