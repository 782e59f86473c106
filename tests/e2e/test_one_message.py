# SPDX-License-Identifier: Apache-2.0
"""One message, from the bytes that a program wrote to the bytes that are played: its value at each stop.

docs/architecture.md walks the same stops by their numbers. Only the shipping (stops 3 and 4) needs other processes:
everything else is plain calls, so that each value can be looked at where it changes hands.
"""

import json
import os
import re
import socket
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.chain import run
from tests.rsyslog.daemon import Rsyslogd, wait_until
from ttyscribe_formats import place, timestamp, tlog, words
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.packet import Output, Window
from ttyscribe_formats.reading import packets
from ttyscribe_normalizers import envelope, kinds
from ttyscribe_normalizers.kinds.tlog import Kind
from ttyscribe_normalizers.trust import Trust
from ttyscribe_recorder.writers.syslog import SyslogWriter
from ttyscribe_store.base import DUPLICATE, STORED, Hit, Query, Recording, RecordingFilter, StoredMessage
from ttyscribe_store.conflict import choose
from ttyscribe_store.open import open_store

EXAMPLE = Path(__file__).resolve().parents[2] / "rsyslog" / "examples" / "append.py"

HEADER = Header(host="web7", rec="1f0c-1011-13dda", user="ada", term="xterm", session=7)
WRITTEN = b"\x1b[1mgr\xc3\xbc\xc3\x9fe\x1b[0m \xff!\r\n"
"""What the program wrote: bold, two umlauts, and a byte that is no UTF-8."""


