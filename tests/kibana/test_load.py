# SPDX-License-Identifier: Apache-2.0
"""The loader against a stand-in of both products' interfaces, over real HTTP."""

import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kibana.conftest import Start
from tests.kibana.double import Double, Fault, basic, running
from tests.peers import require_program
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_kibana.bundle import committed
from ttyscribe_kibana.load import Access, Where
from ttyscribe_kibana.load import load as load_there

PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"
HTML = (("Content-Type", "text/html"),)


def count(server: Double) -> int:
    """How many objects the bundle has that the server takes."""
    return len(committed("kibana" if server.flavour == "kibana" else "opensearch-dashboards"))


def load(url: str, *, player_url: str | None = None, overwrite: bool = False, **where: Any) -> list[str]:
    """The loader towards an address."""
    return load_there(Where(url, **where), player_url=player_url, overwrite=overwrite)


@pytest.mark.parametrize(
    ("flavour", "version", "bundle"),
    [
        ("kibana", "9.5.0", "kibana"),
        ("kibana", "8.19.9", "kibana"),
        ("kibana", "8.9.0", "kibana"),
        ("kibana", "8.8.2", "opensearch-dashboards"),
        ("kibana", "7.10.2", "opensearch-dashboards"),
        ("opensearch-dashboards", "1.0.0", "opensearch-dashboards"),
        ("opensearch-dashboards", "3.8.0", "opensearch-dashboards"),
    ],
)
def test_each_version_gets_the_bundle_that_it_takes(start: Start, flavour: str, version: str, bundle: str) -> None:
    double = start(flavour, version)
    done = load(double.url)
    assert double.shipped() == {(one["type"], one["id"]) for one in committed(bundle)}  # type: ignore[arg-type]
    assert f"bundle {bundle}" in done[0]
    assert version in done[0]
    assert done[1] == f"open {double.url}/app/dashboards#/view/ttyscribe-recordings"


def test_loading_twice_leaves_the_same_objects(server: Double) -> None:
    load(server.url)
    before = dict(server.places[""])
    server.requests.clear()
    done = load(server.url)
    assert server.places[""] == before
    assert "nothing to change" in done[0]
    assert not any(request.endswith("_import") for request in server.requests)


def test_a_product_without_its_name_header_is_known_by_its_version(server: Double) -> None:
    server.says_name = False
    assert server.version in load(server.url)[0]


def test_a_flavour_that_the_server_contradicts_is_refused(server: Double) -> None:
    other = "opensearch-dashboards" if server.flavour == "kibana" else "kibana"
    with pytest.raises(ConfigError, match=r"is .* not "):
        load(server.url, flavour=other)
    assert not server.places[""]


def test_an_undecidable_server_is_asked_about_and_the_callers_word_decides(start: Start) -> None:
    double = start("kibana", "7.17.0")
    double.version, double.says_name = "5.0.0", False
    with pytest.raises(ConfigError, match="say which"):
        load(double.url)
    double.flavour = "opensearch-dashboards"
    assert "OpenSearch Dashboards 5.0.0" in load(double.url, flavour="opensearch-dashboards")[0]


def test_a_newer_major_version_is_tried_and_said(start: Start) -> None:
    done = load(start("kibana", "9.5.0").url)
    assert not any("newer than" in line for line in done)
    double = start("kibana", "9.9.0")
    double.version = "10.0.0"
    assert any("newer than this release knows" in line for line in load(double.url))


def test_too_old_a_version_is_named(start: Start) -> None:
    with pytest.raises(ConfigError, match=r"Kibana 7\.9\.3 is too old.*7\.10"):
        load(start("kibana", "7.9.3").url)


def test_a_base_path_is_part_of_the_address(start: Start) -> None:
    double = start("opensearch-dashboards", "2.19.1")
    double.base = "/_dashboards"
    assert load(f"{double.url}/_dashboards/")[1].startswith(f"open {double.url}/_dashboards/app/")
    with pytest.raises(ConfigError, match="no status page"):
        load(double.url)


def test_the_players_address_becomes_a_link_in_the_data_view(server: Double) -> None:
    load(server.url, player_url="https://play.example/r/")
    view = server.places[""]["index-pattern", "ttyscribe-tlog"]["attributes"]
    shown = json.loads(view["fieldFormatMap"])["ttyscribe.recording"]
    assert shown["id"] == "url"
    assert shown["params"]["urlTemplate"] == "https://play.example/r/{{value}}"


