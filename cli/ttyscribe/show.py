# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe show`: what stood at a place of a recording, as text, and what is missing or in doubt there."""

import argparse
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ttyscribe import deriving, stores, times
from ttyscribe.text import clean, print_json
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_formats.own import read_object
from ttyscribe_formats.packet import Output
from ttyscribe_formats.place import Place, format_place, format_time, parse_place
from ttyscribe_formats.plain import hidden_text, plain_text
from ttyscribe_formats.reading import message_packets
from ttyscribe_formats.tlog import from_fields
from ttyscribe_store.base import Recording, StoredMessage
from ttyscribe_store.conflict import FIRST_ID, Choice, choose

if TYPE_CHECKING:
    from ttyscribe_player.told import Hole, Losses

DESCRIPTION = """Shows the messages around a place of a recording as text, without playing it.

Messages that are missing are named, with the recorder's reason where it lost them itself; what it left out (typed
secrets, elided data) is said. Where several messages claim one number, all are shown, each with its trust and
the process that sent it, the likelier first; it is said which one is played, if any. --sender takes the messages of one
process as the true ones.

What was printed and could not be seen (text in control strings, text that was written over) is shown as [hidden: ...].
--raw writes the exact bytes that the messages printed to standard output, and nothing else."""
EPILOG = """examples:
  ttyscribe show 1f0c-1011-13dda@0:42.000
  ttyscribe show 1f0c                        the beginning of the only recording whose name begins so
  ttyscribe show 1f0c-1011-13dda@0:42 --context 5 --json
  ttyscribe show 1f0c-1011-13dda@0:42 --context 0 --raw | less"""
_MOST_LINES = 200
_MOST_HIDDEN = 20
_MOST_SIGNS = 500
_MS = 1_000_000
# A carriage return is the Enter key, and a backspace takes nothing back of what was typed: as in `ttyscribe.typed`.
_TYPED = {0x0D: "\n", 0x08: None}


class Part(NamedTuple):
    """What is around a place, and how the recording ends."""

    choices: list[Choice]
    before: int
    """The id before the first of them; what lies between is missing."""
    before_ms: int
    """Where the message before the first of them begins."""
    status: int | None
    """The recorded shell's exit status; none where the recording does not tell its end."""
    counts: dict[int, int]
    """How many of the recording's messages each process sent."""
    losses: "Losses"
    """What the recording itself says is lost."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("place", metavar="RECORDING[@PLACE]", help="PLACE is [[H:]M:]SS[.mmm] from the beginning")
    stores.add_store(parser)
    parser.add_argument(
        "-c", "--context", metavar="N", type=_count, default=2, help="messages before and behind (%(default)s)"
    )
    parser.add_argument("--sender", metavar="PID", type=_count, default=-1, help="take what this process sent as true")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object")
    form.add_argument("--raw", action="store_true", help="the bytes that the messages printed, as they are")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a plain number")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Show it."""
    from ttyscribe_player import senders
    from ttyscribe_player.source import find_recording

    try:
        place = parse_place(options.place)
    except MessageError as error:
        raise ConfigError(str(error)) from None
    url, store = stores.opened(options)
    deriving.derive_if_local(url, store)
    recording = find_recording(store, place.recording, url)
    place = Place(recording.recording, place.ms)
    part = around(store.messages(recording.recording), place.ms, options.context, options.sender)
    senders.check(options.sender, part.counts)
    if options.raw:
        return _write_raw(part, options.sender)
    if options.json:
        print_json(_as_json(recording, place, part))
    else:
        _print_head(recording, place, part)
        _print_body(recording.recording, part, options.sender)
    return 0


def around(messages: Iterable[StoredMessage], ms: int, context: int, sender: int = -1) -> Part:
    """The message that is under way at `ms`, `context` before it and as many behind; `sender` (a pid) is believed."""
    from ttyscribe_player.senders import preferred
    from ttyscribe_player.told import Losses

    losses = Losses()
    kept: deque[Choice] = deque(maxlen=context + 1)
    found: list[Choice] = []
    counts: Counter[int] = Counter()
    most = before_ms = 0
    before = FIRST_ID - 1
    status: int | None = None
    for choice in (preferred(one, sender) for one in choose(_counting(messages, counts))):
        message = choice.message
        losses.learn(message)
        status = end_status(message) if message is not None else None
        if not found and kept and message is not None and message.tlog["pos"] > ms:
            found, most = list(kept), len(kept) + context
        if not found:
            if len(kept) == kept.maxlen:
                before = kept[0].id
                before_ms = kept[0].message.tlog["pos"] if kept[0].message else before_ms
            kept.append(choice)
        elif len(found) < most:
            found.append(choice)
    return Part(found or list(kept), before, before_ms, status, dict(counts.most_common()), losses)


def _counting(messages: Iterable[StoredMessage], counts: Counter[int]) -> Iterator[StoredMessage]:
    for message in messages:
        counts[message.sender_pid] += 1
        yield message


def end_status(message: StoredMessage) -> int | None:
    """The exit status that a recording's last message tells."""
    return read_object(message.tlog.get("ttyscribe")).status


def _holes(part: Part) -> "Iterator[tuple[Choice, list[Hole]]]":
    """Each choice, with what is missing before it."""
    expected = part.before + 1
    for choice in part.choices:
        missing = choice.id > expected
        yield choice, list(part.losses.explained(expected, choice.id - 1)) if missing else []
        expected = choice.id + 1


def _claims(choice: Choice) -> list[StoredMessage]:
    return ([choice.message] if choice.message else []) + choice.others


def _print_head(recording: Recording, place: Place, part: Part) -> None:
    from ttyscribe_player.senders import several_text

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
    if several := several_text(part.counts):
        print(f"\n=== {several} ===")