def sent(line: bytes, folder: Path) -> bytes:
    """The datagram that the recorder's syslog writer makes of a line."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(folder / "log"))
        writer = SyslogWriter(str(folder / "log"))
        assert writer.write([line]) == 1
        writer.close()
        return listener.recv(65536)


def shipped(datagram: bytes, folder: Path) -> bytes:
    """The line that a real rsyslogd, under the shipped configuration, hands to its program."""
    target = folder / "lines"
    with Rsyslogd([sys.executable, str(EXAMPLE), str(target)]) as daemon:
        daemon.send([datagram])
        wait_until(lambda: target.exists() and target.read_bytes().endswith(b"\n"))
    return target.read_bytes().removesuffix(b"\n")


@pytest.mark.rsyslogd
def test_one_message_stop_by_stop(tmp_path: Path) -> None:
    # Stop 1. Packets: recorder/ttyscribe_recorder reads the terminal, formats/.../packet.py is what it makes of it.
    began_ns = time.time_ns() // 1_000_000 * 1_000_000
    window, output = Window(0, 80, 24), Output(1_500_000_000, WRITTEN)

    # Stop 2. Encoded message: formats/.../chunk.py collects packets, formats/.../tlog.py writes the JSON line.
    chunker = Chunker(HEADER)
    assert chunker.feed(window, began_ns) == []
    assert chunker.feed(output, began_ns) == []
    (line,) = chunker.flush()
    began_ms = began_ns // 1_000_000
    assert line == (
        b'{"ver":"2.3","host":"web7","rec":"1f0c-1011-13dda","user":"ada","term":"xterm","session":7,"id":1,"pos":0,'
        b'"time":%d.%03d,"timing":"=80x24+1500>14]1/1>3","in_txt":"","in_bin":[],'
        b'"out_txt":"\\u001b[1mgr\xc3\xbc\xc3\x9fe\\u001b[0m \xef\xbf\xbd!\\r\\n","out_bin":[255]}'
        % divmod(began_ms, 1000)
    )

    # Stop 3. Datagram: recorder/.../writers/syslog.py sends it to the log socket.
    datagram = sent(line, tmp_path)
    assert re.fullmatch(rb"<86>[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} ttyscribe: " + re.escape(line), datagram)

    # Stop 4. Envelope line: rsyslog/conf/ttyscribe.conf attests the sender, stamps id and time, queues, hands over.
    before_ns = time.time_ns()
    handed_over = shipped(datagram, tmp_path)
    outside = json.loads(handed_over)
    stamp, received = outside["id"], outside["received"]
    assert re.fullmatch(r"[0-9A-F]{32}", stamp)
    assert abs(timestamp.parse(received) - before_ns) < 60_000_000_000
    assert outside == {
        "v": 1,
        "id": stamp,
        "received": received,
        "time": received,
        "host": socket.gethostname().partition(".")[0],
        "from": "127.0.0.1",
        "program": "ttyscribe",
        "tag": "ttyscribe:",
        "procid": "-",
        "facility": "10",
        "severity": "6",
        "input": "imuxsock",
        "uid": str(os.getuid()),
        "pid": str(os.getpid()),
        "msg": " " + line.decode(),
    }

    # Stop 5. Envelope: rsyslog/pyrsyslog_omprog reads the line, normalizers/.../envelope.py takes it apart.
    seen = envelope.decode(handed_over)
    assert seen.text == line.decode()
    assert (seen.sender_uid, seen.sender_pid, seen.stable_id) == (os.getuid(), os.getpid(), stamp)
    assert seen.received_ns == seen.time_ns == timestamp.parse(received)

    # Stop 6. Document: normalizers/.../kinds/tlog.py; what it is called comes from what it says (formats/identity.py).
    kind = Kind(kinds.Context(Trust({os.getuid()}, lambda uid: ""), lambda: "unused", "omprog", "0.1"))
    assert kind.accepts(seen)
    (document,) = kind.normalize(seen)
    assert document["viaq_msg_id"].startswith("tlog:1f0c-1011-13dda:1:")
    assert document["@timestamp"] == timestamp.to_text(began_ns)
    assert (document["hostname"], document["level"], document["message"]) == ("web7", "info", "grüße \ufffd!\n")
    assert document["tlog"] == json.loads(line)
    assert document["ttyscribe"] == {
        "kind": "tlog",
        "partition": timestamp.to_text(began_ns)[:7].replace("-", "."),
        "received": timestamp.to_text(seen.received_ns),
        "trust": "system",
        "recording": "1f0c-1011-13dda",
        "out_bytes": len(WRITTEN),
        "in_bytes": 0,
        "last_ms": 1500,
        "resizes": 0,
        "words": "grüsse",
        "sender_uid": os.getuid(),
        "sender_pid": os.getpid(),
    }

    # Stop 7. Stored document: store/.../sqlite.py creates it once; a second delivery changes nothing.
    url = f"sqlite:{tmp_path / 'store'}"
    store = open_store(url)
    store.setup()
    assert store.write([document]) == [STORED]
    assert store.write([document]) == [DUPLICATE]
    stored = StoredMessage(document["viaq_msg_id"], json.loads(line), "system", os.getpid())
    assert list(store.messages("1f0c-1011-13dda")) == [stored]

    # Stop 8. Recording: store/.../recordings.py computes the row from the stored messages.
    row = Recording(
        recording="1f0c-1011-13dda",
        user="ada",
        host="web7",
        term="xterm",
        session=7,
        start_ns=began_ns,
        duration_ms=1500,
        messages=1,
        first_id=1,
        last_id=1,
        distinct_ids=1,
        out_bytes=len(WRITTEN),
        in_bytes=0,
        resizes=0,
        trust="system",
    )
    assert list(store.recordings(RecordingFilter())) == [row]
    assert (row.missing, row.conflicts) == (0, 0)

    # Stop 9. Hit: formats/words.py splits query and text alike; a hit is a place that play and show accept.
    found = Hit(
        document_id=document["viaq_msg_id"],
        kind="tlog",
        time_ns=began_ns,
        host="web7",
        user="ada",
        recording="1f0c-1011-13dda",
        first_ms=0,
        last_ms=1500,
        message="grüße \ufffd!\n",
        typed="",
    )
    assert list(store.search(Query([words.words("GRÜSSE")]))) == [found]
    where = place.format_place(place.Place(found.recording, found.first_ms))
    assert where == "1f0c-1011-13dda@0:00.000"

    # Stop 10. Packets again: store/.../conflict.py says which message is true, formats/.../reading.py reads it.
    (choice,) = choose(store.messages("1f0c-1011-13dda"))
    assert choice.message == stored
    assert list(packets([tlog.from_fields(choice.message.tlog)])) == [window, output]

    # Stop 11. Played bytes: player/ttyscribe_player writes what the program wrote.
    store.close()
    played = run("ttyscribe-play", "--store", url, where)
    assert played.stdout == WRITTEN
    assert (played.returncode, played.stderr) == (0, b"")
