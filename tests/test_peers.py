# SPDX-License-Identifier: Apache-2.0
"""A missing peer skips with the command that brings it; in CI it fails, because a run without it proves nothing."""

import pytest

from tests import peers


def test_a_missing_peer_skips_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(peers, "find_program", lambda _name: None)
    for name, how in peers.INSTALL.items():
        with pytest.raises(pytest.skip.Exception, match=how):
            peers.require_program(name)


@pytest.mark.parametrize("value", ["true", "1"])
def test_a_missing_peer_fails_in_ci(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CI", value)
    monkeypatch.setattr(peers, "find_program", lambda _name: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(pytest.fail.Exception, match="required in CI"):
        peers.require_program("rsyslogd")
    with pytest.raises(pytest.fail.Exception, match="required in CI"):
        peers.require_root()


def test_programs_of_the_administrator_are_found_without_their_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert peers.find_program("no-such-program") is None
    assert peers.find_program("ldconfig") is not None
