# SPDX-License-Identifier: Apache-2.0
"""Looks whether what is stored is whole, recording by recording; works on every store."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.base import RecordingFilter, Store
from ttyscribe_store.care.findings import Finding, check

Tell = Callable[[int, int], None]
"""Takes how many are done, and how many there are."""


class Looked(NamedTuple):
    """One recording, looked at."""

    recording: str
    messages: int
    findings: list[Finding]


def verify(store: Store, recordings: Sequence[str] = (), tell: Tell = lambda _, __: None) -> Iterator[Looked]:
    """Look at these recordings, or at all. Raises ConfigError where one is not there, Unavailable."""
    known = {one.recording for one in store.recordings(RecordingFilter())} if not recordings else set(recordings)
    for number, recording in enumerate(sorted(known)):
        tell(number, len(known))
        checked = check(recording, store.messages(recording))
        if not checked.messages and recordings:
            raise ConfigError(f"there is no recording {recording!r}")
        if checked.messages:
            yield Looked(recording, checked.messages, checked.findings)
    tell(len(known), len(known))
    dangling = [] if recordings else sorted({one.recording for one in store.derived()} - known)
    for recording in dangling:
        text = "its row is there, and none of its messages: run ttyscribe store delete"
        yield Looked(recording, 0, [Finding("dangling", recording, "", text, {})])
