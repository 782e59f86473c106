# SPDX-License-Identifier: Apache-2.0
"""A host's messages through its rsyslogd, RELP over TLS and the central rsyslogd into a store: what the host attests
arrives as it was stamped, and nobody else can say it (docs/contracts/envelope.md, REL).
"""

import base64
import contextlib
import json
import os
import pwd
import random
import re
import socket
import ssl
import stat
import subprocess
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority, Certificate, make_certificate
from tests.e2e.chain import Chain, program, wait
from tests.e2e.conftest import SQLITE, Place, stored_document
from tests.e2e.test_delivery import assert_all_stored_once
from tests.e2e.traffic import Ledger, datagram, messages, mixed
from tests.peers import require_program, require_root
from tests.rsyslog.daemon import CONF, send_as
from tests.rsyslog.journald import Journald
from tests.rsyslog.relay import CENTRAL, FAST_HOST, HOST, NAME, Centre, RelayHost, free_port, tls

pytestmark = pytest.mark.rsyslogd

FORGED = '{"v":1,"id":"mine","received":"2001-01-01T00:00:00Z","uid":"0","pid":"1","host":"h","msg":" forged"'
"""A line as host.conf would write it."""
AUDITED = (
    b'{"serial":880,"time":"2026-11-24T12:00:00.771+00:00","data":{"syscall":{"syscall":["execve","59"],'
    b'"success":["yes"],"pid":["1201"],"uid":["root","0"],"exe":["/usr/bin/echo"]},"execve":["echo","audited word"]}}'
)
STRANGERS = {
    '# module(load="imptcp")': 'module(load="imptcp")',
    '# input(type="imptcp" port="514" ruleset': 'input(type="imptcp" port="{port}" address="127.0.0.1" ruleset',
}


class Central(Chain):
    """The central host: its rsyslogd, program, spool and store."""

    def __init__(self, folder: Path, replace: dict[str, str] | None = None, own: dict[str, str] | None = None) -> None:
        self.spool = folder / "spool"

        def make(child: Sequence[str]) -> Centre:
            self.centre = Centre(folder, child, replace, own)
            return self.centre

        super().__init__(f"sqlite:{folder / 'store'}", folder, options=["--spool", str(self.spool)], daemon=make)

    def document(self, term: str) -> dict[str, Any]:
        """The document with this word, once it is stored, and its id."""
        found = self.wait_found(term).document_id
        return {**stored_document(Place(SQLITE, self.url, None, ""), found), "_id": found}


@pytest.fixture
def central(tmp_path: Path) -> Iterator[Central]:
    """A central host, running."""
    with Central(tmp_path) as made:
        yield made


def test_what_the_host_attests_arrives_as_it_was_stamped(central: Central) -> None:
    """REL-1: a recording's message, a plain one, one of 200 KB and bytes that are no UTF-8."""
    with RelayHost(central.centre) as host:
        host.send([datagram(messages("relayed", 1)[0]), datagram(b"plain word")])
        host.send([datagram(b"huge " + b'"quoted" ' * 22_000), datagram(b"latin caf\xe9 end")])
        recorded, plain = central.document("relayed line"), central.document("plain word")
        for one in (recorded, plain):
            assert one["ttyscribe"]["trust"] == ("system" if os.getuid() == 0 else "none")
            assert one["ttyscribe"]["sender_pid"] == os.getpid()
        assert plain["_id"].startswith("log:")
        assert plain["hostname"] == socket.gethostname()
        assert central.document("huge")["message"] == "huge " + '"quoted" ' * 22_000
        assert central.document("latin")["message"] == "latin caf\N{REPLACEMENT CHARACTER} end"
        assert central.dead() == []


def test_ids_and_times_are_those_of_the_hosts_first_reading(central: Central) -> None:
    """REL-1: the central rsyslogd is away meanwhile."""
    with RelayHost(central.centre) as host:
        central.centre.kill()
        before = time.time_ns()
        host.send([datagram(b"early word")])
        host.wait_read()
        between = time.time_ns()
        time.sleep(1)
        central.centre.start()
        stamped = central.document("early word")["@timestamp"]
    assert before // 10**9 * 10**9 <= _ns(stamped) <= between


def _ns(text: str) -> int:
    from ttyscribe_formats import timestamp

    return timestamp.parse(text)


