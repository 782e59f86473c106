# SPDX-License-Identifier: Apache-2.0
"""Documents and queries at random find the same on every store; so do the largest queries that are taken."""

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.query.corpus import corpus
from tests.store.samples import MS, START_NS, make_syslog, make_tlog
from ttyscribe_formats import timestamp
from ttyscribe_formats.words import joined
from ttyscribe_store import sqlite_search
from ttyscribe_store.base import STORED, Query, Store
from ttyscribe_store.memory import MemoryStore
from ttyscribe_store.open import open_store
from ttyscribe_store.query.nodes import Node
from ttyscribe_store.query.parser import parse

WORDS = (
    "root",
    "Straße",
    "STRASSE",
    "e\u0301tat",
    "\ufb01le",
    "日本語",
    "a_b",
    "x" * 70,
    "İstanbul",
    "Σίσυφος",
    "½",
    "\0a",
)
PATHS = ("/etc/shadow", "/etc/passwd", "/etc", "/home/ada/x*y", "/a\\b", "/é", "relative", "/etc/shadow\n", "")
PEOPLE = ("ada", "bob", "Ada", 'a"b', "a*", "\u202e", "")
ADDRESSES = ("10.0.0.1", "10.0.1.1", "fe80::1", "::ffff:10.0.0.1", "::1")
TEXTS = ("cat /etc/shadow", "rm -rf /srv", "Straße 7", "日本語 日本語", "aXbXc", "tab\there", "x" * 90)

ATOMS = (
    *WORDS[:8],
    *(
        '"root a_b"',
        '"日本語 root"',
        '"file"',
        "strasse",
        "état",
        "istanbul",
        "σίσυφοσ",
        "1",
        '"1\u20442"',
        "x" * 64,
        "a",
    ),
    *("user:ada", "user:a*", "user:*", 'user~"^[aA]d"', 'user:"a*"', 'user:"a\\"b"', 'user~"\u202e"', "user:nobody"),
    *("host:h1", "host:h*", 'host~"[12]$"', "kind:tlog", "kind:line", "kind:aushape", "kind:*s*", "rec:r1", "rec:*"),
    *("session:7", "session:8", "level:info", "level:err", "trust:system", "trust:user", "trust:none"),
    *("path:/etc/shadow", "path:/etc/*", "path:*a*", "path:*", 'path~"^/etc/(shadow|passwd)$"', 'path~"\\*"'),
    *('path~"\\\\\\\\"', 'path~"/.$"', "exe:/bin/cat", "exe:*/bin/*", 'exe~"c[a-c]t"'),
    *("ip:10.0.0.0/24", "ip:10.0.0.1", "ip:::/0", "ip:fe80::/16", "ip:::1"),
    *("*shadow*", "*etc*", '"*rf /s*"', "*日本語*", "*aXb*c*", "cmd:cat*", "cmd:*sr*srv*", "cmd:shadow", "line:straße"),
    *('line~"[0-9]"', 'line~"^x+$"', 'cmd~"(cat|rm) "', 'line~"本.*本"', 'line~"\\t"', 'line~"a.b"'),
    *(f"since:{START_NS + 40 * MS}", f"until:{START_NS + 80 * MS}", f"since:{START_NS + 32 * timestamp.DAY}"),
)


