# SPDX-License-Identifier: Apache-2.0
"""One line's way through a pipeline, with the reason of each turn; pure but for the hook that watches."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ttyscribe_formats.timestamp import IMPLAUSIBLE
from ttyscribe_formats.viaq.settings import Settings
from ttyscribe_normalizers.envelope import NOBODY, Envelope
from ttyscribe_normalizers.explain import origins, steps
from ttyscribe_normalizers.explain.watched import Call, watch
from ttyscribe_normalizers.pipeline import MAX_LINE, Parts, Pipeline, Processed

NEW_ID = "a new id"
_MOST_BYTES, _FEWEST = 4_000_000, 10
"""Of long lines fewer parts are changed, to find origins: it takes a while for each."""
_NOBODY = "nobody attested the sender"
_HOUR = 3600 * 10**9


class Subject(NamedTuple):
    """The pipeline that is asked, and others that differ from it in one thing each."""

    pipeline: Pipeline
    other_stamps: Pipeline
    """Whose new ids are other ones."""
    other_trust: Callable[[int], Pipeline]
    """That trusts a uid which this one does not, or does not trust it where this one does."""
    later: Pipeline
    """That takes the time now for an hour later."""
    filters: Settings | None
    """Of the profile viaq."""


class Asked(NamedTuple):
    """What one kind said."""

    kind: str
    answer: str
    """`took it`, `did not take it`, `took it, but could not read it`, `was not asked`, `failed`."""
    why: str


class Reading(NamedTuple):
    """How the line was read."""

    by: str
    """The functions that made the envelope."""
    what: str
    """What the line is."""
    attested: list[str]
    """What of it is attested, in sentences."""
    fields: dict[str, Any]
    """What the envelope holds."""


class Made(NamedTuple):
    """One document, with the reasons of what matters."""

    document: Any
    place: str
    """Where it would be stored."""
    trust: str
    identity: str
    origins: list[origins.Origin]


class Explained(NamedTuple):
    """All of it."""

    line: int
    size: int
    outcome: str
    reading: Reading | None
    asked: list[Asked]
    chosen: list[steps.Chosen]
    steps: list[steps.Step]
    made: list[Made]
    entry: str = ""
    """Where the line is from a dead letter: status and reason with which it is there."""


def explain(number: int, line: bytes, now_ns: int, subject: Subject) -> Explained:
    """What becomes of the line with this number; never raises on data."""
    pipeline = subject.pipeline
    if len(line) > MAX_LINE:
        dead = pipeline.too_long(len(line), MAX_LINE)
        return Explained(number, len(line), _outcome(line, dead, None), None, [], [], [], [])
    processed, calls = watch(lambda: pipeline.process(line, now_ns))
    envelope = next((call.result for call in calls if isinstance(call.result, Envelope)), None)
    asked = [] if envelope is None or not _gets_on(processed) else _asked(pipeline.parts, envelope)
    tag = steps.tag_of(calls)
    return Explained(
        number,
        len(line),
        _outcome(line, processed, envelope),
        _reading(calls, envelope) if envelope is not None else None,
        asked,
        steps.chosen(tag, subject.filters) if tag and subject.filters is not None else [],
        steps.of(calls, processed.documents[0]) if tag and processed.documents else [],
        _made(line, now_ns, subject, processed, calls, NOBODY if envelope is None else envelope.sender_uid),
    )


def _gets_on(processed: Processed) -> bool:
    """Whether kinds were asked."""
    return bool(processed.documents) or (processed.dead is not None and processed.dead.status == "failed")


def _outcome(line: bytes, processed: Processed, envelope: Envelope | None) -> str:
    if processed.dead is not None:
        return f"dead letter, status {processed.dead.status}: {processed.dead.reason}"
    if not processed.documents:
        text = line if envelope is None else envelope.text.encode("utf-8", "surrogatepass")
        return "counted and dropped: " + (
            "there is no message" if not text.strip() else "its kind stores nothing of it"
        )
    own: Any = processed.documents[0].get("ttyscribe", {})
    if error := own.get("error"):
        return f"stored as kind {own.get('kind', '?')} with the error: {error}"
    many = len(processed.documents)
    return "stored" if many == 1 else f"stored as {many} documents"


# -- how it was read -------------------------------------------------------------------------------------------------


def _reading(calls: Sequence[Call], envelope: Envelope) -> Reading:
    makers = [call for call in calls if isinstance(call.result, Envelope) or call.name == "renamed"]
    told = [call for call in makers if call.module.endswith("shapes") and call.name != "decode"]
    told += [call for call in makers if call.name == "from_values"] or makers[:1]
    by = " > ".join(dict.fromkeys(call.place for call in makers))
    if any(call.place == "exact.loads" for call in calls):
        by += " (by the exact parser: the fast one does not take it)"
    fields = {
        name: value
        for name, value in envelope._asdict().items()
        if value not in ("", b"", None) and name not in ("fields", "record", "journal") and value != NOBODY
    }
    return Reading(by, f"{told[0].about.partition('. ')[0].rstrip('.')}.", _attested(envelope), fields)


def _attested(envelope: Envelope) -> list[str]:
    """What somebody vouches for, and what nobody does."""
    elsewhere = "another host's kernel, whose name its certificate proved"
    by = {"journald": "journald", "rsyslog": "the kernel, through rsyslog"}.get(envelope.collector, "the collector")
    known = {"uid": envelope.sender_uid, "pid": envelope.sender_pid}
    said = [f"{name} {value}" for name, value in known.items() if value != NOBODY]
    who = elsewhere if envelope.relayed else by
    sentences = [f"the sender's {' and '.join(said)}: by {who}" if said else envelope.doubt or _NOBODY]
    sentences.append(
        "the time of receipt: by whoever stamped it"
        if envelope.windowed
        else "nobody stamped a time of receipt: that of reading stands in"
    )
    if envelope.stable_id:
        sentences.append("the id: stamped before it came here")
    return sentences


# -- the kinds ----------------------------------------------------------------------------------------------------


def _asked(parts: Parts, envelope: Envelope) -> list[Asked]:
    made: list[Asked] = []
    taken = ""
    for kind in parts.kinds:
        wants = _criterion(kind)
        if taken:
            made.append(Asked(kind.name, "was not asked", f"{taken} had taken it"))
        elif not kind.accepts(envelope):
            made.append(Asked(kind.name, "did not take it", wants))
        else:
            taken = kind.name
            made.append(_took(kind, envelope, wants))
    return made


def _took(kind: Any, envelope: Envelope, wants: str) -> Asked:
    try:
        kind.normalize(envelope)
    except Exception as error:  # noqa: BLE001 - told as it is
        return Asked(kind.name, "took it, but could not read it", str(error) or type(error).__name__)
    return Asked(kind.name, "took it", wants)


def _criterion(kind: Any) -> str:
    """What a kind looks for, in its own words."""
    text = getattr(kind, "inner", kind).accepts.__doc__ or "it does not say what for"
    return " ".join(text.strip().partition("\n\n")[0].split())


# -- the documents ------------------------------------------------------------------------------------------------


def _made(
    line: bytes, now_ns: int, subject: Subject, processed: Processed, calls: Sequence[Call], uid: int
) -> list[Made]:
    most = max(_FEWEST, min(origins.MOST, _MOST_BYTES // max(len(line), 1)))

    def documents(pipeline: Pipeline, when: int = now_ns) -> Sequence[Any]:
        return pipeline.process(line, when).documents

    found = origins.of(
        line,
        lambda other: subject.pipeline.process(other, now_ns).documents,
        {
            NEW_ID: lambda: documents(subject.other_stamps),
            "the time of reading": lambda: documents(subject.later, now_ns + _HOUR),
            "--trusted-uid": lambda: documents(subject.other_trust(uid)),
        },
        most,
    )
    trust = _trust(calls, next((call.result for call in calls if isinstance(call.result, Envelope)), None))
    return [
        Made(document, _place(document), _taken_away(document) or trust, _identity(document, of), of)
        for document, of in zip(processed.documents, found, strict=True)
    ]


def _place(document: Any) -> str:
    own = document.get("ttyscribe", {})
    kind, partition = own.get("kind"), own.get("partition")
    if not kind or not partition:
        return "written as it is: no store was asked for"
    name = f"ttyscribe-{kind}-{partition}"
    if partition == IMPLAUSIBLE:
        return f"{name}, as its time is far from that of receipt, or beyond what engines can hold"
    return f"{name}, by its own time"


def _trust(calls: Sequence[Call], envelope: Envelope | None) -> str:
    """The word, and its reason."""
    call = next((call for call in calls if call.module.endswith(".trust") and call.name == "of"), None)
    if call is None:
        return ""
    uid, user = call.before.get("uid", NOBODY), call.before.get("user", "")
    reasons = {
        "system": f"uid {uid} is one of --trusted-uid",
        "user": f"uid {uid} is {user}, whom the message is about",
        "none": (envelope.doubt if envelope is not None else "") or _NOBODY
        if uid == NOBODY
        else f"uid {uid} is none of --trusted-uid{f', nor is it {user}' if user else ''}",
    }
    return f"{call.result}: {reasons.get(str(call.result), 'its kind says so')}"


def _taken_away(document: Any) -> str:
    """The word and its reason where the document says itself why it is trusted less than its sender."""
    own = document.get("ttyscribe", {})
    return f"none: {own['doubt']}" if own.get("doubt") and own.get("trust") == "none" else ""


def _identity(document: Any, of: Sequence[origins.Origin]) -> str:
    name = document.get("viaq_msg_id", "")
    sources = next((origin.sources for origin in of if origin.field == "viaq_msg_id"), ())
    if NEW_ID in sources:
        return f"{name}: new with each reading, as nothing in the line names it: stored at least once"
    return f"{name}: the same each time the line comes, stored once"
