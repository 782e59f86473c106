# SPDX-License-Identifier: Apache-2.0
"""Targets: lines of mmexternal on their way to a reply, and what rsyslogd has put aside on its way back."""

import json

from pyrsyslog_omprog.fulljson import encode
from tests.normalizers import samples
from ttyscribe_normalizers import diverted, fulljson, mmexternal
from ttyscribe_store.bulk import index_of


def reply(data: bytes) -> None:
    """Each line has one reply of one ASCII line; it passes with a document that is exact, or says why it does not."""
    line = data.replace(b"\n", b" ")
    stamped = mmexternal.Stamped()
    pipeline = samples.pipeline()
    pipeline.parts = pipeline.parts._replace(decode=stamped.around(fulljson.decode))
    changes = mmexternal.Normalizer(pipeline, stamped, lambda: samples.NOW_NS, lambda _: None).line(line)
    assert not pipeline.counters["failed"]
    text = encode(changes)
    assert text.isascii()
    assert text.count(b"\n") == 1
    own = json.loads(text)["$!"][mmexternal.PLACE]
    assert ("passed" in own) + ("empty" in own) + ("status" in own) == 1
    if "passed" not in own:
        return
    assert own["passed"] == json.loads(line.decode("utf-8", "surrogateescape"))["$!"]["ttyscribe"]["id"] != ""
    document = json.loads(own["document"])
    assert mmexternal.survives(document)
    assert (own["index"], own["id"]) == (index_of(document), document["viaq_msg_id"])


def aside(data: bytes) -> None:
    """Each entry stands for lines or documents, or is none; none of it raises, and documents have their place."""
    pipeline = samples.pipeline()
    for raw, processed in diverted.processed(data.replace(b"\n", b" "), pipeline):
        assert raw
        for document in processed.documents:
            index_of(document)
    assert not pipeline.counters["failed"]
