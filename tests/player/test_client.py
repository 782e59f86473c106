# SPDX-License-Identifier: Apache-2.0
"""Who asks an engine: every place where credentials may stand, every scheme, and nobody else gets them."""

import base64
import re
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.peers import require_program
from tests.player.engine import Handler, Rule, running
from tests.player.logs import play
from tests.player.test_index import ask, documents, played
from ttyscribe_formats.errors import ConfigError
from ttyscribe_player.client import Client, digest
from ttyscribe_store.access import Access

BASIC = "Basic " + base64.b64encode(b"ada:s@crt").decode()


def wants(challenge: str, good: str) -> Rule:
    """A server that lets in who sends this header, and challenges all others."""

    def rule(handler: Handler) -> bool:
        if re.fullmatch(good, handler.headers.get("Authorization", "")):
            return False
        handler.answer(401, {"error": {"reason": "missing credentials"}}, ("WWW-Authenticate", challenge))
        return True

    return rule


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_credentials_from_every_place(tmp_path: Path) -> None:
    with running(documents(2), wants('Basic realm="x"', re.escape(BASIC))) as server:
        (tmp_path / "secret").write_text("s@crt\n")
        ways = [
            {"TLOG_CURL_USERPWD": "ada:s@crt"},
            {"TTYSCRIBE_ES_USER": "ada", "TTYSCRIBE_ES_PASSWORD_FILE": str(tmp_path / "secret")},
        ]
        for way in ways:
            assert ask(server.place, env=way).stdout == played(2)
        assert (
            play("-r", "es", "--es-baseurl", f"http://ada:s%40crt@{server.place}/x", "--es-query", "y").returncode == 0
        )
        netrc = tmp_path / ".netrc"
        netrc.write_text("machine 127.0.0.1 login ada password s@crt\n")
        netrc.chmod(0o600)
        assert ask(server.place).stdout == played(2)
        other = tmp_path / "other"
        netrc.rename(other)
        assert ask(server.place).returncode == 2
        assert ask(server.place, env={"NETRC": str(other)}).stdout == played(2)
        assert "authorization" not in server.heads[0]  # nothing is sent before it is asked for


def test_a_wrong_password_is_told_once_and_never_shown() -> None:
    with running([], wants('Basic realm="x"', "never")) as server:
        done = ask(server.place, "--es-verbose", env={"TLOG_CURL_USERPWD": "ada:s@crt"})
        assert done.returncode == 2
        assert b"HTTP status 401: missing credentials" in done.stderr
        assert b"crt" not in done.stderr
        assert len(server.heads) == 2
        assert ask(server.place).returncode == 2


def test_anonymous_people_who_may_not_read_are_asked_again() -> None:
    """An engine that lets anybody in may refuse a search with 403, and no challenge."""

    def rule(handler: Handler) -> bool:
        if handler.headers.get("Authorization") == BASIC:
            return False
        handler.answer(403, {"error": "not you"})
        return True

    with running(documents(1), rule) as server:
        assert ask(server.place, env={"TLOG_CURL_USERPWD": "ada:s@crt"}).stdout == played(1)


