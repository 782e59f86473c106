# SPDX-License-Identifier: Apache-2.0
"""Transactions: what is deferred, what is durable, and what a death in between leaves (OMP-14)."""

from pathlib import Path

from tests.rsyslog.peer import Peer

BEGIN = b"BEGIN TRANSACTION"
COMMIT = b"COMMIT TRANSACTION"
OK = b"OK\n"
DEFERRED = b"DEFER_COMMIT\n"

KEEPER = """
class H(Handler):
    kept = []
    tries = 0
    def defer(self, data):
        if data.startswith(b"poison"):
            raise ValueError("no")
        if data == b"later":
            self.tries += 1
            if self.tries < 3:
                raise Retry(0.01, "not yet")
        self.kept.append(data)
        if data == b"full":
            self.commit()
            return False
        return True
    def commit(self):
        for data in self.kept:
            self.put(data)
        self.put(b"commit")
        self.kept = []
    def long_line(self, head, size):
        self.put(b"long %d" % size)
    def poison(self, data, error):
        self.put(b"aside " + data)
"""


def test_deferred_lines_are_durable_with_their_commit_and_not_before(tmp_path: Path) -> None:
    """OMP-14, OMP-17: a handler without a place that survives does nothing but keep them."""
    with Peer(tmp_path, KEEPER) as peer:
        assert peer.answer() == OK
        assert peer.ask(BEGIN) == OK
        assert [peer.ask(data) for data in (b"one", b"two")] == [DEFERRED] * 2
        assert peer.done() == []
        assert peer.ask(COMMIT) == OK
        assert peer.done() == [b"one", b"two", b"commit"]
        assert peer.ask(b"outside") == OK
        assert peer.done()[3:] == [b"outside"]
        assert peer.ask(BEGIN) == OK
        assert peer.ask(COMMIT) == OK
        assert peer.finish() == 0
        assert peer.done()[4:] == []


def test_a_handler_that_is_full_ends_the_transaction(tmp_path: Path) -> None:
    """`OK` inside a transaction: rsyslog sends a new BEGIN and no COMMIT."""
    with Peer(tmp_path, KEEPER) as peer:
        assert peer.answer() == OK
        assert peer.ask(BEGIN) == OK
        assert peer.ask(b"one") == DEFERRED
        assert peer.ask(b"full") == OK
        assert peer.done() == [b"one", b"full", b"commit"]
        assert peer.ask(BEGIN) == OK
        assert peer.ask(b"two") == DEFERRED
        assert peer.ask(COMMIT) == OK
        assert peer.done()[3:] == [b"two", b"commit"]


def test_what_came_before_poison_or_a_long_line_is_durable_first(tmp_path: Path) -> None:
    with Peer(tmp_path, KEEPER, "max_line=20") as peer:
        assert peer.answer() == OK
        assert peer.ask(BEGIN) == OK
        assert peer.ask(b"one") == DEFERRED
        assert peer.ask(b"poison") == OK
        assert peer.done() == [b"one", b"commit", b"aside poison"]
        assert peer.ask(BEGIN) == OK
        assert peer.ask(b"two") == DEFERRED
        assert peer.ask(b"x" * 21) == OK
        assert peer.done()[3:] == [b"two", b"commit", b"long 21"]
        assert peer.ask(b"outside") == OK
        assert peer.done()[6:] == [b"outside"]


def test_a_retry_inside_a_transaction(tmp_path: Path) -> None:
    with Peer(tmp_path, KEEPER) as peer:
        assert peer.answer() == OK
        assert peer.ask(BEGIN) == OK
        assert peer.ask(b"later") == DEFERRED
        assert peer.ask(COMMIT) == OK
        assert peer.done() == [b"later", b"commit"]


def test_the_end_of_the_input_inside_a_transaction_commits(tmp_path: Path) -> None:
    """rsyslog goes and may never send again what it was told is deferred."""
    with Peer(tmp_path, KEEPER) as peer:
        assert peer.answer() == OK
        assert peer.ask(BEGIN) == OK
        assert peer.ask(b"one") == DEFERRED
        assert peer.finish() == 0
        assert peer.done() == [b"one", b"commit"]


def test_a_commit_that_is_held_back_is_tried_under_dots(tmp_path: Path) -> None:
    code = """
class H(Handler):
    tries = 0
    def defer(self, data):
        return True
    def commit(self):
        self.tries += 1
        self.put(b"try")
        if self.tries < 4:
            raise Retry(0.1, "the store is down")
"""
    with Peer(tmp_path, code, "confirm_timeout=0.15") as peer:
        assert peer.answer().lstrip(b".") == OK
        assert peer.ask(BEGIN).lstrip(b".") == OK
        assert peer.ask(b"one").lstrip(b".") == DEFERRED
        answer = peer.ask(COMMIT)
        assert answer.startswith(b".")
        assert answer.strip(b".") == OK
        assert peer.done() == [b"try"] * 4


def test_a_commit_that_fails_leaves_its_answer_open(tmp_path: Path) -> None:
    """rsyslog then sends the whole batch again, which it does for nothing else."""
    code = """
class H(Handler):
    def defer(self, data):
        return True
    def commit(self):
        raise ValueError("a fault")
"""
    with Peer(tmp_path, code) as peer:
        assert peer.answer() == OK
        assert peer.ask(BEGIN) == OK
        assert peer.ask(b"one") == DEFERRED
        peer.send(COMMIT)
        assert peer.answer() == b""
        assert peer.status() == 1


def test_a_descriptor_wakes_the_handler(tmp_path: Path) -> None:
    """Work that ends elsewhere need not wait for a line or a time."""
    code = """
class H(Handler):
    def __init__(self, path):
        super().__init__(path)
        global WAKE
        self.fd = WAKE = os.eventfd(0, os.EFD_NONBLOCK)
    def line(self, data):
        self.put(data)
        os.eventfd_write(self.fd, 1)
    def idle(self):
        os.eventfd_read(self.fd)
        self.put(b"woken")

handler = H(sys.argv[1])
H = lambda path: handler
"""
    with Peer(tmp_path, code, "wake=handler.fd, idle_after=lambda: None") as peer:
        assert peer.answer() == OK
        assert peer.ask(b"one") == OK
        peer.wait_done([b"one", b"woken"])
        assert peer.ask(b"two") == OK
        peer.wait_done([b"one", b"woken", b"two", b"woken"])
        assert peer.finish() == 0