def _print_body(key: str, part: Part, sender: int) -> None:
    from ttyscribe_player.event import backwards_text
    from ttyscribe_player.told import hole_text

    before_ms = part.before_ms
    for choice, holes in _holes(part):
        for hole in holes:
            print(f"\n=== {hole_text(hole)} ===")
        if verdict := _verdict(choice, sender):
            print(f"\n=== {verdict} ===")
        if choice.message:
            ms = choice.message.tlog["pos"]
            if ms < before_ms:
                print(f"\n=== {backwards_text(choice.id, before_ms, ms)} ===")
            before_ms = ms
        for claim in _claims(choice):
            pid = f", sent by process {claim.sender_pid}" if claim.sender_pid >= 0 else ""
            place = format_place(Place(key, claim.tlog["pos"]))
            print(f"\n--- message {choice.id} at {clean(place)}, trust {clean(claim.trust)}{pid}")
            _print_text("", claim.tlog.get("out_txt", ""))
            _print_text("typed: ", claim.tlog.get("in_txt", "").translate(_TYPED))
            _print_left_out(claim)


def _print_left_out(claim: StoredMessage) -> None:
    """What this message says is kept out of the recording."""
    own = read_object(claim.tlog.get("ttyscribe"))
    for start_ms, end_ms in own.masks:
        print(f"    [typed secret masked: {format_time(start_ms)} to {format_time(end_ms)}]")
    for skip in own.skips:
        digest = f"BLAKE2b {skip.digest}"
        print(f"    [{skip.size} bytes of {skip.stream} skipped at {format_time(skip.ms)}, {digest}]")


def _verdict(choice: Choice, sender: int) -> str:
    """What is to be said of the messages that claim this id; empty where there is one, and it is played."""
    from ttyscribe_player.event import conflict_text

    if sender >= 0:
        return conflict_text(choice, sender) if choice.others else ""
    claims = _claims(choice)
    if len(claims) < 2:
        return ""
    verdict = "the first is the most trusted and is played"
    if choice.message is None:
        attested = any(claim.sender_pid >= 0 for claim in claims)
        verdict = "none is certain or played" + ("; --sender=PID takes one's" if attested else "")
    return f"{len(claims)} messages claim to be message {choice.id}: {verdict}"


def _write_raw(part: Part, sender: int) -> int:
    """The bytes of what is played there; what is not is told on standard error, and makes the status 1."""
    from ttyscribe_player.event import conflict_text
    from ttyscribe_player.output import write_all
    from ttyscribe_player.told import hole_text

    lost: list[str] = []
    for choice, holes in _holes(part):
        lost += map(hole_text, holes)
        if choice.message is None:
            lost.append(conflict_text(choice, sender))
            continue
        try:
            packets = message_packets(from_fields(choice.message.tlog))
            write_all(1, b"".join(packet.data for packet in packets if isinstance(packet, Output)))
        except MessageError as error:
            lost.append(f"message {choice.id} can't be read: {clean(str(error))}")
    for text in lost:
        print(f"ttyscribe: {text}", file=sys.stderr)
    return 1 if lost else 0


def _print_text(head: str, text: str) -> None:
    """The text as it was seen, then what was hidden in it."""
    lines = plain_text(text).split("\n")
    if not lines[-1]:
        lines.pop()
    for line in lines[:_MOST_LINES]:
        print(f"    {head}{clean(line)}")
    if len(lines) > _MOST_LINES:
        print(f"    ({len(lines) - _MOST_LINES} more lines)")
    hidden = hidden_text(text)
    lines = hidden.split("\n") if hidden else []
    for line in lines[:_MOST_HIDDEN]:
        more = f" ({len(line) - _MOST_SIGNS} more characters)" if len(line) > _MOST_SIGNS else ""
        print(f"    {head}[hidden: {clean(line[:_MOST_SIGNS])}{more}]")
    if len(lines) > _MOST_HIDDEN:
        print(f"    {head}[hidden: {len(lines) - _MOST_HIDDEN} more lines; --raw gives the exact bytes]")


def _as_json(recording: Recording, place: Place, part: Part) -> dict[str, Any]:
    messages, missing, lost = [], [], []
    for choice, holes in _holes(part):
        if holes:
            missing.append([holes[0].first, holes[-1].last])
        lost += [{"from": hole.first, "to": hole.last, "why": hole.why} for hole in holes if hole.why]
        claims = [_claim_json(claim) for claim in _claims(choice)]
        messages.append({"id": choice.id, "certain": choice.message is not None, "claims": claims})
    return {
        "recording": stores.as_json(recording),
        "place": format_place(place),
        "end_status": part.status,
        "senders": [{"pid": pid, "messages": count} for pid, count in part.counts.items()],
        "missing": missing,
        "lost": lost,
        "messages": messages,
    }


def _claim_json(claim: StoredMessage) -> dict[str, Any]:
    tlog = claim.tlog
    shown, typed = tlog.get("out_txt", ""), tlog.get("in_txt", "").translate(_TYPED)
    texts = {"text": plain_text(shown), "typed": plain_text(typed)}
    texts |= {"hidden": hidden_text(shown), "typed_hidden": hidden_text(typed)}
    own = read_object(tlog.get("ttyscribe"))
    skips = [{"ms": one.ms, "stream": one.stream, "bytes": one.size, "digest": one.digest} for one in own.skips]
    who = {"document": claim.document_id, "ms": tlog["pos"], "trust": claim.trust, "pid": claim.sender_pid}
    return {**who, **texts, "masked": [list(mask) for mask in own.masks], "skipped": skips}
