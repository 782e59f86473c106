# SPDX-License-Identifier: Apache-2.0
"""A small corpus and queries over it, with what each finds: every store has to find the same.

The documents are numbered; a hit is told by its number.
"""

from typing import Any

from tests.store.samples import MS, START_NS, make_syslog, make_tlog
from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document
from ttyscribe_formats.words import joined

HOUR_NS = 3600 * 1_000_000_000
LONG = "a" * 70
HOSTILE = 'x" OR *:* \\ [a-z]{2} \u202e'


def _tlog(number: int, text: str, hour: int, **fields: Any) -> Document:
    return make_tlog(number, text, time_ms=(START_NS + hour * HOUR_NS) // MS, **fields)


def corpus() -> dict[int, Document]:
    """The documents by their numbers."""
    found = {
        1: _tlog(1, "$ cat /etc/shadow", 0, rec="alpha", user="ada", host="web7"),
        2: _tlog(2, "cat: /etc/shadow: Permission denied", 0, rec="alpha", user="ada", host="web7", pos=1000),
        3: _tlog(3, "STRASSE müller 日本語 my_var=4711 " + LONG, 1, rec="alpha", user="ada", host="web7", pos=2000),
        4: _tlog(1, "rm -rf /srv/data", 2, rec="beta", user="bob", host="db1", session=9, trust="user", pid=77),
        5: _tlog(2, "denied? no. done", 3, rec="beta", user="bob", host="db1", session=9, trust="none", pid=-1),
        6: _tlog(1, "sudo su -", 4, rec="gamma", user="carl.l", host="db2.example.com", session=4294967295),
        7: _tlog(1, "hello", 5, rec=HOSTILE[:12], user=HOSTILE, host="h*st?"),
        8: make_syslog(8, "sshd: session opened for ada", host="web7", time_ns=START_NS + 6 * HOUR_NS, audit_session=7),
        9: make_syslog(9, "kernel: denied by policy", host="db1", time_ns=START_NS + 31 * timestamp.DAY),
        10: make_syslog(10, "", host="", time_ns=START_NS + 32 * timestamp.DAY),
    }
    for number, more in _EVENTS.items():
        event = make_syslog(number, "an event", host="web7", time_ns=START_NS + 33 * timestamp.DAY + number * 1000)
        event["ttyscribe"] |= {"kind": "aushape", "trust": "system", "audit_session": number}
        found[number] = event | more  # type: ignore[assignment]
    for number, level in ((2, "err"), (4, "notice"), (8, "info"), (9, "warning")):
        found[number]["level"] = level
    found[10]["ttyscribe"]["words"] = joined("")
    return found


_EVENTS: dict[int, dict[str, Any]] = {
    11: {
        "user": {"name": "root", "audit": {"name": "zoe"}},
        "process": {"executable": "/usr/bin/cat"},
        "file": {"path": ["/usr/bin/cat", "/etc/shadow"]},
    },
    12: {
        "user": {"name": "eve"},
        "process": {"executable": "/usr/bin/ssh"},
        "destination": {"ip": "10.1.2.3"},
        "file": {"path": ["/home/eve/.ssh/id_ed25519"]},
    },
    13: {"process": {"executable": "/usr/sbin/sshd"}, "source": {"ip": "fe80::1"}, "destination": {"ip": "10.9.9.9"}},
    14: {"file": {"path": ["/" + "a" * 9000, "relative *name?"]}},
}
EVENTS = set(_EVENTS)
TLOG = {1, 2, 3, 4, 5, 6, 7}
ALL = {*TLOG, 8, 9, 10, *EVENTS}
AT = timestamp.to_text(START_NS + 2 * HOUR_NS)

CASES: dict[str, set[int]] = {
    # words
    "": ALL,
    "denied": {2, 5, 9},
    "DENIED": {2, 5, 9},
    "den": set(),
    "shadow": {1, 2},
    "cat shadow": {1, 2},
    "cat AND shadow": {1, 2},
    "shadow cat": {1, 2},
    '"cat shadow"': set(),
    '"etc shadow"': {1, 2},
    "/etc/shadow": {1, 2},
    "/shadow/etc": set(),
    '"permission denied"': {2},
    '"denied permission"': set(),
    '"Permission, DENIED!"': {2},
    "straße": {3},
    "Strasse": {3},
    "müller": {3},
    "mu\u0308ller": {3},
    "muller": set(),
    "日本語": {3},
    "日本": set(),
    "my_var": {3},
    "my": set(),
    "var": set(),
    "4711": {3},
    "\uff14\uff17\uff11\uff11": {3},
    LONG: {3},
    LONG[:64]: {3},
    LONG[:63]: set(),
    "rm -rf": {4},
    '"rm -rf"': {4},
    "rf rm": {4},
    '"rf rm"': set(),
    "-rf": {4},
    "sudo su": {6},
    "or": set(),
    '"OR"': set(),
    "nothing": set(),
    # operators
    "denied OR hello": {2, 5, 7, 9},
    "hello OR denied OR sudo": {2, 5, 6, 7, 9},
    "denied permission OR hello": {2, 7},
    "hello OR denied permission": {2, 7},
    "(hello OR denied) kind:tlog": {2, 5, 7},
    "denied !permission": {5, 9},
    "denied NOT permission": {5, 9},
    "!denied": ALL - {2, 5, 9},
    "NOT NOT denied": {2, 5, 9},
    "!(denied OR hello)": ALL - {2, 5, 7, 9},
    "!(denied permission)": ALL - {2},
    "denied !(host:db1 OR host:web7)": set(),
    "!denied !hello kind:tlog": {1, 3, 4, 6},
    "denied OR !kind:tlog": {2, 5, 8, 9, 10, *EVENTS},
    "((denied))": {2, 5, 9},
    "!nothing": ALL,
    # users
    "user:ada": {1, 2, 3},
    "user:Ada": set(),
    'user:"ada"': {1, 2, 3},
    "user:ad": set(),
    "user:a*": {1, 2, 3},
    "user:*a": {1, 2, 3},
    "user:*": TLOG | {11, 12},
    "user:**": TLOG | {11, 12},
    "user:*d*": {1, 2, 3},
    "user:c*l": {6},
    "user:carl.l": {6},
    "user:carl?l": set(),
    "user:c*.*l": {6},
    "user:*l*l": {6},
    "user:*ll": set(),
    "!user:ada": ALL - {1, 2, 3},
    "!user:*": {8, 9, 10, 13, 14},
    "user:ada OR user:bob": {1, 2, 3, 4, 5},
    "user:ada user:bob": set(),
    'user~"^(ada|bob)$"': {1, 2, 3, 4, 5},
    'user~"ad"': {1, 2, 3},
    'user~"^d"': set(),
    'user~"a$"': {1, 2, 3},
    'user~"^[a-b]"': {1, 2, 3, 4, 5},
    'user~"^[^a]"': {4, 5, 6, 7, 11, 12},
    'user~"."': TLOG | {11, 12},
    'user~""': TLOG | {11, 12},
    'user~"a.a"': {1, 2, 3},
    'user~"a{1,2}d"': {1, 2, 3},
    'user~"(b|c)(o|a)+"': {4, 5, 6},
    'user~"carl\\.l"': {6},
    'user~"carl\\\\.l"': {6},
    'user~"\\\\w+\\\\.\\\\w"': {6},
    'user~"\\\\d"': {7},
    'user~"\\\\s"': {7},
    'user~"\\\\*:\\\\*"': {7},
    'user~"\\""': {7},
    'user~"ad?a"': {1, 2, 3},
    # hosts
    "host:web7": {1, 2, 3, 8, *EVENTS},
    "host:db1": {4, 5, 9},
    "host:db*": {4, 5, 6, 9},
    "host:*.example.com": {6},
    'host:"h*st?"': {7},
    "host:h*st?": {7},
    "host:hxst?": set(),
    "host:h\\*st?": set(),
    "!host:db*": ALL - {4, 5, 6, 9},
    'host~"db[0-9]"': {4, 5, 6, 9},
    'host~"^db[0-9]$"': {4, 5, 9},
    'host~"\\\\."': {6},
    # kinds, recordings, sessions
    "kind:tlog": TLOG,
    "kind:syslog": {8, 9, 10},
    "kind:*log": ALL - EVENTS,
    "kind:other": set(),
    "rec:alpha": {1, 2, 3},
    "rec:*ta": {4, 5},
    "!rec:*": {8, 9, 10, *EVENTS},
    'rec~"^(al|be)"': {1, 2, 3, 4, 5},
    "session:7": {1, 2, 3, 7, 8},
    "session:9": {4, 5},
    "session:4294967295": {6},
    "session:1": set(),
    "!session:7": {4, 5, 6, 9, 10, *EVENTS},
    "session:7 kind:syslog": {8},
    # levels and trust
    "level:err": {2},
    "level:ERR": {2},
    "level:warning OR level:notice": {4, 9},
    "!level:info": {2, 4, 9},
    "trust:system": {1, 2, 3, 6, 7, *EVENTS},
    "trust:user": {4},
    "trust:none": {5, 8, 9, 10},
    "!trust:system kind:tlog": {4, 5},
    # times
    f"since:{AT}": {4, 5, 6, 7, 8, 9, 10, *EVENTS},
    f"until:{AT}": {1, 2, 3},
    f"since:{AT} until:{AT}": set(),
    f"!since:{AT}": {1, 2, 3},
    f"since:{AT} kind:syslog": {8, 9, 10},
    f"until:{AT} OR kind:syslog": {1, 2, 3, 8, 9, 10},
    # audit events
    "kind:aushape": EVENTS,
    "path:/etc/shadow": {11},
    "path:/etc": set(),
    "path:/etc/*": {11},
    "path:*/.ssh/*": {12},
    "path:*": {11, 12, 14},
    "!path:*": ALL - {11, 12, 14},
    "path:/aaa*": set(),
    'path:"relative *name?"': {14},
    "path:relative*": {14},
    'path~"^/etc/(shadow|passwd)$"': {11},
    'path~"id_(rsa|ed25519)"': {12},
    "path:/usr/bin/cat path:/etc/shadow": {11},
    "path:/etc/shadow OR exe:*/ssh": {11, 12},
    "exe:/usr/bin/cat": {11},
    "exe:*/ssh*": {12, 13},
    'exe~"s?bin/ssh"': {12, 13},
    "exe:/bin/ls": set(),
    "ip:10.1.2.3": {12},
    "ip:10.0.0.0/8": {12, 13},
    "ip:fe80::/10": {13},
    "ip:::ffff:10.1.2.3": {12},
    "ip:11.0.0.0/8": set(),
    "ip:::/0": {12, 13},
    "!ip:::/0": ALL - {12, 13},
    "user:eve": {12},
    "user:zoe": {11},
    "user:root kind:aushape": {11},
    "session:12": {12},
    # what no document has
    "cmd:ls": set(),
    "cmd:*": set(),
    "cmd:*shadow*": set(),
    "*shadow*": set(),
    "line:shadow": set(),
    'line~"shadow"': set(),
    "!line:*shadow*": ALL,
    # together
    "user:ada (denied OR host:web7) !level:err since:2026-11-24T00:00:00Z": {1, 3},
    "trust:system denied OR trust:none denied": {2, 5, 9},
}
