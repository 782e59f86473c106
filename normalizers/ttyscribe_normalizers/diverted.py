# SPDX-License-Identifier: Apache-2.0
"""What rsyslogd's configuration with mmexternal puts aside, as entries of a dead letter.

Three forms of lines: a message that did not pass the filter (the template's envelope, with status and reason); a
document that an engine refused for itself (`document`); a request that failed as a whole (omelasticsearch's errorfile).
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact
from ttyscribe_normalizers.pipeline import Dead, Pipeline, Processed
from ttyscribe_store import jsontext
from ttyscribe_store.bulk import index_of

Entries = list[tuple[bytes, Processed]]
_REQUEST = b'{ "request": {'
_OURS = b'{"v":1,"time":'
"""How entries begin that our own programs write: they see for themselves that the file has been set aside."""


def processed(line: bytes, pipeline: Pipeline) -> Entries:
    """The lines that an entry stands for, and what becomes of each now; none where it has none of the forms."""
    try:
        entry = exact.loads(line)
    except MessageError:
        return _behind_half(line, pipeline)
    if type(entry) is not dict:
        return []
    if "msg" in entry:
        return [(line, pipeline.process(line, _received(entry)))]
    documents = [entry["document"]] if "document" in entry else list(_requested(entry))
    if not documents or not all(map(_is_document, documents)):
        return []
    return [(line, Processed([document], None, _received_text(document))) for document in documents]


def _behind_half(line: bytes, pipeline: Pipeline) -> Entries:
    """A request behind the half line that a killed rsyslogd has left; the half is nothing that anybody can use.

    Its messages are in rsyslogd's queue still: it was killed before it was done with them.
    """
    at = line.rfind(_REQUEST)
    if at <= 0:
        return []
    found = processed(line[at:], pipeline)
    return found and [(line[:at], Processed((), Dead("unparsable", "half a line of rsyslogd's"))), *found]


def _received(entry: dict[str, Any]) -> int:
    """When a message was received, or happened at least; 1970 where nobody says so."""
    for key in ("received", "time"):
        try:
            return timestamp.parse(entry[key])
        except (MessageError, KeyError, TypeError, AttributeError):
            pass
    return 0


def _received_text(document: Any) -> str:
    received = document["ttyscribe"].get("received")
    return received if type(received) is str else ""


def _requested(entry: dict[str, Any]) -> Iterator[Any]:
    """The documents of a bulk request in omelasticsearch's errorfile: each second line of what it has posted."""
    request = entry.get("request")
    posted = request.get("postdata") if type(request) is dict else None
    if type(posted) is not str:
        return
    for text in islice(posted.split("\n"), 1, None, 2):
        try:
            yield jsontext.loads(text)
        except ValueError:
            yield None


def _is_document(value: Any) -> bool:
    """Whether it names its own place in a store."""
    try:
        return type(value["viaq_msg_id"]) is str and bool(index_of(value))
    except (TypeError, KeyError, ValueError):
        return False


def is_open_elsewhere(file: int) -> bool:
    """Tell whether rsyslogd, or whoever else has not noticed that it was set aside, can still write to the file.

    The kernel grants a lease for reading only where nobody has the file open for writing.
    """
    if os.pread(file, len(_OURS), 0) == _OURS:
        return False
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False
