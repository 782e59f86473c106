# SPDX-License-Identifier: Apache-2.0
"""The envelope of a line that mmexternal writes with `interface.input="fulljson"`; pure.

Of the message's variables only `$!ttyscribe` is read, which the ruleset makes: what a sender's JSON has put elsewhere
into the tree attests nothing. docs/contracts/mmexternal-documents.md is the contract.
"""

from typing import Any

from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import envelope, exact
from ttyscribe_normalizers.envelope import MORE_KEYS, Envelope, from_values, with_more

STAMPS = "ttyscribe"
_LONGEST_STAMP = 128
_KEYS = (
    "timereported",
    "hostname",
    "fromhost-ip",
    "programname",
    "syslogtag",
    "procid",
    "syslogfacility",
    "syslogseverity",
    "inputname",
)
"""In the order of the envelope's own keys, from `time` to `input`."""


def decode(line: bytes, now_ns: int) -> Envelope:
    """The envelope of one line. Raises MessageError where it is none, or has no stamped id."""
    return read(line, now_ns)[1]


def read(line: bytes, now_ns: int) -> tuple[str, Envelope]:
    """The stamp of one line, and its envelope."""
    fields, clean = _parsed(line)
    tree = fields.get("$!")
    stamps = tree.get(STAMPS) if type(tree) is dict else None
    stamp = stamps.get("id") if type(stamps) is dict else None
    if stamps is None or type(stamp) is not str or not _can_be_repeated(stamp):
        raise MessageError(f"the message is not stamped: the ruleset has to set $!{STAMPS}!id")
    whole = stamps.get("line")
    return stamp, _of_properties(fields, stamps, now_ns, clean) if type(whole) is not str else _of_line(whole, now_ns)


def _parsed(line: bytes) -> tuple[dict[str, Any], bool]:
    """The message's properties, and whether they are text without surrogates."""
    try:
        fields, clean = exact.fast_loads(line), True
    except ValueError:  # not UTF-8, or it is no JSON
        fields, clean = exact.loads(line), False
    if type(fields) is not dict or type(fields.get("msg")) is not str:
        raise MessageError("the line is no message: the action needs interface.input=fulljson")
    return fields, clean


def _of_line(whole: str, now_ns: int) -> Envelope:
    """The envelope of a line of a template, which the ruleset has made."""
    try:
        return envelope.decode(whole.encode("utf-8", "surrogateescape"), now_ns)
    except UnicodeEncodeError:
        raise MessageError(f"$!{STAMPS}!line is no text") from None


def _of_properties(fields: dict[str, Any], stamps: dict[str, Any], now_ns: int, clean: bool) -> Envelope:
    message = fields["msg"]
    values = [_text(stamps.get("id")), _text(stamps.get("received"))]
    values += [_text(fields.get(key)) for key in _KEYS]
    values += [_text(stamps.get("uid")), _text(stamps.get("pid"))]
    header = {key: fields[key] for key in MORE_KEYS if key in fields}  # and nothing else outside the stamps counts
    whole, raw = ((*values, message), b"") if clean else envelope.repaired(values, message)
    return with_more(from_values(whole, raw, now_ns), header, now_ns)


def _can_be_repeated(stamp: str) -> bool:
    """Whether a reply can repeat it sign by sign."""
    return 0 < len(stamp) <= _LONGEST_STAMP and stamp.isascii() and stamp.isprintable()


def _text(value: Any) -> str:
    """A property or a stamp as text: rsyslog writes numbers where it copied one."""
    if type(value) is str:
        return value
    return str(value) if type(value) is int else ""
