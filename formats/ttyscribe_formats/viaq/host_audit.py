# SPDX-License-Identifier: Apache-2.0
"""Lines of the kernel's audit log (`viaq_host_audit`): time, type and id of the record; the line itself is the message.

::

    type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 success=no
"""

import re

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.viaq import Record, ruby, times

_BLANKS = re.compile(r"[ \t\n\v\f\r]+")
_STAMP = re.compile(r"msg=audit\((.*)\):")


def parse(line: str, node_name: str | None = None) -> Record:
    """The record of one line. Times are floats of seconds to the original, and lose up to a microsecond.

    A line with a node before its type gives the node as type and 1970 as time, as it does there. Raises MessageError
    for a line of fewer than two words.
    """
    words = [word for word in _BLANKS.split(line) if word]
    if len(words) < 2:
        raise MessageError("no audit record: it has no type and time")
    stamp = _STAMP.sub(lambda found: found[1], words[1], count=1)
    parts = stamp.rstrip(":").split(":") if stamp.strip(":") else [""]
    record: Record = {"time": times.of_seconds(ruby.to_f(parts[0]))}
    if node_name is not None:
        record["hostname"] = node_name
    pieces = words[0].rstrip("=").split("=")
    record["audit.linux"] = {
        "type": pieces[1] if len(pieces) > 1 else None,
        "record_id": parts[1] if len(parts) > 1 else None,
    }
    record["message"] = line
    return record


def record_of(line: str, node_name: str | None = None) -> Record:
    """The same, and for what is no record of the audit log the line alone: nothing is lost, nothing is raised."""
    try:
        return parse(line, node_name)
    except MessageError:
        return {"message": line} if node_name is None else {"hostname": node_name, "message": line}
