# SPDX-License-Identifier: Apache-2.0
"""What to play: a file of messages, or a recording in a store."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from ttyscribe_formats.errors import ConfigError, MessageError, Unavailable
from ttyscribe_formats.place import Place, parse_place
from ttyscribe_player import senders
from ttyscribe_player.event import Event, Mark, events
from ttyscribe_player.files import Complain, Recordings
from ttyscribe_store.base import Recording, RecordingFilter, Store, StoredMessage
from ttyscribe_store.derive.rules import VERSION, computed
from ttyscribe_store.open import open_store

_MAX_LISTED = 20
_ASK_SECONDS = 2.0
"""How often a store is asked for what came since."""


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
    return chosen(Recordings(path, complain), match)


def chosen(recordings: Recordings, match: str) -> Iterator[StoredMessage]:
    """The messages of the recording that is meant. ConfigError where the choice is not clear."""
    found = recordings.choose(match)
    return recordings.messages(found) if found else iter(())


def follow(recordings: Recordings, match: str) -> Iterator[StoredMessage | None]:
    """The same of what still grows, without an end; None where nothing more is there at the moment."""
    given = 0
    while True:
        found = recordings.choose(match) if given or recordings.found or not match else None
        if found is not None:
            match = found.key
            yield from recordings.messages(found, given)
            given = len(found.lines)
        yield None
        recordings.grow(found)


def follow_store(url: str, name: str, complain: Complain, *, is_sure: bool) -> Iterator[StoredMessage | None]:
    """The same of a recording in a store that still runs. An outage is told once and waited for."""
    store, recording = opened(url, name, is_sure=is_sure)
    seen: set[str] = set()
    asked = -_ASK_SECONDS
    is_down = False
    while True:
        if time.monotonic() - asked >= _ASK_SECONDS:
            try:
                for message in store.messages(recording):
                    if message.document_id not in seen:
                        seen.add(message.document_id)
                        yield message
                is_down = False
            except Unavailable as error:
                if not seen:
                    raise
                if not is_down:
                    complain(f"{error}; asking again")
                is_down = True
            asked = time.monotonic()
        yield None


def listed(recordings: Recordings) -> Iterator[str]:
    """One line for each recording in a file: its name, who, where, when, how long, and what is missing."""
    for found in recordings.found.values():
        yield f"{found.key} {recordings.described(found)}"
    recordings.close()


def opened(url: str, name: str, *, is_sure: bool) -> tuple[Store, str]:
    """A store and the whole key of a recording in it; `is_sure`: it can't be a file. ConfigError: there is none."""
    store = open_store(url)
    what = "recording" if is_sure else "file and no recording"
    return store, find_key(store, name, url, what)


def from_store(url: str, name: str, sender: int = senders.NOBODY, *, is_sure: bool) -> Iterator[Event]:
    """What to play of a recording in a store; `is_sure`: it can't be a file. Raises Unavailable and ConfigError.

    Its messages are read twice: who sent them has to be said before the first is played.
    """
    store, key = opened(url, name, is_sure=is_sure)
    return told(lambda: store.messages(key), sender)


def told(messages: Callable[[], Iterable[StoredMessage]], sender: int) -> Iterator[Event]:
    """The events of messages that can be read twice, with a mark before them where several processes sent them."""
    counts = senders.counted(messages())
    senders.check(sender, counts)
    several = senders.several_text(counts)
    first = [Mark(0, several, False)] if several else []
    return chain(first, events(messages(), sender))


def find_recording(store: Store, name: str, url: str) -> Recording:
    """The row of a recording, named as for `find_key`: what was derived of it, or the same made now where nothing was.

    Raises ConfigError.
    """
    key = find_key(store, name, url)
    for found in store.recordings(RecordingFilter(recording=key)):
        return found
    made = computed(key, store.messages(key))
    if made is None:
        raise ConfigError(f"recording {key!r} in {url} has just been deleted")
    return made


def find_key(store: Store, name: str, url: str, what: str = "recording") -> str:
    """The recording of that name, or the one whose name begins so. ConfigError where there is none, or several.

    Those that nothing was derived of yet are found as well.
    """
    if name and next(iter(store.messages(name)), None) is not None:
        return name
    names = {one.recording for one in store.recordings(RecordingFilter())} | set(store.behind(VERSION))
    fitting = sorted(one for one in names if one.startswith(name))
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise ConfigError(f"no {what} {name!r} in {url}; `ttyscribe recordings` lists them")
    listed = "".join(f"\n  {one}" for one in fitting[:_MAX_LISTED])
    more = len(fitting) - _MAX_LISTED
    raise ConfigError(f"{len(fitting)} recordings begin with {name!r}:{listed}" + (f"\n  and {more} more" * (more > 0)))
