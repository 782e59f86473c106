# SPDX-License-Identifier: Apache-2.0
"""TLS is verified by default by every verb that goes to a server, and a refusal is one clear line."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.certificates import Authority, Certificate, make_certificate
from tests.cli.command import printable
from tests.kibana.double import running
from tests.store.stand_in import standing_in
from ttyscribe.main import main


class Made(NamedTuple):
    """Certificates of one run."""

    own: Certificate
    """That nobody signed, for 127.0.0.1."""
    other: Certificate
    """Signed, for another host."""
    expired: Certificate
    """Signed, for localhost, in the past."""
    authority: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Make them once."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    signed = authority.sign("other.example"), authority.sign("localhost", days=-1)
    return Made(make_certificate(folder, "server"), *signed, authority.file)


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


class Far(NamedTuple):
    """A server that speaks TLS."""

    url: str
    asked: list[object]
    """What reached it."""


@contextmanager
def far(side: str, certificate: Certificate) -> Iterator[Far]:
    """An engine or a Kibana with that certificate."""
    if side == "STORE":
        with standing_in(tls=_context(certificate)) as engine:
            yield Far(engine.url, engine.seen)  # type: ignore[arg-type] # only whether there is any
    else:
        with running("kibana", "9.5.0", _context(certificate)) as kibana:
            yield Far(kibana.url, kibana.requests)  # type: ignore[arg-type] # the same


def _words(side: str, url: str, folder: Path) -> list[str]:
    return ["setup", "--store", url] if side == "STORE" else ["setup", "--store", f"sqlite:{folder}", "--kibana", url]


@pytest.fixture(params=["STORE", "KIBANA"])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each side, without anybody's settings for it."""
    name: str = request.param
    for variable in ("CA", "CLIENT_CERT", "CLIENT_KEY", "USER", "PASSWORD", "API_KEY", "TOKEN"):
        monkeypatch.delenv(f"TTYSCRIBE_{name}_{variable}", raising=False)
    return name


@pytest.mark.parametrize(
    ("which", "trusts", "host", "says"),
    [
        ("own", False, "127.0.0.1", "self-signed certificate: name a file|(self-signed certificate); name a CA file"),
        ("own", True, "localhost", "mismatch|IP address"),
        ("other", True, "localhost", "mismatch"),
        ("expired", True, "localhost", "expired"),
        ("other", False, "localhost", "unable to get local issuer|self-signed"),
    ],
)
def test_a_certificate_that_does_not_vouch_for_the_server_is_refused(
    side: str,
    made: Made,
    which: str,
    trusts: bool,
    host: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if trusts:
        monkeypatch.setenv(f"TTYSCRIBE_{side}_CA", made.own.file if which == "own" else made.authority)
    monkeypatch.setenv(f"TTYSCRIBE_{side}_TOKEN", "s3cr3t-token")
    with far(side, getattr(made, which)) as server:
        assert main(_words(side, server.url.replace("127.0.0.1", host), tmp_path)) in (1, 2)
        assert server.asked == []  # so no secret either
    said = capsys.readouterr().err
    assert printable(said)
    assert len(said.splitlines()) == 1
    assert "_ssl.c" not in said
    assert any(part in said for part in says.split("|"))


def test_a_named_authority_is_trusted(
    side: str, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"TTYSCRIBE_{side}_CA", made.own.file)
    with far(side, made.own) as server:
        assert main(_words(side, server.url, tmp_path)) == 0
        assert server.asked
    assert ("installed" if side == "STORE" else "imported and read back") in capsys.readouterr().out


@pytest.mark.parametrize("name", ["PYTHONHTTPSVERIFY", "SSL_NO_VERIFY", "CURL_INSECURE"])
def test_no_variable_of_the_environment_switches_it_off(
    side: str, made: Made, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "0" if name == "PYTHONHTTPSVERIFY" else "1")
    with far(side, made.own) as server:
        assert main(_words(side, server.url, tmp_path)) in (1, 2)
        assert server.asked == []
