# SPDX-License-Identifier: Apache-2.0
"""What to play: a file of messages, or a recording in a store."""

import os
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_formats.place import Place, parse_place
from ttyscribe_player import senders
from ttyscribe_player.event import Event, Mark, events
from ttyscribe_player.files import Complain, Recordings
from ttyscribe_store.base import Recording, RecordingFilter, Store, StoredMessage
from ttyscribe_store.open import open_store

_MAX_LISTED = 20


class Wanted(NamedTuple):
    """What the viewer named."""

    name: str
    """A file's path, or a recording, or the beginning of one."""
    is_file: bool
    start_ms: int


def named(text: str, store: str, *, store_given: bool) -> Wanted:
    """Take `FILE|RECORDING[@PLACE]` apart. `store_given`: the viewer said --store, so it is no file."""
    if not store_given:
        if text == "-" or os.path.exists(text):
            return Wanted(text, True, 0)
        head, at, _ = text.rpartition("@")
        if at and os.path.exists(head):
            return Wanted(head, True, _place(text).ms)
    if not store:
        raise ConfigError(f"no such file: {text!r}; for a recording in a store give --store or set TTYSCRIBE_STORE")
    place = _place(text)
    return Wanted(place.recording, False, place.ms)


def _place(text: str) -> Place:
    try:
        return parse_place(text)
    except MessageError as error:
        raise ConfigError(str(error)) from None


def from_file(path: str, match: str, complain: Complain) -> Iterator[StoredMessage]:
    """The messages of a file's recording. ConfigError where it can't be read, or the choice is not clear."""
    recordings = Recordings(path, complain)
    found = recordings.choose(match)
    return recordings.messages(found) if found else iter(())


def from_store(url: str, name: str, sender: int = senders.NOBODY, *, is_sure: bool) -> Iterator[Event]:
    """What to play of a recording in a store; `is_sure`: it can't be a file. Raises Unavailable and ConfigError.

    Its messages are read twice: who sent them has to be said before the first is played.
    """
    store = open_store(url)
    what = "recording" if is_sure else "file and no recording"
    key = find_recording(store, name, url, what).recording
    counts = senders.counted(store.messages(key))
    senders.check(sender, counts)
    several = senders.several_text(counts)
    told = [Mark(0, several, False)] if several else []
    return chain(told, events(store.messages(key), sender))


def find_recording(store: Store, name: str, url: str, what: str = "recording") -> Recording:
    """The recording of that name, or the one whose name begins so. ConfigError where there is none, or several."""
    for found in store.recordings(RecordingFilter(recording=name)):
        return found
    fitting = [one for one in store.recordings(RecordingFilter()) if one.recording.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise ConfigError(f"no {what} {name!r} in {url}; `ttyscribe recordings` lists them")
    listed = "".join(f"\n  {one.recording}" for one in fitting[:_MAX_LISTED])
    more = len(fitting) - _MAX_LISTED
    raise ConfigError(f"{len(fitting)} recordings begin with {name!r}:{listed}" + (f"\n  and {more} more" * (more > 0)))