def one(chance: random.Random, number: int) -> Any:
    """A document of any kind; few values, so that queries find some."""
    text = " ".join(chance.choices(WORDS, k=chance.randint(0, 3)))
    time_ns = START_NS + chance.choice((0, 0, 33 * timestamp.DAY)) + chance.randint(0, 120) * MS
    host, user = chance.choice(("h1", "h2", "db")), chance.choice(PEOPLE)
    kind = chance.choice(("tlog", "syslog", "aushape", "line", "command"))
    rec, trust = chance.choice(("r1", "r2")), chance.choice(("system", "user", "none"))
    if kind == "tlog":
        return make_tlog(number, text, rec=rec, user=user, host=host, time_ms=time_ns // MS, pos=number, trust=trust)
    document: Any = make_syslog(number, text, host=host, time_ns=time_ns)
    document["level"] = chance.choice(("info", "err"))
    document["ttyscribe"] |= {"kind": kind, "trust": trust}
    if kind in ("line", "command"):
        content = chance.choice(TEXTS)
        document["ttyscribe"] |= {"recording": rec, "words": joined(content)}
        return document | {kind: {"text": [content], "user": user}}
    if kind == "aushape":
        document["ttyscribe"]["audit_session"] = chance.choice((7, 8))
        document |= {"file": {"path": chance.sample(PATHS, k=chance.randint(0, 3))}}
        document |= {"process": {"executable": chance.choice(("/bin/cat", "/usr/bin/ssh"))}}
        document |= {"user": {"name": user, "audit": {"name": chance.choice(PEOPLE)}}}
        document |= {"source": {"ip": chance.choice(ADDRESSES)}, "destination": {"ip": chance.choice(ADDRESSES)}}
    return document


def query(chance: random.Random, depth: int = 3) -> str:
    """A query of any shape."""
    shape = chance.randint(0, 5) if depth else 0
    if shape <= 1:
        return chance.choice(ATOMS)
    if shape == 2:
        return f"!{query(chance, 0)}" if chance.random() < 0.5 else f"!({query(chance, depth - 1)})"
    parts = (query(chance, depth - 1) for _ in range(chance.randint(2, 3)))
    return f"({(' ' if shape <= 4 else ' OR ').join(parts)})"


def filled(store: Store, documents: list[Any]) -> Store:
    """The store with these documents."""
    store.setup()
    assert store.write(documents) == [STORED] * len(documents)
    store.refresh()
    return store


def ids(store: Store, tree: Node) -> list[str]:
    """What it finds."""
    return [hit.document_id for hit in store.search(Query(where=tree))]


def differences(store: Store, plain: Store, queries: list[str]) -> dict[str, Any]:
    """Where the two differ."""
    trees = {text: parse(text, int) for text in queries}
    found = {text: (ids(store, tree), ids(plain, tree)) for text, tree in trees.items()}
    return {text: both for text, both in found.items() if both[0] != both[1]}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(0, 1), st.sampled_from([1, 5, 1000]))
def test_memory_and_sqlite(seed: int, few: int, size: int) -> None:
    chance = random.Random(seed)
    documents = [one(chance, number) for number in range(1, 13)]
    before = sqlite_search._FEW, sqlite_search._SLICE, sqlite_search._LONGEST_SLICE
    with tempfile.TemporaryDirectory() as folder:
        store = filled(open_store(f"sqlite:{folder}/store"), documents)
        plain = filled(MemoryStore(), documents)
        try:
            sqlite_search._FEW, sqlite_search._SLICE, sqlite_search._LONGEST_SLICE = few * 1000, size, size
            assert differences(store, plain, [query(chance) for _ in range(25)]) == {}
        finally:
            sqlite_search._FEW, sqlite_search._SLICE, sqlite_search._LONGEST_SLICE = before
        store.close()


@pytest.mark.engine
@pytest.mark.parametrize("seed", [1, 2])
def test_engines(engine_url: str, seed: int) -> None:
    chance = random.Random(seed)
    documents = [one(chance, number) for number in range(1, 60)]
    store, plain = filled(open_store(engine_url), documents), filled(MemoryStore(), documents)
    assert differences(store, plain, [*(f"!{atom}" for atom in ATOMS), *(query(chance) for _ in range(120))]) == {}
    store.close()


# ---- the largest

LARGEST = (
    " ".join(f"word{number}" for number in range(500)),
    " OR ".join(f"user:u{number}" for number in range(499)) + " OR user:ada",
    " ".join(["denied"] * 500),
    " ".join(f"!user:u{number}" for number in range(250)),
    "!" * 12 + "denied",
    "".join(f"(x{number} OR user:u{number} " for number in range(12)) + "denied" + ")" * 12,
    "".join(f"!(x{number} OR !path:p{number} " for number in range(5)) + "denied" + ")" * 5,
    "user:" + "*".join("abcdefghijklmnop"),
    "user:*a" + "*" * 14,
    'cmd:"*' + "*".join(f"some longer text {number}" for number in range(14)) + '*"',
    " OR ".join(f"ip:10.{number}.0.0/16" for number in range(256)),
    " OR ".join(f'path~"^/[a-z]{{2,9}}/(shadow|p{number}).*[0-9]?$"' for number in range(40)),
    f'user~"{"a" * 200}"',
    'line~"' + "(a|b)" * 90 + '"',
    'line~"[a-z]{250}"',
    'user~"(a|d)*"',
    f'"{"x " * 4000}"',
    "x" * 10_000,
    'user:"' + "y" * 8191 + '"',
)


def largest(store: Store) -> None:
    """Each of them, against the store in memory."""
    documents = list(corpus().values())
    plain = filled(MemoryStore(), documents)
    assert differences(filled(store, documents), plain, list(LARGEST)) == {}
    store.close()


def test_the_largest_queries_on_sqlite(tmp_path: Path) -> None:
    largest(open_store(f"sqlite:{tmp_path}/store"))


@pytest.mark.engine
def test_the_largest_queries_on_engines(engine_url: str) -> None:
    largest(open_store(engine_url))
