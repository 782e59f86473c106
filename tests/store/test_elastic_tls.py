# SPDX-License-Identifier: Apache-2.0
"""TLS towards an engine: verified by default, own authority, client certificates."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.certificates import Certificate, make_certificate
from tests.store.elastic_samples import syslog
from tests.store.stand_in import standing_in
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
