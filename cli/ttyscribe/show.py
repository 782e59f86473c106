# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe show`: what stood at a place of a recording, as text, and what is missing or in doubt there."""

import argparse
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ttyscribe import stores, times
from ttyscribe.text import clean, print_json
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_formats.place import Place, format_place, format_time, parse_place
from ttyscribe_formats.plain import plain_text
from ttyscribe_store.base import Recording, StoredMessage
from ttyscribe_store.conflict import FIRST_ID, Choice, choose

DESCRIPTION = """Shows the messages around a place of a recording as text, without playing it.

Messages that are missing are named. Where several messages claim one number, all are shown, each with its trust and
the process that sent it, the likelier first; it is said which one is played, if any."""
EPILOG = """examples:
  ttyscribe show 1f0c-1011-13dda@0:42.000
  ttyscribe show 1f0c                        the beginning of the only recording whose name begins so
  ttyscribe show 1f0c-1011-13dda@0:42 --context 5 --json"""
_MOST_LINES = 200
_MS = 1_000_000


class Part(NamedTuple):
    """What is around a place, and how the recording ends."""

    choices: list[Choice]
    before: int
    """The id before the first of them; what lies between is missing."""
    status: int | None
    """The recorded shell's exit status; none where the recording does not tell its end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("place", metavar="RECORDING[@PLACE]", help="PLACE is [[H:]M:]SS[.mmm] from the beginning")
    stores.add_store(parser)
    parser.add_argument(
        "-c", "--context", metavar="N", type=_count, default=2, help="messages before and behind (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 10**6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of messages")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Show it."""
    from ttyscribe_player.source import find_recording

    try:
        place = parse_place(options.place)
    except MessageError as error:
        raise ConfigError(str(error)) from None
    url, store = stores.opened(options)
    recording = find_recording(store, place.recording, url)
    place = Place(recording.recording, place.ms)
    part = around(choose(store.messages(recording.recording)), place.ms, options.context)
    if options.json:
        print_json(_as_json(recording, place, part))
    else:
        _print_head(recording, place, part)
        _print_body(part)
    return 0


def around(choices: Iterable[Choice], ms: int, context: int) -> Part:
    """The message that is under way at `ms`, `context` before it and as many behind."""
    kept: deque[Choice] = deque(maxlen=context + 1)
    found: list[Choice] = []
    most = 0
    before = FIRST_ID - 1
    status: int | None = None
    for choice in choices:
        message = choice.message
        status = end_status(message) if message is not None else None
        if not found and kept and message is not None and message.tlog["pos"] > ms:
            found, most = list(kept), len(kept) + context
        if not found:
            if len(kept) == kept.maxlen:
                before = kept[0].id
            kept.append(choice)
        elif len(found) < most:
            found.append(choice)
    return Part(found or list(kept), before, status)


def end_status(message: StoredMessage) -> int | None:
    """The exit status that a recording's last message tells."""
    own = message.tlog.get("ttyscribe")
    end = own.get("end") if isinstance(own, dict) else None
    status = end.get("status") if isinstance(end, dict) else None
    return status if type(status) is int else None


def _holes(part: Part) -> Iterator[tuple[Choice, int, int]]:
    """Each choice, with the first and last id that are missing before it (last < first: none)."""
    expected = part.before + 1
    for choice in part.choices:
        yield choice, expected, choice.id - 1
        expected = choice.id + 1


def _claims(choice: Choice) -> list[StoredMessage]:
    return ([choice.message] if choice.message else []) + choice.others


def _print_head(recording: Recording, place: Place, part: Part) -> None:
    zone = times.zone(recording.start_ns)
    end = "unknown (still running, or cut off)" if part.status is None else f"exit status {part.status}"
    lines = {
        "recording": recording.recording,
        "user": recording.user,
        "host": recording.host,
        "terminal": recording.term,
        "session": str(recording.session) if recording.session != 2**32 - 1 else "none",
        "start": f"{times.local(recording.start_ns)} {zone}",
        "duration": stores.duration(recording.duration_ms),
        "end": end,
        "messages": f"{recording.messages}, {stores.state(recording)}",
        "trust": f"{recording.trust} (the lowest of its messages)",
        "place": f"{format_place(place)}, {times.local(recording.start_ns + place.ms * _MS)}",
    }
    for name, value in lines.items():
        print(f"{name:<10} {clean(value)}")


def _print_body(part: Part) -> None:
    for choice, first, last in _holes(part):
        if last >= first:
            print(f"\n=== {_numbers(first, last)} missing ===")
        claims = _claims(choice)
        if len(claims) > 1:
            verdict = "the first is the most trusted and is played" if choice.message else "none is certain or played"
            print(f"\n=== {len(claims)} messages claim to be message {choice.id}: {verdict} ===")
        for claim in claims:
            pid = f", sent by process {claim.sender_pid}" if claim.sender_pid >= 0 else ""
            print(f"\n--- message {choice.id} at {format_time(claim.tlog['pos'])}, trust {clean(claim.trust)}{pid}")
            _print_text("", plain_text(claim.tlog.get("out_txt", "")))
            _print_text("typed: ", plain_text(claim.tlog.get("in_txt", "")))


def _numbers(first: int, last: int) -> str:
    return f"message {first} is" if first == last else f"messages {first} to {last} are"


def _print_text(head: str, text: str) -> None:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    for line in lines[:_MOST_LINES]:
        print(f"    {head}{clean(line)}")
    if len(lines) > _MOST_LINES:
        print(f"    ({len(lines) - _MOST_LINES} more lines)")


def _as_json(recording: Recording, place: Place, part: Part) -> dict[str, Any]:
    messages, missing = [], []
    for choice, first, last in _holes(part):
        if last >= first:
            missing.append([first, last])
        claims = [_claim_json(claim) for claim in _claims(choice)]
        messages.append({"id": choice.id, "certain": choice.message is not None, "claims": claims})
    return {
        "recording": stores.as_json(recording),
        "place": format_place(place),
        "end_status": part.status,
        "missing": missing,
        "messages": messages,
    }


def _claim_json(claim: StoredMessage) -> dict[str, Any]:
    tlog = claim.tlog
    texts = {"text": plain_text(tlog.get("out_txt", "")), "typed": plain_text(tlog.get("in_txt", ""))}
    return {"document": claim.document_id, "ms": tlog["pos"], "trust": claim.trust, "pid": claim.sender_pid, **texts}