def test_prefixes_live_side_by_side(server: Double) -> None:
    load(server.url)
    load(server.url, prefix="/t1")
    views = {n: v["attributes"]["title"] for (k, n), v in server.places[""].items() if k == "index-pattern"}
    assert views["ttyscribe-tlog"] == "ttyscribe-tlog-*"
    assert views["t1-ttyscribe-tlog"] == "t1-ttyscribe-tlog-*"
    assert {name for name in views if name.startswith("t1-")} == {f"t1-{n}" for n in views if not n.startswith("t1-")}


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ({"type": "conflict"}, "imported 0 of .*exists already"),
        ({"type": "ambiguous_conflict", "destinations": [{"id": "a"}, {"id": "b"}]}, r"d 0 of .*several copies.*a, b"),
        ({"type": "unsupported_type"}, "imported [1-9].*a type that this server"),
        (
            {"type": "missing_references", "references": [{"type": "index-pattern", "id": "x"}]},
            "imported 0 of .*index-pattern x",
        ),
        (
            {"type": "unknown", "statusCode": 500, "message": "shards\nfailed"},
            "imported [1-9].*shards failed",
        ),
        ({"what": "nobody documented"}, "imported [1-9].*unknown"),
    ],
)
def test_an_object_refused_inside_a_200_is_told_with_its_reason(
    server: Double, error: dict[str, object], says: str
) -> None:
    server.refuse["ttyscribe-recordings-newest"] = error
    with pytest.raises(
        ConfigError, match=rf"imported [0-9]+ of {count(server)} objects; refused: .* ttyscribe-recordings-newest"
    ) as seen:
        load(server.url)
    assert re.search(says, str(seen.value))
    assert server.version in str(seen.value)
    assert len(server.shipped()) == (
        0 if "imported 0" in str(seen.value) else count(server) - 1
    )  # and so says the message
    server.refuse.clear()
    load(server.url)
    assert len(server.shipped()) == count(server)
    assert "nothing to change" in load(server.url)[0]


def test_a_server_with_older_objects_refuses_and_both_versions_are_told(server: Double) -> None:
    server.known = {**server.known, "dashboard": "7.0.0"}  # as if it were an older release
    with pytest.raises(ConfigError, match=r"newer version \(422\).*last known version is \[7\.0\.0\]"):
        load(server.url)


def test_objects_that_vanish_after_a_good_report_are_noticed(server: Double) -> None:
    server.forget = {"ttyscribe-recordings"}
    with pytest.raises(ConfigError, match=r"reading them back misses dashboard ttyscribe-recordings:"):
        load(server.url)


def test_a_reference_to_what_is_not_there_is_noticed_when_reading_back(server: Double) -> None:
    server.bend = {"ttyscribe-tlog": "gone"}
    with pytest.raises(ConfigError, match=r"index-pattern gone \(needed by ttyscribe-recordings-count\)"):
        load(server.url)


