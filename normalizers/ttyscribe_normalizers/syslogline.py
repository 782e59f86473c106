# SPDX-License-Identifier: Apache-2.0
"""Lines of syslog as RFC 5424 has them, where nobody has taken them apart yet: header to the template's keys; pure."""

import re

from ttyscribe_formats import structured_data

_HEADER = re.compile(r"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) ")
_MOST = 191
"""The highest priority: facility 23, severity 7."""


def fields_of(line: bytes) -> dict[str, str] | None:
    """The template's keys of a line, with lone surrogates where it is not UTF-8; None where it is no such line."""
    text = line.decode("utf-8", "surrogateescape")
    header = _HEADER.match(text)
    if header is None or int(header[1]) > _MOST:
        return None
    rest = text[header.end() :]
    data, message = ("-", rest[1:]) if rest[:1] == "-" else structured_data.split(rest)
    if not data or message[:1] not in ("", " "):
        return None
    priority, time, host, program, procid, msgid = header.groups()
    return {
        "time": "" if time == "-" else time,
        "host": host,
        "program": program,
        "procid": procid,
        "facility": str(int(priority) // 8),
        "severity": str(int(priority) % 8),
        "protocol-version": "1",
        "app-name": program,
        "msgid": msgid,
        "structured-data": data,
        "msg": message,
    }
