# SPDX-License-Identifier: Apache-2.0
"""The envelope of a line that mmexternal writes with `interface.input="fulljson"`; pure.

Of the message's variables only `$!ttyscribe` is read, which the ruleset makes: what a sender's JSON has put elsewhere
into the tree attests nothing. docs/contracts/mmexternal-documents.md is the contract.
"""

from typing import Any

from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact
from ttyscribe_normalizers.envelope import Envelope, from_values, with_more

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
    try:
        fields, clean = exact.fast_loads(line), True
    except ValueError:  # not UTF-8, or it is no JSON
        fields, clean = exact.loads(line), False
    if type(fields) is not dict or type(fields.get("msg")) is not str:
        raise MessageError("the line is no message: the action needs interface.input=fulljson")
    tree = fields.get("$!")
    stamps = tree.get(STAMPS) if type(tree) is dict else None
    if type(stamps) is not dict or not _is_stamp(stamps.get("id")):
        raise MessageError(f"the message is not stamped: the ruleset has to set $!{STAMPS}!id")
    message = fields["msg"]
    values = [_text(stamps.get("id")), _text(stamps.get("received"))]
    values += [_text(fields.get(key)) for key in _KEYS]
    values += [_text(stamps.get("uid")), _text(stamps.get("pid"))]
    if clean:
        return with_more(from_values((*values, message), b"", now_ns), fields, now_ns)
    text, raw = exact.repaired(message[1:] if message[:1] == " " else message)
    made = from_values((*(exact.repaired(value)[0] for value in values), text), raw, now_ns)
    return with_more(made, fields, now_ns)


def _is_stamp(value: Any) -> bool:
    """Whether it is something that a reply can repeat sign by sign."""
    return type(value) is str and 0 < len(value) <= _LONGEST_STAMP and value.isascii() and value.isprintable()


def _text(value: Any) -> str:
    """A property or a stamp as text: rsyslog writes numbers where it copied one."""
    if type(value) is str:
        return value
    return str(value) if type(value) is int else ""