def test_credentials_come_from_file_or_environment(
    server: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.authorization = basic("ada", "s3cret")
    with pytest.raises(ConfigError, match=r"missing or wrong \(401\)"):
        load(server.url)
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")
    load(server.url, access=Access(user="ada", password_file=str(secret)))
    monkeypatch.setenv("TTYSCRIBE_KIBANA_USER", "ada")
    monkeypatch.setenv("TTYSCRIBE_KIBANA_PASSWORD", "s3cret")
    load(server.url)
    server.authorization = "Bearer dG9r"
    secret.write_text("dG9r\n")
    monkeypatch.setenv("TTYSCRIBE_KIBANA_TOKEN_FILE", str(secret))
    load(server.url)
    server.authorization = "ApiKey aWQ6a2V5"
    for key in ("id:key", "aWQ6a2V5"):
        monkeypatch.setenv("TTYSCRIBE_KIBANA_API_KEY", key)
        load(server.url)


@pytest.mark.parametrize("secret", ["top\r\nX-Evil: 1", "naïve", "nul\x00"])
def test_a_secret_that_would_break_a_header_is_refused_without_showing_it(secret: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(secret.encode())
    with pytest.raises(ConfigError) as seen:
        load("http://127.0.0.1:1", access=Access(api_key_file=str(path)))
    assert str(path) in str(seen.value)
    assert secret not in str(seen.value)


def test_a_secret_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none: cannot read the secret"):
        load("http://127.0.0.1:1", access=Access(api_key_file=str(tmp_path / "none")))
    (tmp_path / "empty").touch()
    with pytest.raises(ConfigError, match="empty: is empty"):
        load("http://127.0.0.1:1", access=Access(api_key_file=str(tmp_path / "empty")))
    with pytest.raises(ConfigError, match="no password for ada"):
        load("http://127.0.0.1:1", access=Access(user="ada"))
    for access, reason in (
        (Access(ca=str(tmp_path / "empty")), "empty: cannot use the certificates"),
        (Access(client_cert=str(tmp_path / "none")), "none: cannot be read"),
    ):
        with pytest.raises(ConfigError, match=reason):
            load("https://127.0.0.1:1", access=access)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://ada:pw@kibana.example", "credentials in the address"),
        ("kibana.example:5601", "not an http or https address"),
        ("ftp://kibana.example", "not an http or https address"),
        ("http://", "not an http or https address"),
        ("http://kibana.example:notaport", "not an address"),
        ("http://kibana.example/app?x=1", "without"),
    ],
)
def test_a_malformed_address_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as seen:
        load(url)
    assert "pw" not in str(seen.value)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault("status", 200, PAGE, HTML), "web page"),
        (Fault("status", 404, PAGE, HTML), "web page"),
        (Fault("status", 302, b"", (("Location", "https://sso.example/login"),)), r"redirects to https://sso\.example"),
        (Fault("status", 200, b"OK"), "no status page"),
        (Fault("status", 200, b'{"status":{"overall":{"level":"available"}}}'), "only to those who sign in"),
        (Fault("status", 403, b'{"message":"no \\u001b[31mway"}'), r"may not do that \(403\): no  ?\[31mway"),
        (
            Fault("status", 400, b'{"error":"no handler found for uri"}', (("X-elastic-product", "Elasticsearch"),)),
            "search engine, not its user interface",
        ),
        (
            Fault("_import", 413, b'{"message":"Payload too large"}'),
            r"too large .*Payload too large: raise",
        ),
        (Fault("_import", 200, PAGE, HTML), "web page"),
        (Fault("_import", 200, b'{"success":false,"successCount":0}'), "imported 0 of [1-9]"),
        (Fault("_import", 200, b'{"success":true,"successCount":3}'), "imported 3 of [1-9]"),
        (Fault("_export", 400, b'{"message":"what?"}'), r"cannot read back \(400\): what\?"),
    ],
    ids=lambda value: f"{value.path}-{value.status}" if isinstance(value, Fault) else "",
)
def test_what_is_not_the_documented_answer_is_said_in_one_line(server: Double, fault: Fault, says: str) -> None:
    server.faults = [fault]
    with pytest.raises(ConfigError, match=says) as seen:
        load(server.url)
    assert "\n" not in str(seen.value)
    assert "\x1b" not in str(seen.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_not_ready_is_unavailable_and_its_wait_is_kept(server: Double, status: int) -> None:
    server.faults = [Fault("status", status, b"Kibana server is not ready yet", (("Retry-After", "30"),))]
    with pytest.raises(Unavailable, match="not ready yet") as seen:
        load(server.url)
    assert seen.value.after == 30


def test_nobody_listening_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match="cannot be reached: Connection refused"):
            load(f"http://127.0.0.1:{unused.getsockname()[1]}")


def test_https_towards_plain_http_is_said(server: Double) -> None:
    with pytest.raises(ConfigError, match=r"is it http:// \?"):
        load(server.url.replace("http://", "https://"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody signed, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key", folder / "certificate"
    command = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout {key} -out {made}"
    subject = ["-subj", "/CN=double", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([require_program("openssl"), *command.split(), *subject], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text(made.read_text() + key.read_text())
    return both


@pytest.fixture
def secure(certificate: Path) -> Iterator[Double]:
    """A server that speaks TLS with that certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with running("kibana", "9.5.0", context) as double:
        yield double


def test_a_certificate_is_verified_and_a_named_authority_is_trusted(secure: Double, certificate: Path) -> None:
    with pytest.raises(ConfigError, match=r"not trusted \(self-signed certificate\); name a CA file"):
        load(secure.url)
    assert secure.requests == []
    assert "imported and read back" in load(secure.url, access=Access(ca=str(certificate)))[0]


def test_a_certificate_for_another_name_is_refused(secure: Double, certificate: Path) -> None:
    with pytest.raises(ConfigError, match="not trusted"):
        load(secure.url.replace("127.0.0.1", "localhost"), access=Access(ca=str(certificate)))


def test_http_towards_https_is_said(secure: Double) -> None:
    with pytest.raises((ConfigError, Unavailable), match=r"is it https:// \?|Connection reset"):
        load(secure.url.replace("https://", "http://"))


def test_a_server_that_ends_in_the_middle_is_unavailable() -> None:
    def half_an_answer(listening: socket.socket) -> None:
        peer, _ = listening.accept()
        peer.recv(4096)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        peer.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=half_an_answer, args=(listening,))
        thread.start()
        with pytest.raises(Unavailable, match="ended before the answer"):
            load(f"http://127.0.0.1:{listening.getsockname()[1]}")
        thread.join()
