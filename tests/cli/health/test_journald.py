# SPDX-License-Identifier: Apache-2.0
"""journald's settings, and what is wrong with them."""

import pytest

from ttyscribe.health import journald
from ttyscribe.health.findings import Place

GOOD = "[Journal]\nRateLimitIntervalSec=0\nStorage=persistent\n"


def keys(text: str, *, kept: bool = True, imjournal: bool = False) -> list[str]:
    """Rules that one file's text breaks."""
    found = journald.check([("/j", text)], "/default", kept=kept, imjournal=imjournal)
    return [finding.rule.key for finding in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD, []),
        (GOOD.replace("=0", "=0s"), []),
        (GOOD.replace("RateLimitIntervalSec=0", "RateLimitBurst=0"), []),
        ("", ["journald-1"]),
        (GOOD.replace("=0", "=30s"), ["journald-1"]),
        (GOOD.replace("=0", "=1min 30s"), ["journald-1"]),
        (GOOD.replace("=0", "=often"), ["journald-5", "journald-1"]),
        (GOOD.replace("persistent", "volatile"), ["journald-2"]),
        (GOOD + "MaxLevelStore=warning", ["journald-3"]),
        (GOOD + "MaxLevelStore=5", ["journald-3"]),
        (GOOD + "MaxLevelStore=info", []),
        (GOOD + "MaxLevelStore=loud", ["journald-5"]),
    ],
)
def test_a_setting_that_is_wrong_is_found(text: str, expected: list[str]) -> None:
    assert keys(text) == expected


def test_a_journal_without_its_folder_is_in_memory() -> None:
    assert keys(GOOD.replace("persistent", "auto"), kept=False) == ["journald-2"]
    assert keys(GOOD.replace("persistent", "auto")) == []


def test_two_ways_are_a_note() -> None:
    assert keys(GOOD, imjournal=True) == ["journald-4"]
    assert keys(GOOD + "ForwardToSyslog=no", imjournal=True) == []


def test_of_several_files_the_last_counts_and_an_empty_value_takes_back() -> None:
    files = [
        ("/a", "[Journal]\nRateLimitBurst=7\nStorage=none\n#Storage=x\n[Other]\nStorage=y\n"),
        ("/b", "[Journal]\nRateLimitBurst = 9\nStorage=\n"),
    ]
    assert journald.settings(files) == {"ratelimitburst": ("9", Place("/b", 2))}