@pytest.mark.root
def test_a_user_can_not_say_what_its_host_says(central: Central) -> None:
    """REL-2: whatever an ordinary user writes into its host's socket, its own uid and pid arrive."""
    require_root()
    uid = pwd.getpwnam("nobody").pw_uid
    with RelayHost(central.centre) as host:
        host.folder.chmod(0o755)
        lines = [
            FORGED.encode(),
            (FORGED + "}").encode(),
            b"<86>" + FORGED.encode(),
            b"<86>Nov 24 12:00:00 " + FORGED.encode(),
            datagram(FORGED.encode()),
            datagram(b'forged","uid":"0","pid":"1","id":"mine'),
            datagram(b'forged\n{"v":1,"uid":"0","pid":"1","id":"mine","msg":" forged"}'),
        ]
        pid = send_as(uid, host.socket, lines)
        central.wait_stored(len(lines))
        found = central.search("forged")
        assert len(found) == len(lines)
        for hit in found:
            document = stored_document(Place(SQLITE, central.url, None, ""), hit.document_id)
            assert document["ttyscribe"]["trust"] == "none"
            assert document["ttyscribe"]["sender_pid"] == pid
            assert "mine" not in hit.document_id
            assert not document["@timestamp"].startswith("2001")


def test_a_peers_other_messages_are_stamped_here_and_attested_by_nobody(central: Central) -> None:
    """REL-3: an ordinary rsyslog of an admitted host forwards what its users write, in any of the usual forms."""
    forms = ["RSYSLOG_ForwardFormat", "RSYSLOG_SyslogProtocol23Format", "RSYSLOG_TraditionalForwardFormat"]
    for number, form in enumerate(forms):
        host = RelayHost(central.centre, replace={'template="ttyscribe-line"\n': f'template="{form}"\n'})
        with host:
            host.send([datagram(FORGED.encode() + b" number%d" % number, ident="{")])
            document = central.document(f"number{number}")
        assert document["ttyscribe"]["trust"] == "none"
        assert "sender_pid" not in document["ttyscribe"]
        assert document["_id"] != "log:mine"


def test_strangers_are_taken_where_the_operator_says_so_and_not_believed(tmp_path: Path) -> None:
    """REL-3: a plain listener."""
    port = free_port()
    with Central(tmp_path, {old: new.format(port=port) for old, new in STRANGERS.items()}) as central:
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(f"{FORGED}\n<86>Nov 24 12:00:00 router sshd[1]: plain words\n".encode())
        for term in ("forged", "plain words"):
            document = central.document(term)
            assert document["ttyscribe"]["trust"] == "none"
            assert "sender_pid" not in document["ttyscribe"]
            assert document["_id"] != "log:mine"
        assert central.document("plain words")["hostname"] == "router"


def unwelcome(kind: str, central: Central, folder: Path) -> Certificate:
    """What a host shows that must not get in."""
    if kind == "wrong name":
        return central.centre.authority.sign("web7.elsewhere.example.com")
    if kind == "outdated":
        return central.centre.authority.sign("web8.hosts.example.com", days=-1)
    if kind == "signed by itself":
        return make_certificate(folder, "web7.hosts.example.com")
    return Authority(folder, "other").sign("web7.hosts.example.com")


@pytest.mark.parametrize("kind", ["wrong name", "outdated", "signed by itself", "of another authority"])
def test_a_peer_without_a_good_certificate_is_refused(central: Central, tmp_path: Path, kind: str) -> None:
    """REL-4; its messages wait at its own, and others are served meanwhile."""
    bad = RelayHost(central.centre, certificate=unwelcome(kind, central, tmp_path))
    with bad, RelayHost(central.centre) as good:
        bad.send([datagram(b"unwelcome")])
        bad.wait_read()
        wait(lambda: "omrelp" in bad.said(), bad.said)
        good.send([datagram(b"welcome")])
        central.wait_found("welcome")
        assert central.count() == 1
        assert json.dumps(central.search("unwelcome")) == "[]"


def test_who_shows_no_certificate_or_speaks_no_tls_is_refused(central: Central) -> None:
    """REL-4; nor does one that connects and says nothing hold anybody up."""
    plain = RelayHost(central.centre, replace={'tls="on"': 'tls="off"'})
    with socket.create_connection(("127.0.0.1", central.centre.relp)), plain, RelayHost(central.centre) as good:
        plain.send([datagram(b"unwelcome")])
        plain.wait_read()
        wait(lambda: "omrelp" in plain.said(), plain.said)
        good.send([datagram(b"welcome")])
        central.wait_found("welcome")
        assert central.count() == 1


_OFFER = b"relp_version=0\nrelp_software=x\ncommands=syslog"
OPEN = b"1 open %d %s\n" % (len(_OFFER), _OFFER)
HOSTILE = {
    "more than any message may have": OPEN + b"2 syslog 3000000 " + b"x" * 3_000_000 + b"\n",
    "a size that never comes": OPEN + b"2 syslog 999999999 xx",
    "a size below 0": OPEN + b"2 syslog -5 abc\n",
    "half a line of a host": OPEN + b'2 syslog 12 {"v":1,"id":\n',
    "no message": OPEN + b"2 syslog 0\n",
    "no greeting": b"1 syslog 5 hello\n",
    "a size beyond all numbers": b"999999999999 open 99999999999999999999 x\n",
    "noise": random.Random(1).randbytes(5000),
}


