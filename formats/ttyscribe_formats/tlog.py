# SPDX-License-Identifier: Apache-2.0
"""tlog's JSON message: encoder and decoder, exact in both directions.

One message is one JSON object on one line, keys in fixed order, no blanks. Source of every rule: tlog's own
behaviour, release 12 to 14, described in docs/formats/tlog.md. Loaded in the login path, so `json` is imported
only by the decoder.
"""

from _json import encode_basestring as _quote
from collections import namedtuple
from operator import itemgetter

from ttyscribe_formats.errors import MessageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    class Message(NamedTuple):
        """One message. `pos` and `time_ms` are milliseconds (from the recording's start, and wall clock)."""

        ver: str
        host: str
        rec: str
        user: str
        term: str
        session: int
        id: int
        pos: int
        time_ms: int | None
        timing: str
        in_txt: str
        in_bin: bytes
        out_txt: str
        out_bin: bytes
        extra: bytes = b""
        """JSON text of our own last key `ttyscribe`; empty where it is absent."""

else:
    Message = namedtuple(
        "Message",
        "ver host rec user term session id pos time_ms timing in_txt in_bin out_txt out_bin extra",
        defaults=(b"",),
    )

KEYS = tuple(name if name != "time_ms" else "time" for name in Message._fields if name != "extra")
"""The keys of a message of the current version, in order; our own key is extra."""
_values = itemgetter(*KEYS)
_TYPES = (str, str, str, str, str, int, int, int, float, str, str, list, str, list)
VERSION = "2.3"
OWN_KEY = "ttyscribe"
MAX_SESSION = 2**32 - 1
UNSET_SESSION = MAX_SESSION
MAX_POS_MS = 2147483647999

# Keys of our own object in the order in which they are written, at every level.
_OWN_ORDER: "tuple[str, ...]" = ("v", "end", "mask", "skip", "lost", "err", "prev")
_OWN_ORDER += ("status", "ms", "stream", "bytes", "digest", "from", "to", "why")


def escape(text: str) -> str:
    """A JSON string with its quotes, escaped as tlog does: `/` and everything beyond DEL stay raw."""
    quoted = _quote(text)
    return quoted.replace("\x7f", "\\u007f") if "\x7f" in quoted else quoted


_MANY = 1024
_LONG = 512
_headers: "dict[tuple[str, str, str, str, int, str], str]" = {}


def _header(host: str, rec: str, user: str, term: str, session: int, ver: str) -> str:
    """The header of a recording's messages, which readers meet again and again."""
    key = (host, rec, user, term, session, ver)
    found = _headers.get(key)
    if found is None:
        found = encode_header(host, rec, user, term, session, ver).decode("utf-8", "surrogatepass")
        if len(_headers) >= _MANY:
            _headers.clear()
        if len(found) < _LONG:  # nobody makes us remember much
            _headers[key] = found
    return found


def encode_header(host: str, rec: str, user: str, term: str, session: int, ver: str = VERSION) -> bytes:
    """The part of a message that is the same in all messages of a recording, up to and including `"id":`."""
    return (
        f'{{"ver":{escape(ver)},"host":{escape(host)},"rec":{escape(rec)},"user":{escape(user)},'
        f'"term":{escape(term)},"session":{session},"id":'
    ).encode("utf-8", "surrogatepass")


def encode_time(time_ms: int) -> str:
    """Milliseconds as seconds with exactly three decimals."""
    return f"{time_ms // 1000}.{time_ms % 1000:03d}"


def encode(message: "Message") -> bytes:
    """The message as one line, without the final newline."""
    m = message
    time = "" if m.time_ms is None else f'"time":{encode_time(m.time_ms)},'
    own = f',"{OWN_KEY}":'.encode() + m.extra if m.extra else b""
    header = _header(m.host, m.rec, m.user, m.term, m.session, m.ver)
    typed = escape(m.in_txt) if m.in_txt else '""'
    text = (
        f'{header}{m.id},"pos":{m.pos},{time}"timing":{escape(m.timing)},"in_txt":{typed},'
        f'"in_bin":[{encode_bytes(m.in_bin)}],"out_txt":{escape(m.out_txt)},"out_bin":[{encode_bytes(m.out_bin)}]'
    )
    return text.encode("utf-8", "surrogatepass") + own + b"}"


canonical = encode
"""The bytes that identity is made from: the decoded message, written by our own encoder."""


def encode_bytes(data: bytes) -> str:
    """Bytes as the inside of a JSON array of numbers."""
    return ",".join(map(str, data)) if data else ""


def decode(line: bytes | str) -> "Message":
    """One message from one line. Raises MessageError with tlog's own words where it would refuse the line."""
    import json

    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not a JSON object: {error}") from None
    if not isinstance(fields, dict):
        raise MessageError("not a JSON object")
    return from_fields(fields)


