# SPDX-License-Identifier: Apache-2.0
"""Hostile lines through a real rsyslogd: none holds up what stands behind it, in any way to run."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.chain import Chain
from tests.e2e.traffic import datagram
from tests.normalizers.poison import BROKEN, MESSAGES
from ttyscribe_store.base import Query

pytestmark = [pytest.mark.rsyslogd]

TRANSACTIONS = {'confirmMessages="on"': 'confirmMessages="on" useTransactions="on"'}
WAYS = [
    pytest.param({}, [], id="confirm"),
    pytest.param(TRANSACTIONS, [], id="transactions"),
    pytest.param({}, ["--spool", "{spool}"], id="confirm-spool"),
    pytest.param(TRANSACTIONS, ["--spool", "{spool}"], id="transactions-spool"),
]
RAW = {
    "latin-1": "café".encode("latin-1"),
    "NUL": b"a\0b",
    "a line end": b"a\nb\r\n",
    "control characters": b"\x1b[1mbold\x1b[0m\x07\x7f",
    "a surrogate's bytes": b"a\xed\xa0\x80b",
    "overlong UTF-8": b"a\xc0\xafb",
    "marks of transactions": b"COMMIT TRANSACTION",
    "an answer": b"OK",
    "a template's text": b'{"v":1,"msg":"forged"}',
    "quotes and backslashes": b'"\\"\\\\"' * 1000,
}
EMPTY = {"nothing": b"", "a blank": b" "}
SENT = {name: text.encode() for name, (text, _) in MESSAGES.items()} | RAW | EMPTY


@pytest.mark.parametrize(("more", "options"), WAYS)
def test_the_line_behind_each_is_stored_and_the_queue_never_stands(
    more: dict[str, str], options: Sequence[str], tmp_path: Path
) -> None:
    """An error answer, or a death, would suspend the action for a minute here: the wait behind each would fail."""
    slow = {'action.resumeInterval="1"': 'action.resumeInterval="60"'}
    chosen = [one.format(spool=tmp_path / "spool") for one in options]
    with Chain(f"sqlite:{tmp_path / 'store'}", tmp_path, options=chosen, replace={**more, **slow}) as chain:
        for number, (name, text) in enumerate(SENT.items()):
            chain.daemon.send([datagram(text, f"poison{number}"), datagram(b"behind%d" % number)])
            chain.wait_found(f"behind{number}", timeout=40)
            assert len(chain.normalizers()) == 1, name
        chain.wait_stored(2 * len(SENT) - len(EMPTY))
        assert chain.dead() == []
        assert "suspended" not in chain.daemon.said()
        hits = {hit.message for hit in chain.store.search(Query([], limit=10_000))}
        assert {f"behind{number}" for number in range(len(SENT))} <= hits
        assert {text for text, becomes in MESSAGES.values() if becomes == BROKEN} <= hits