def test_an_admitted_host_gone_mad_holds_nobody_up(central: Central) -> None:
    """Broken RELP behind good certificates, and noise and silence without: the next host is served at once."""
    own = central.centre.authority.sign("mad.hosts.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(central.centre.authority.file)
    context.load_cert_chain(own.file, own.key)
    address = ("127.0.0.1", central.centre.relp)
    with contextlib.ExitStack() as stack:
        for number in range(60):
            connection = stack.enter_context(socket.create_connection(address, 20))
            connection.sendall(random.Random(number).randbytes(500 * (number % 2)))
        for data in HOSTILE.values():
            connection = socket.create_connection(address, 20)
            secured = stack.enter_context(context.wrap_socket(connection))
            with contextlib.suppress(OSError):  # it may be cut off in the middle
                secured.sendall(data)
        with RelayHost(central.centre) as good:
            good.send([datagram(b"welcome")])
            central.wait_found("welcome")
        assert central.count() == 1
        assert {dead["status"] for dead in central.dead()} <= {"too-long", "unparsable"}


def test_the_host_speaks_to_nobody_but_its_centre(central: Central, tmp_path: Path) -> None:
    """REL-4: a certificate of the right authority is not enough, it must have the centre's name."""
    name = 'tls.permittedPeer=["log.example.com"]'
    with RelayHost(central.centre, replace={name: name.replace("log", "other")}) as host:
        host.send([datagram(b"confidential")])
        host.wait_read()
        wait(lambda: "omrelp" in host.said(), host.said)
        assert central.count() == 0


@pytest.mark.root
def test_a_hosts_journal_comes_with_all_that_journald_knows(central: Central) -> None:
    """A recording through the journal, lines of two programs, a forged sender, an audit event."""
    with Journald() as journald, RelayHost(central.centre, journald=journald) as host:
        recorder = [program("ttyscribe-rec"), "--writer=journal", "--", "echo", "recorded word"]
        journald.run(*recorder)
        journald.run("systemd-cat", "-t", "unit", "-p", "warning", "echo", "plain word")
        journald.send({"MESSAGE": b"two\nlines, forged word", "_UID": b"4711", "PRIORITY": b"3", "ttyscribe": b"x"})
        journald.send({"MESSAGE": AUDITED, "SYSLOG_IDENTIFIER": b"aushape", "PRIORITY": b"6"})
        recorded, plain, forged = map(central.document, ("recorded word", "plain word", "forged word"))
        assert central.document("audited word")["aushape"]["serial"] == 880
        (entry,) = journald.entries(f"_PID={recorded['ttyscribe']['sender_pid']}", "TLOG_ID=1")
        assert recorded["tlog"]["rec"] == entry["TLOG_REC"]
        assert {one["ttyscribe"]["trust"] for one in (recorded, plain, forged)} == {"system"}
        assert (plain["level"], forged["level"]) == ("warning", "err")
        assert forged["message"] == "two\nlines, forged word"
        assert forged["ttyscribe"]["sender_pid"] == os.getpid()
        assert plain["systemd"]["t"]["TRANSPORT"] == "stdout"
        assert host.stop() == 0
    assert central.dead() == []


def test_certificates_made_by_the_readmes_lines_serve(tmp_path: Path) -> None:
    """Its commands as they stand; the keys are their owner's alone."""
    require_program("openssl")
    text = (CONF.parent / "README.md").read_text().replace("\\\n", "")
    authority, each = re.findall(r"^    openssl req -x509.*$|^    name=(?:.*\n    )+.*$", text, re.MULTILINE)
    made: dict[str, str] = {}
    for name in (NAME, "web7.hosts.example.com"):
        lines = textwrap.dedent(each).replace("name=web7.hosts.example.com", f"name={name}")
        first = "" if made else authority
        subprocess.run(["sh", "-ec", f"umask 022; {first}\n{lines}"], cwd=tmp_path, check=True, capture_output=True)
        for file in ("cert", "key"):
            made[f"{name} {file}"] = str((tmp_path / f"{file}.pem").rename(tmp_path / f"{name}.{file}"))
        assert stat.S_IMODE(Path(made[f"{name} key"]).stat().st_mode) == 0o600
    certificates = {
        name: Certificate(made[f"{name} cert"], made[f"{name} key"]) for name in (NAME, "web7.hosts.example.com")
    }
    ca = str(tmp_path / "ca.pem")
    with Central(tmp_path, own=tls(ca, certificates[NAME])) as central:
        host = RelayHost(central.centre, certificate=certificates["web7.hosts.example.com"], authority=ca)
        with host:
            host.send([datagram(b"by our own certificates")])
            central.wait_found("by our own certificates")


@pytest.mark.root
def test_what_is_too_large_for_all_of_it_is_kept_aside_and_holds_nothing_up(central: Central) -> None:
    """Any user can log 5 MB to the journal; a host's line of more than 2 MiB is cut, and no JSON any more."""
    with Journald() as journald, RelayHost(central.centre, journald=journald):
        large = "head -c 5000000 /dev/zero | tr '\\0' x"
        journald.run(program("ttyscribe-rec"), "--writer=journal", "--payload=6000000", "--", "sh", "-c", large)
        journald.run("logger", "-u", "/run/systemd/journal/dev-log", "behind it")
        central.wait_found("behind it")
        assert any(b"xxxx" in base64.b64decode(dead["raw"]) for dead in central.dead())
        assert {dead["status"] for dead in central.dead()} == {"too-long"}


def test_the_faster_host_arrives_too(central: Central) -> None:
    with RelayHost(central.centre, sample=FAST_HOST) as host:
        host.send([datagram(b"plain word")])
        assert central.document("plain word")["ttyscribe"]["sender_pid"] == os.getpid()
        assert host.stop() == 0


@pytest.mark.parametrize("sample", [CENTRAL, HOST, FAST_HOST], ids=lambda path: path.stem)
def test_the_shipped_files_pass_rsyslogds_own_check(central: Central, tmp_path: Path, sample: Path) -> None:
    """With certificates in their places."""
    text = sample.read_text()
    authority = central.centre.authority
    for old, new in tls(authority.file, authority.sign("x.hosts.example.com")).items():
        text = text.replace(old, new)
    conf = tmp_path / "rsyslog.conf"
    conf.write_text(text)
    command = [require_program("rsyslogd"), "-N1", "-f", str(conf)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "config validation run" not in line] == []


def test_a_hosts_broken_line_is_kept_and_holds_nothing_up(central: Central) -> None:
    """A template gone wrong on one host; it is in the dead letter, byte for byte."""
    broken = {'constant(value="\\"")\n}\ntemplate(name="ttyscribe-entry"': '}\ntemplate(name="ttyscribe-entry"'}
    with RelayHost(central.centre, replace=broken) as host, RelayHost(central.centre) as good:
        host.send([datagram(b"cut off")])
        wait(central.dead, central.said)
        good.send([datagram(b"behind it")])
        central.wait_found("behind it")
    (dead,) = central.dead()
    raw = base64.b64decode(dead["raw"])
    assert raw.startswith(b'{"v":1,"id":"')
    assert b'"msg":" cut off,"from":"127.0.0.1"' in raw


def test_a_stop_during_an_outage_loses_what_was_on_the_way_and_no_more(central: Central) -> None:
    """RELP's limit in rsyslog: two messages at most, where one is sent at a time."""
    count = 200
    with RelayHost(central.centre) as host:
        host.send([datagram(b"before")])
        central.wait_found("before")
        central.centre.kill()
        host.send(datagram(b"number %d" % number) for number in range(count))
        host.wait_read()
        wait(lambda: "omrelp" in host.said(), host.said)
        assert host.stop_or_kill(after=3)  # as systemd does
        host.start()
        central.centre.start()
        central.wait_found(f"number {count - 1}")
        assert len(central.search("number")) >= count - 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_outages_and_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """The centre away for 10 s; rsyslogd and program killed there; the host's rsyslogd killed while it can send."""
    ledger = Ledger()
    traffic = list(mixed(3000, ledger))
    bursts = [traffic[start : start + 500] for start in range(0, 3000, 500)]
    with Central(tmp_path) as central, RelayHost(central.centre) as host:
        host.send(bursts[0])
        wait(lambda: central.count() > 100, central.said)
        central.centre.kill()
        host.send(bursts[1])
        time.sleep(10)
        central.centre.start()
        host.send(bursts[2])
        wait(lambda: central.count() > 750 and central.centre.kill_child(), central.said)
        host.send(bursts[3])
        wait(lambda: central.count() > 1250, central.said)
        central.centre.kill()
        central.centre.start()
        host.send(bursts[4])
        wait(lambda: central.count() > 1750, central.said)
        host.wait_read()
        host.kill()
        host.start()
        host.send(bursts[5])
        central.wait_stored(ledger.total, timeout=120)
        assert_all_stored_once(central, ledger)
        assert central.dead() == []
        assert (central.centre.stop(), host.stop()) == (0, 0)
        assert central.count() == ledger.total