def from_fields(fields: "dict[str, Any]") -> "Message":
    """A message from its parsed fields; the types are checked, extra fields are ignored."""
    try:
        values = _values(fields)
    except KeyError:
        return _from_any_fields(fields)
    if tuple(map(type, values)) != _TYPES or OWN_KEY in fields:
        return _from_any_fields(fields)
    ver, host, rec, user, term, session, number, pos, time, timing, in_txt, in_bin, out_txt, out_bin = values
    if ver != VERSION or not (0 < session <= MAX_SESSION and number >= 0 and 0 <= pos <= MAX_POS_MS):
        return _from_any_fields(fields)
    time_ms = _time_ms(time)
    inputs = _bytes(in_bin) if in_bin else b""
    outputs = _bytes(out_bin) if out_bin else b""
    # Past the named constructor, which takes three times as long.
    return tuple.__new__(
        Message,
        (ver, host, rec, user, term, session, number, pos, time_ms, timing, in_txt, inputs, out_txt, outputs, b""),
    )


def _from_any_fields(fields: "dict[str, Any]") -> "Message":
    """The same for messages of other versions and for bad ones, which it names."""
    try:
        ver = fields["ver"]
        host, user, term = fields["host"], fields["user"], fields["term"]
        session, number, pos = fields["session"], fields["id"], fields["pos"]
        timing, in_bin, out_bin = fields["timing"], fields["in_bin"], fields["out_bin"]
    except KeyError as error:
        raise MessageError(f'A message field is missing: "{error.args[0]}"') from None
    rec, in_txt, out_txt = fields.get("rec", ""), fields.get("in_txt", ""), fields.get("out_txt", "")
    for text in (host, user, term, timing, rec, in_txt, out_txt):
        if type(text) is not str:
            raise MessageError("A message field has invalid type")
    if type(session) is not int or type(number) is not int or type(pos) is not int:
        raise MessageError("A message field has invalid type")
    if not 0 < session <= MAX_SESSION:
        raise MessageError('Message has invalid "session" field value')
    if number < 0:
        raise MessageError('Message has invalid "id" field value')
    if not 0 <= pos <= MAX_POS_MS:
        raise MessageError('Message has invalid "pos" field value')
    time_ms = _time_ms(fields["time"]) if "time" in fields else None
    return Message(
        _version(ver),
        host,
        rec,
        user,
        term,
        session,
        number,
        pos,
        time_ms,
        timing,
        in_txt,
        _bytes(in_bin),
        out_txt,
        _bytes(out_bin),
        _own(fields[OWN_KEY]) if OWN_KEY in fields else b"",
    )


def to_fields(message: "Message") -> "dict[str, Any]":
    """The message's fields in tlog's order, as a parsed line would give them."""
    m = message
    fields: dict[str, Any] = {"ver": m.ver, "host": m.host, "rec": m.rec, "user": m.user, "term": m.term}
    fields |= {"session": m.session, "id": m.id, "pos": m.pos}
    if m.time_ms is not None:
        fields["time"] = m.time_ms / 1000
    fields |= {"timing": m.timing, "in_txt": m.in_txt, "in_bin": list(m.in_bin)}
    fields |= {"out_txt": m.out_txt, "out_bin": list(m.out_bin)}
    if m.extra:
        fields[OWN_KEY] = own_fields(m)
    return fields


def own_fields(message: "Message") -> "dict[str, Any]":
    """Our own key's object; empty where the message has none."""
    if not message.extra:
        return {}
    import json

    fields: dict[str, Any] = json.loads(message.extra)
    return fields


def _version(ver: object) -> str:
    """`ver` may be a string "M" or "M.N", or an integer; every minor of the majors up to 2 is understood."""
    if type(ver) is int:
        text = str(ver)
    elif type(ver) is str:
        text = ver
    else:
        raise MessageError("A message field has invalid type")
    if text == VERSION:
        return text
    major, dot, minor = text.partition(".")
    digits = major.isascii() and major.isdigit() and (not dot or (minor.isascii() and minor.isdigit()))
    if not digits or int(major[:9]) > 2:
        raise MessageError('Message has unsupported "ver" field value')
    return text


def _time_ms(time: object) -> int:
    """Seconds to milliseconds. tlog takes no integer here, but shippers write 5.000 as 5."""
    if type(time) is not float and type(time) is not int:
        raise MessageError("A message field has invalid type")
    if not 0 <= time < MAX_POS_MS:  # NaN and the infinities fail too
        raise MessageError('Message has invalid "time" field value')
    return round(time * 1000)


def _bytes(numbers: object) -> bytes:
    if type(numbers) is not list:
        raise MessageError("A message field has invalid type")
    if not numbers:
        return b""
    try:
        return bytes(numbers)
    except (ValueError, TypeError, OverflowError):
        raise MessageError('Message has invalid "in_bin" or "out_bin" field value') from None


def _own(value: object) -> bytes:
    """Our own key, written again in fixed order, so that re-serialising shippers change nothing."""
    import json

    if type(value) is not dict:
        raise MessageError("A message field has invalid type")
    try:
        text = json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        raise MessageError(f'Message has invalid "{OWN_KEY}" field value') from None
    return text.encode("utf-8", "surrogatepass")


def _ordered(value: "Any") -> "Any":
    if type(value) is dict:
        rank = {key: place for place, key in enumerate(_OWN_ORDER)}
        return {key: _ordered(value[key]) for key in sorted(value, key=lambda k: (rank.get(k, len(rank)), k))}
    if type(value) is list:
        return [_ordered(item) for item in value]
    return value
