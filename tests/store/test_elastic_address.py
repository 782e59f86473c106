# SPDX-License-Identifier: Apache-2.0
"""Where the engine is, and secrets that come from files or the environment and show up nowhere."""

from pathlib import Path

import pytest

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.access import Access
from ttyscribe_store.address import Address, Host, parse_address

URLS = {
    "http://127.0.0.1:9220": Address("http", (Host("127.0.0.1", 9220),)),
    "http://127.0.0.1:9220/": Address("http", (Host("127.0.0.1", 9220),)),
    "https://search.example.com/t1": Address("https", (Host("search.example.com", 9200),), "t1-"),
    "https://[::1]:9200/a.b_c-d": Address("https", (Host("::1", 9200),), "a.b_c-d-"),
    "https://a,[::1]:9201,b:9202/t": Address("https", (Host("a", 9200), Host("::1", 9201), Host("b", 9202)), "t-"),
}


@pytest.mark.parametrize(("url", "address"), URLS.items(), ids=URLS)
def test_the_path_is_the_index_prefix(url: str, address: Address) -> None:
    assert parse_address(url) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "http://",
        "http:///x",
        "http://host:x/",
        "http://host:99999",
        "http://host/UPPER",
        "http://host/a/b",
        "http://host/*",
        "http://host/a,b",
        "http://host/-a",
        "http://host/" + "a" * 65,
        "http://host/ttyscribe",
        "http://host/a-ttyscribe-b",
        "http://host/?q=1",
        "http://host/#x",
        "http://a,,b/",
        "http://a,b:x/",
        "http://a,/",
        "http://a:9200,a/",
        "http://[::1/",
        "http://a,http://b/",
    ],
)
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(ConfigError):
        parse_address(url)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="PASSWORD_FILE") as caught:
        parse_address("https://ada:s3cret@host:9200/t")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ConfigError, match="PASSWORD_FILE") as caught:
        parse_address("https://host:9200,ada:s3cret@other:9200/t")
    assert "s3cret" not in str(caught.value)


def _file(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_each_credential_makes_its_header(tmp_path: Path) -> None:
    key, token, password = (_file(tmp_path / name, f"{name}-value\n") for name in ("key", "token", "password"))
    pair = _file(tmp_path / "pair", "id:key")
    assert Access().authorization({}) == ""
    assert Access(api_key_file=key).authorization({}) == "ApiKey key-value"
    assert Access(api_key_file=pair).authorization({}) == "ApiKey aWQ6a2V5"
    assert Access(token_file=token).authorization({}) == "Bearer token-value"
    assert Access(user="ada", password_file=password).authorization({}) == "Basic YWRhOnBhc3N3b3JkLXZhbHVl"


def test_the_environment_fills_what_was_not_given(tmp_path: Path) -> None:
    environment = {
        "TTYSCRIBE_STORE_USER": "ada",
        "TTYSCRIBE_STORE_PASSWORD": "pä:ss",
        "TTYSCRIBE_STORE_TIMEOUT": "7.5",
        "TTYSCRIBE_STORE_CA": _file(tmp_path / "ca.pem", "x"),
    }
    access = Access().completed(environment)
    assert access == Access(ca=environment["TTYSCRIBE_STORE_CA"], user="ada", timeout=7.5)
    assert access.authorization(environment) == "Basic YWRhOnDDpDpzcw=="
    named = {"TTYSCRIBE_STORE_API_KEY_FILE": _file(tmp_path / "key", "abc=")}
    assert Access().completed(named).authorization(named) == "ApiKey abc="


def test_a_credential_that_is_missing_or_unusable_is_said_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no password for ada"):
        Access(user="ada").authorization({})
    with pytest.raises(ConfigError, match="cannot read the secret"):
        Access(token_file=str(tmp_path / "none")).authorization({})
    with pytest.raises(ConfigError, match="is empty"):
        Access(token_file=_file(tmp_path / "empty", "\n")).authorization({})
    with pytest.raises(ConfigError, match="no header can carry") as caught:
        Access().authorization({"TTYSCRIBE_STORE_TOKEN": "s3cret\r\nX: y"})
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        Access(ca=str(tmp_path / "none")).completed({})
    with pytest.raises(ConfigError, match="TIMEOUT"):
        Access().completed({"TTYSCRIBE_STORE_TIMEOUT": "soon"})
