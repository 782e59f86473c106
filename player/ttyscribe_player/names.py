# SPDX-License-Identifier: Apache-2.0
"""What follows from the name that the player was called by: its configuration file and its statuses."""

from typing import NamedTuple


class Name(NamedTuple):
    """One of the two names."""

    program: str
    tlog: bool
    configuration: str
    """Path of the configuration file, which may be absent."""
    usage_status: int
    """Exit status of wrong usage or configuration."""


PLAY = Name("ttyscribe-play", False, "/etc/ttyscribe/ttyscribe-play.conf", 2)
TLOG_PLAY = Name("tlog-play", True, "/etc/tlog/tlog-play.conf", 1)


def play_name(argv0: str) -> Name:
    """The name behind the path that it was called by."""
    return TLOG_PLAY if argv0.rpartition("/")[2].startswith("tlog-play") else PLAY
