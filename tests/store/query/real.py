# SPDX-License-Identifier: Apache-2.0
"""Documents of all kinds, as captured lines became them, and what is derived of a session; and queries over them."""

import json
from pathlib import Path
from typing import Any

from tests.store.samples import documents, make_recording
from ttyscribe_store.derive.derivation import derived
from ttyscribe_store.memory import MemoryStore

GOLDEN = Path(__file__).parents[2] / "normalizers" / "golden"
SESSION = (
    *(b"ada@web7:~$ ", b"cat /etc/shadow", b"\r\n", b"cat: /etc/shadow: Permission denied\r\nada@web7:~$ "),
    *(b"sudo rm -rf /srv/data", b"\r\n", b"[sudo] password for ada: ", b"\r\n", "日本語 müller\r\n".encode()),
    *(b"\x1b[?1049han editor's screen", b"\x1b[?1049l", b"ada@web7:~$ ", b"exit", b"\r\n"),
)


def corpus() -> list[Any]:
    """The documents, each once."""
    found: dict[str, Any] = {}
    for path in sorted(GOLDEN.glob("*/*.out.json")):
        if path.parent.name != "viaq":  # another profile's documents
            found |= {document["viaq_msg_id"]: document for document in json.loads(path.read_text())["documents"]}
    store = MemoryStore()
    facts = documents(make_recording("rec-real", SESSION))
    store.write(facts)
    made = [*facts, *derived("rec-real", store.messages("rec-real"))]
    return [*found.values(), *made]


CASES: dict[str, int] = {
    # who and where
    "user:ada": -1,
    "user:user1": -1,
    "user:root kind:aushape": -1,
    "user:eve": 3,
    "user:ada kind:sudo": 35,
    'user~"^(eve|root)$"': -1,
    "user:*1": -1,
    "!user:* kind:audit-line": -1,
    "host:vm": -1,
    "host:web*": -1,
    'host~"^node[0-9]"': -1,
    "!host:vm !host:web7": -1,
    # kinds
    "kind:aushape": 39,
    "kind:sudo": 46,
    "kind:audit-line": 85,
    "kind:journal": 7,
    "kind:tlog": -1,
    "kind:command": -1,
    "kind:line": -1,
    "kind:recording": 1,
    "kind:*log*": -1,
    "kind:nothing": 0,
    # recordings and sessions
    "rec:rec-real": -1,
    "rec:7e7c1b9ec83d4d6a86292033654aaee2-5af-3649e": 1,
    "rec:7e7c1b9ec83d*": -1,
    'rec~"-[0-9a-f]{5}$"': -1,
    "session:23": -1,
    "session:23 kind:aushape": 28,
    "session:7 kind:recording": 1,
    "session:4294967295": -1,
    # what was run, touched, reached
    "cmd:shadow": 1,
    'cmd:"rm -rf"': 1,
    "cmd:*srv/da*": 1,
    'cmd~"^(sudo|cat) "': 2,
    'cmd~"[0-9]{4}"': 0,
    "path:/etc/shadow": 1,
    "path:/usr/bin/ps": -1,
    "path:/etc/* OR path:/tmp/*": -1,
    'path~"\\.so\\.[0-9]$"': -1,
    "path:*x86*": -1,
    "!path:* kind:aushape": -1,
    "exe:/usr/bin/ssh": -1,
    "exe:*/sshd ip:192.0.2.7": -1,
    'exe~"/s?bin/(ls|sh)$"': -1,
    "ip:192.0.2.0/24": -1,
    "ip:2001:db8::/32": -1,
    "ip:127.0.0.1 kind:sudo": 7,
    "!ip:::/0 kind:sudo": 39,
    # urgency, trust, time
    "level:alert": -1,
    "level:warning OR level:crit": -1,
    "!level:notice kind:sudo": 14,
    "trust:none": -1,
    "trust:system !kind:audit-line": -1,
    "since:2026-11-24T00:00:00Z": -1,
    "until:2018-03-01T00:00:00Z": -1,
    "since:2026-11-24T12:00:00Z until:2026-11-24T12:00:03Z kind:tlog": -1,
    # words and lines
    "shadow": -1,
    '"permission denied"': -1,
    "/etc/shadow": -1,
    '"*ermission den*"': 1,
    '"*editor\'s scr*"': 1,
    'line~"(müller|日本)"': 1,
    'line~"^cat: .*denied$"': 1,
    'line:"permission denied"': 1,
    "日本語": -1,
    "müller": -1,
    "echo héllo": -1,
    "sshd !kind:audit-line": -1,
    "password OR passwd": -1,
    "(session:23 exe:/usr/bin/ps) OR (kind:sudo level:alert)": -1,
    "!(kind:audit-line OR kind:aushape OR kind:sudo)": -1,
    "(!user:ada !kind:line) (host:vm OR trust:none)": -1,
}
"""By how many documents each finds; -1: some, as the store in memory counts them."""
