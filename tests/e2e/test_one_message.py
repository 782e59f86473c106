# SPDX-License-Identifier: Apache-2.0
"""One message, from the bytes that a program wrote to the bytes that are played: its value at each stop.

docs/architecture.md walks the same stops by their numbers. Each stop is a fixture, which makes its value out of the
stop before, and a test, which says what the value is. Other processes are needed at the stops 4 and 11 alone.
"""

import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest

from tests.e2e.chain import run
from tests.rsyslog.daemon import Rsyslogd, wait_until
from tests.store.samples import listed
from ttyscribe_formats import place, timestamp, tlog, words
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.document import Document
from ttyscribe_formats.packet import Output, Packet, Window
from ttyscribe_formats.reading import packets
from ttyscribe_normalizers import envelope, kinds
from ttyscribe_normalizers.kinds.tlog import Kind
from ttyscribe_normalizers.trust import Trust
from ttyscribe_recorder.writers.syslog import SyslogWriter
from ttyscribe_store.base import DUPLICATE, STORED, Hit, Query, Recording, RecordingFilter, Store, StoredMessage
from ttyscribe_store.conflict import choose
from ttyscribe_store.open import open_store

EXAMPLE = Path(__file__).resolve().parents[2] / "rsyslog" / "examples" / "append.py"

pytestmark = pytest.mark.rsyslogd

REC = "1f0c-1011-13dda"
WRITTEN = b"\x1b[1mgr\xc3\xbc\xc3\x9fe\x1b[0m \xff!\r\n"
"""What the program wrote: bold, two umlauts, and a byte that is no UTF-8."""
TEXT = "grüße \ufffd!\n"
"""The same as people read it."""
BEGAN_NS = time.time_ns() // 1_000_000 * 1_000_000
"""Wall clock of the recording's first event; tlog's format keeps milliseconds."""

# Stop 1. Packets. recorder/ttyscribe_recorder reads the terminal; formats/ttyscribe_formats/packet.py is what it makes.


@pytest.fixture(scope="module")
def packets_recorded() -> list[Packet]:
    """The terminal's size at the start, and what was written a second and a half later."""
    return [Window(0, 80, 24), Output(1_500_000_000, WRITTEN)]


def test_stop_1_packets(packets_recorded: list[Packet]) -> None:
    assert packets_recorded == [(0, 80, 24), (1_500_000_000, WRITTEN, "terminal")]


# Stop 2. Message. formats/ttyscribe_formats/chunk.py collects packets, tlog.py beside it writes the JSON line.


@pytest.fixture(scope="module")
def line(packets_recorded: list[Packet]) -> bytes:
    """The message, encoded."""
    chunker = Chunker(Header(host="web7", rec=REC, user="ada", term="xterm", session=7))
    for packet in packets_recorded:
        assert chunker.feed(packet, BEGAN_NS) == []
    (encoded,) = chunker.flush()
    return encoded


