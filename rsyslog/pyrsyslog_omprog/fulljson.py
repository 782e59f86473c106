# SPDX-License-Identifier: Apache-2.0
"""What mmexternal sends and takes: messages in, changes out; pure.

A message is one JSON object (`interface.input="fulljson"`), a reply is one JSON object with what is to be changed.
"""

import json
from typing import Any, TypedDict, cast

Message = TypedDict(
    "Message",
    {
        "msg": str,
        "rawmsg": str,
        "timereported": str,
        "timegenerated": str,
        "hostname": str,
        "syslogtag": str,
        "programname": str,
        "app-name": str,
        "procid": str,
        "msgid": str,
        "pri": str,
        "syslogfacility": str,
        "syslogseverity": str,
        "inputname": str,
        "fromhost": str,
        "fromhost-ip": str,
        "protocol-version": str,
        "structured-data": str,
        "uuid": str | None,
        "$!": dict[str, Any],
    },
    total=False,
)
"""A message's properties by rsyslog's names. Bytes that are not UTF-8 are surrogates (PEP 383); times are RFC 3339.

`$!` is the message's tree of variables; numbers in it are what rsyslog has made of them.
"""

Changes = TypedDict(
    "Changes",
    {
        "msg": str,
        "rawmsg": str,
        "hostname": str,
        "source": str,
        "syslogtag": str,
        "procid": str,
        "msgid": str,
        "pri": str,
        "syslogfacility": str,
        "syslogseverity": str,
        "structured-data": str,
        "fromhost": str,
        "fromhost-ip": str,
        "$!": dict[str, Any],
    },
    total=False,
)
"""What a filter may change. `$!` is merged at its top level: a name in it replaces that whole subtree, none is removed.

rsyslog cuts a text at a NUL and clamps integers to 64 bits: what must arrive exactly goes as a text of its own.
"""

NONE = b"{}\n"
"""The reply that changes nothing."""
_TREE = "$!"


def decode(line: bytes) -> Message:
    """The message of one line. Raises ValueError where it is no JSON object, or nested too deep."""
    try:
        fields = json.loads(line.decode("utf-8", "surrogateescape"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    if type(fields) is not dict:
        raise ValueError("the line is no JSON object: the action needs interface.input=fulljson")
    if type(fields.get(_TREE)) is not dict:
        fields[_TREE] = {}  # null where no variable is set
    return cast("Message", fields)


def encode(changes: Changes | None) -> bytes:
    """The reply, with its LF. Raises ValueError or TypeError for what rsyslog would not take, or not as it is meant."""
    if not changes:
        return NONE
    for name, value in changes.items():
        if name not in Changes.__annotations__:
            raise ValueError(f"{name!r} is nothing that a reply can change")
        if not isinstance(value, dict if name == _TREE else str):
            raise TypeError(f"{name!r} has to be {'a dict' if name == _TREE else 'text'}, not {type(value).__name__}")
    try:
        return json.dumps(changes, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    except RecursionError:
        raise ValueError("nested too deep") from None
