# SPDX-License-Identifier: Apache-2.0
"""TLS towards an engine: verified by default, own authority, client certificates; secrets go through it and nowhere
else."""

import io
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.certificates import Certificate, make_certificate
from tests.store.elastic_samples import syslog
from tests.store.stand_in import Handler, answer, standing_in
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.base import STORED
from ttyscribe_store.elastic import ElasticStore


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Certificate]:
    """Make a certificate of that name."""
    folder = tmp_path_factory.mktemp("tls")
    return lambda name: make_certificate(folder, name)


def _server(certificate: Certificate, trusted: Certificate | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    if trusted is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(trusted.file)
    return context


def test_a_certificate_that_nobody_signed_is_refused_unless_named(make: Callable[[str], Certificate]) -> None:
    certificate = make("server")
    with standing_in(tls=_server(certificate)) as server:
        for options, host in (({}, "127.0.0.1"), ({"ca": certificate.file}, "localhost")):
            store = ElasticStore(server.url.replace("127.0.0.1", host), **options)
            with pytest.raises(Unavailable, match=r"(?i)certificate"):
                store.write([syslog()])
            store.close()
        assert server.seen == []
        store = ElasticStore(server.url, ca=certificate.file)
        assert store.write([syslog()]) == [STORED]
        store.close()


def test_a_client_certificate_lets_in(make: Callable[[str], Certificate]) -> None:
    certificate, client = make("server"), make("client")
    with standing_in(tls=_server(certificate, trusted=client)) as server:
        without = ElasticStore(server.url, ca=certificate.file)
        with pytest.raises(Unavailable):
            without.write([syslog()])
        without.close()
        store = ElasticStore(server.url, ca=certificate.file, client_cert=client.file, client_key=client.key)
        assert store.write([syslog()]) == [STORED]
        store.close()


def test_a_file_that_is_no_certificate_is_said(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    for options in ({"ca": str(bad)}, {"client_cert": str(bad)}):
        with pytest.raises(ConfigError, match="certificates in it"):
            ElasticStore("https://127.0.0.1:1", **options)


CREDENTIALS = {
    "API key": ({"API_KEY": "id:s3cret"}, "ApiKey aWQ6czNjcmV0"),
    "encoded API key": ({"API_KEY": "aWQ6czNjcmV0"}, "ApiKey aWQ6czNjcmV0"),
    "bearer": ({"TOKEN": "s3cret"}, "Bearer s3cret"),
    "basic": ({"USER": "ada", "PASSWORD": "s3cret"}, "Basic YWRhOnMzY3JldA=="),
}


@pytest.mark.parametrize("how", ["in the environment", "in a file"])
@pytest.mark.parametrize(("named", "wanted"), CREDENTIALS.values(), ids=CREDENTIALS)
def test_each_credential_arrives_through_tls_and_shows_up_nowhere(
    make: Callable[[str], Certificate],
    named: dict[str, str],
    wanted: str,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    """Not even where a proxy's error page repeats the request."""
    for name, value in named.items():
        if how == "in a file" and name != "USER":
            (tmp_path / name).write_text(value)
            monkeypatch.setenv(f"TTYSCRIBE_STORE_{name}_FILE", str(tmp_path / name))
        else:
            monkeypatch.setenv(f"TTYSCRIBE_STORE_{name}", value)

    def echoing(handler: Handler, body: bytes) -> None:
        answer(502, f"<html>no way for {dict(handler.headers)}".encode(), "text/html")(handler, body)

    certificate = make("server")
    log = io.StringIO()
    handler = logging.StreamHandler(log)  # pytest's own also listens to what we keep from everybody
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    with standing_in(tls=_server(certificate)) as server:
        store = ElasticStore(server.url, ca=certificate.file)
        assert store.write([syslog()]) == [STORED]
        server.always = echoing
        with pytest.raises(Unavailable, match="no way for") as caught:
            store.write([syslog()])
        store.close()
        assert {headers["authorization"] for _, headers, _ in server.seen} == {wanted}
    assert "_bulk" in log.getvalue()
    secret = wanted.partition(" ")[2]
    for told in (str(caught.value), repr(caught.value), log.getvalue(), repr(store), str(vars(store))):
        assert secret not in told
        assert "s3cret" not in told