def test_keys_and_tokens_go_along_at_once(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("id:secret")
    with running(documents(1), wants("ApiKey", "ApiKey aWQ6c2VjcmV0|Bearer tok")) as server:
        assert ask(server.place, "--es-api-key-file", str(key)).stdout == played(1)
        assert ask(server.place, env={"TTYSCRIBE_ES_API_KEY": "id:secret"}).stdout == played(1)
        assert ask(server.place, env={"TTYSCRIBE_ES_TOKEN": "tok"}).stdout == played(1)


@pytest.mark.parametrize("algorithm", ["", ", algorithm=MD5", ", algorithm=SHA-256"])
@pytest.mark.parametrize("qop", ["", ', qop="auth,auth-int"'])
def test_digest(algorithm: str, qop: str) -> None:
    """The server takes what its own computation gives; RFC 7616 has the numbers of the next test."""
    challenge = f'Digest realm="r, s", nonce="n==", opaque="o"{algorithm}{qop}'

    def rule(handler: Handler) -> bool:
        sent = handler.headers.get("Authorization", "")
        fields = {name: a or b for name, a, b in re.findall(r'([a-z]+)=(?:"([^"]*)"|([^\s,]+))', sent)}
        if fields:
            given = {"realm": "r, s", "nonce": "n==", "opaque": "o"}
            given |= {"algorithm": algorithm[12:]} if algorithm else {}
            given |= {"qop": "auth"} if qop else {}
            count, cnonce = int(fields.get("nc", "1"), 16), fields.get("cnonce", "")
            if digest(given, "POST", handler.path, "ada", "s:crt", count, cnonce) == sent:
                return False
        handler.answer(401, {}, ("WWW-Authenticate", challenge), ("WWW-Authenticate", 'Basic realm="no"'))
        return True

    with running(documents(1001), rule) as server:
        assert ask(server.place, env={"TLOG_CURL_USERPWD": "ada:s:crt"}).stdout == played(1001)
        assert not any(head.get("authorization", "").startswith("Basic") for head in server.heads)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_standard(algorithm: str, response: str) -> None:
    """RFC 7616, section 3.9.1."""
    challenge = {
        "realm": "http-auth@example.org", "qop": "auth, auth-int", "algorithm": algorithm,
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    }  # fmt: skip
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    header = digest(challenge, "GET", "/dir/index.html", "Mufasa", "Circle of Life", 1, cnonce)
    assert f'response="{response}"' in header


def redirecting(where: str, status: int = 302) -> Rule:
    """Sends everybody there, but for who comes to /there."""

    def rule(handler: Handler) -> bool:
        if handler.path == "/there":
            return False
        handler.answer(status, b"", ("Location", where))
        return True

    return rule


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int) -> None:
    """tlog-play takes one for an empty answer, and ends with status 0."""
    with running(documents(3), redirecting("/there", status)) as server:
        done = ask(server.place)
        assert (done.returncode, done.stdout) == (0, played(3))


def test_secrets_do_not_follow_to_another_server() -> None:
    with running(documents(1), wants("Basic", "never")) as other:
        with running([], redirecting(f"http://{other.place}/there")) as server:
            for secret in ({"TLOG_CURL_USERPWD": "ada:s@crt"}, {"TTYSCRIBE_ES_API_KEY": "id:secret"}):
                assert ask(server.place, env=secret).returncode == 2
        assert other.heads
        assert not any("authorization" in head for head in other.heads)


def test_a_circle_and_a_way_to_elsewhere_end() -> None:
    for where in ("/again", "file:///etc/passwd", "ftp://x/", "http://[", "//"):
        with running([], redirecting(where)) as server:
            done = ask(server.place)
            assert done.returncode in (1, 2)
            assert len(done.stderr.splitlines()) == 1
            assert b"root:" not in done.stdout


@pytest.mark.parametrize(
    "base", ["ftp://x/_search", "x", "http://", "http://h/_search?q=a", "http://h/#a", "http://h:port/", "http://[/"]
)
def test_addresses_that_are_none(base: str) -> None:
    with pytest.raises(ConfigError):
        Client(base, Access(environment="TTYSCRIBE_ES_"))


def test_a_broken_netrc_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine x\nnonsense y\n")
    done = play("-r", "es", "--es-baseurl", "http://127.0.0.1:9/_search", "--es-query", "x")
    assert done.returncode == 2
    assert b".netrc:2: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_tls_is_verified_and_an_authority_can_be_named(tmp_path: Path) -> None:
    """And a redirect from there to where nothing is secret is not followed."""
    certificate, key = str(tmp_path / "cert"), str(tmp_path / "key")
    command = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout {key} -out {certificate}"
    subject = ["-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([require_program("openssl"), *command.split(), *subject], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def asked(place: str, *more: str) -> subprocess.CompletedProcess[bytes]:
        return play("-r", "es", "--es-baseurl", f"https://{place}/x", "--es-query", "y", *more)

    with running(documents(2), tls=context) as server:
        refused = asked(server.place)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
        assert b"certificate" in refused.stderr.lower()
        assert asked(server.place, "--es-ca", certificate).stdout == played(2)
        assert asked(server.place, "--es-ca", str(tmp_path / "none")).returncode == 2
        assert asked(server.place, "--es-ca", key).returncode == 2
    with running([]) as plain, running([], redirecting(f"http://{plain.place}/there"), context) as server:
        assert asked(server.place, "--es-ca", certificate).returncode == 1
        assert plain.asked == []