def test_stop_2_message(line: bytes) -> None:
    assert line == (
        b'{"ver":"2.3","host":"web7","rec":"1f0c-1011-13dda","user":"ada","term":"xterm","session":7,"id":1,"pos":0,'
        b'"time":%d.%03d,"timing":"=80x24+1500>14]1/1>3","in_txt":"","in_bin":[],'
        b'"out_txt":"\\u001b[1mgr\xc3\xbc\xc3\x9fe\\u001b[0m \xef\xbf\xbd!\\r\\n","out_bin":[255]}'
        % divmod(BEGAN_NS // 1_000_000, 1000)
    )


# Stop 3. Datagram. recorder/ttyscribe_recorder/writers/syslog.py sends the line to the log socket.


@pytest.fixture(scope="module")
def datagram(line: bytes, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What arrives at the socket."""
    path = str(tmp_path_factory.mktemp("s") / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        writer = SyslogWriter(path)
        assert writer.write([line]) == 1
        writer.close()
        return listener.recv(65536)


def test_stop_3_datagram(datagram: bytes, line: bytes) -> None:
    assert re.fullmatch(rb"<86>[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} ttyscribe: " + re.escape(line), datagram)


# Stop 4. Envelope line. rsyslog/conf/ttyscribe.conf: attests the sender, stamps id and time, queues, hands over.


@pytest.fixture(scope="module")
def handed_over(datagram: bytes, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The line that a real rsyslogd, under the shipped configuration, hands to its program."""
    target = tmp_path_factory.mktemp("lines") / "lines"
    with Rsyslogd([sys.executable, str(EXAMPLE), str(target)]) as daemon:
        daemon.send([datagram])
        wait_until(lambda: target.exists() and target.read_bytes().endswith(b"\n"))
    return target.read_bytes().removesuffix(b"\n")


def test_stop_4_envelope_line(handed_over: bytes, line: bytes) -> None:
    outside = json.loads(handed_over)
    assert re.fullmatch(r"[0-9A-F]{32}", outside["id"])
    assert abs(timestamp.parse(outside["received"]) - time.time_ns()) < 600_000_000_000
    assert outside == {
        "v": 1,
        "id": outside["id"],
        "received": outside["received"],
        "time": outside["received"],
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


# Stop 5. Envelope. rsyslog/pyrsyslog_omprog reads the line, normalizers/ttyscribe_normalizers/envelope.py opens it.


@pytest.fixture(scope="module")
def seen(handed_over: bytes) -> envelope.Envelope:
    """What a kind sees."""
    return envelope.decode(handed_over)


def test_stop_5_envelope(seen: envelope.Envelope, handed_over: bytes, line: bytes) -> None:
    outside = json.loads(handed_over)
    assert seen.text == line.decode()
    assert (seen.program, seen.facility, seen.severity, seen.collector) == ("ttyscribe", "10", "6", "rsyslog")
    assert (seen.sender_uid, seen.sender_pid, seen.stable_id) == (os.getuid(), os.getpid(), outside["id"])
    assert seen.received_ns == seen.time_ns == timestamp.parse(outside["received"])


# Stop 6. Document. normalizers/ttyscribe_normalizers/kinds/tlog.py; its name is made by formats/.../identity.py.


@pytest.fixture(scope="module")
def document(seen: envelope.Envelope) -> Document:
    """What is to be stored; messages from our own uid are trusted, as root's are on a real host."""
    kind = Kind(kinds.Context(Trust({os.getuid()}, lambda uid: ""), lambda: "unused", "omprog", "0.1"))
    assert kind.accepts(seen)
    (made,) = kind.normalize(seen)
    return made


def test_stop_6_document(document: Document, seen: envelope.Envelope, line: bytes) -> None:
    message = tlog.canonical(tlog.decode(line))
    assert document["viaq_msg_id"] == f"tlog:{REC}:1:{blake2b(message, digest_size=8).hexdigest()}"
    assert document["@timestamp"] == timestamp.to_text(BEGAN_NS)
    assert (document["hostname"], document["level"], document["message"]) == ("web7", "info", TEXT)
    assert document["tlog"] == json.loads(line)
    assert document["ttyscribe"] == {
        "kind": "tlog",
        "partition": timestamp.to_text(BEGAN_NS)[:7].replace("-", "."),
        "received": timestamp.to_text(seen.received_ns),
        "lag_ms": (seen.received_ns - BEGAN_NS) // 1_000_000,
        "trust": "system",
        "recording": REC,
        "out_bytes": len(WRITTEN),
        "in_bytes": 0,
        "last_ms": 1500,
        "resizes": 0,
        "words": "grüsse",
        "sender_uid": os.getuid(),
        "sender_pid": os.getpid(),
    }


# Stop 7. Stored document. store/ttyscribe_store/sqlite.py creates it once; a second delivery changes nothing.


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The store's address."""
    return f"sqlite:{tmp_path_factory.mktemp('sqlite') / 'store'}"


@pytest.fixture(scope="module")
def store(url: str, document: Document) -> Iterator[Store]:
    """A store that was given the document twice."""
    made = open_store(url)
    made.setup()
    assert [made.write([document]), made.write([document])] == [[STORED], [DUPLICATE]]
    yield made
    made.close()


@pytest.fixture(scope="module")
def stored(document: Document, line: bytes) -> StoredMessage:
    """How readers get it."""
    partition = document["ttyscribe"]["partition"]
    return StoredMessage(
        document_id=document["viaq_msg_id"],
        tlog=json.loads(line),
        trust="system",
        sender_pid=os.getpid(),
        partition=partition,
        time_ns=BEGAN_NS,
        out_bytes=len(WRITTEN),
        last_ms=1500,
    )


def test_stop_7_stored_document(store: Store, stored: StoredMessage) -> None:
    assert [one.messages for one in store.counts()] == [1]
    assert list(store.messages(REC)) == [stored]


# Stop 8. Recording. store/ttyscribe_store/derive/row.py makes its row out of the stored messages.


def test_stop_8_recording(store: Store) -> None:
    row = Recording(
        recording=REC,
        user="ada",
        host="web7",
        term="xterm",
        session=7,
        start_ns=BEGAN_NS,
        duration_ms=1500,
        messages=1,
        first_id=1,
        last_id=1,
        distinct_ids=1,
        out_bytes=len(WRITTEN),
        in_bytes=0,
        resizes=0,
        trust="system",
        first_ns=BEGAN_NS,
        last_ns=BEGAN_NS + 1_500_000_000,
    )
    assert listed(store, RecordingFilter()) == [row]
    assert (row.missing, row.conflicts) == (0, 0)


# Stop 9. Hit. formats/ttyscribe_formats/words.py splits query and text alike; a hit is a place that can be played.


def test_stop_9_hit(store: Store, document: Document) -> None:
    (found,) = store.search(Query([words.words("GRÜSSE")], kind="tlog"))
    assert found == Hit(
        document_id=document["viaq_msg_id"],
        kind="tlog",
        time_ns=BEGAN_NS,
        host="web7",
        user="ada",
        recording=REC,
        first_ms=0,
        last_ms=1500,
        message=TEXT,
        typed="",
        trust="system",
        session=7,
    )
    assert place.format_place(place.Place(found.recording, found.first_ms)) == f"{REC}@0:00.000"


# Stop 10. Packets again. store/.../conflict.py says which message is true, formats/.../reading.py reads it.


def test_stop_10_packets_again(store: Store, stored: StoredMessage, packets_recorded: list[Packet]) -> None:
    (choice,) = choose(store.messages(REC))
    assert choice.message == stored
    assert list(packets([tlog.from_fields(choice.message.tlog)])) == packets_recorded


# Stop 11. Played bytes. player/ttyscribe_player writes what the program wrote.


def test_stop_11_played_bytes(store: Store, url: str) -> None:
    played = run("ttyscribe-play", "--store", url, f"{REC}@0:00.000")
    assert played.stdout == WRITTEN
    assert (played.returncode, played.stderr) == (0, b"")
