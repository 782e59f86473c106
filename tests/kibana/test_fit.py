# SPDX-License-Identifier: Apache-2.0
"""A bundle fitted to one installation: links to hostile recordings, prefixes, places."""

import json
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.identity import key
from ttyscribe_kibana.bundle import BUNDLES, Bundle, committed
from ttyscribe_kibana.fit import VALUE, fitted, link_template

Json = dict[str, Any]
PLAYERS = ("https://play.example", "http://play.example:8080/r/", f"https://play.example/?rec={VALUE}&t=0#{VALUE}")
HOSTILE = [
    "../../admin",
    "..",
    "//evil.example/x",
    "javascript:alert(1)",
    "a?b#c&d=e",
    "<script>alert(1)</script>",
    '"onmouseover="x',
    "[x](https://evil.example)",
    "{{value}}{{rawValue}}",
    "a\r\nSet-Cookie: x",
    "\u202egnp.exe",
    "é\U0001f600",
    "%2e%2e%2f",
    " ",
]


def shown(template: str, value: str) -> str:
    """What both products make of a template: the value as `encodeURIComponent` writes it."""
    return template.replace(VALUE, quote(value, safe="-_.!~*'()"))


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize("recording", HOSTILE)
def test_a_hostile_recording_id_stays_one_piece_of_the_players_address(player: str, recording: str) -> None:
    url = shown(link_template(player), key(recording))
    plain = urlsplit(shown(link_template(player), "x"))
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == (plain.scheme, plain.netloc)
    assert parts.path.count("/") == plain.path.count("/")
    assert ".." not in parts.path.split("/")
    assert url.isascii()
    assert url.isprintable()


@given(st.text(max_size=40), st.sampled_from(PLAYERS))
def test_any_text_in_a_link_can_be_read_back_and_moves_nothing_else(recording: str, player: str) -> None:
    text = recording.encode("utf-8", "replace").decode()
    url = urlsplit(shown(link_template(player), text))
    plain = urlsplit(shown(link_template(player), "x"))
    assert url[:2] == plain[:2]
    found = url.path.removeprefix(plain.path.removesuffix("x")) if not url.query else url.fragment
    assert unquote(found) == text


@pytest.mark.parametrize(
    "player",
    [
        "javascript:alert(1)//{{value}}",
        "data:text/html,{{value}}",
        "//play.example/{{value}}",
        "play.example",
        "https://{{value}}",
        "https://{{value}}.example/",
        "https://play.example:{{value}}/",
        "https://ada:pw@play.example/",
        "https://play.example/{{rawValue}}",
        "https://play.example/{{ value }}",
        "https://play.example/{{value}}{{rawValue}}",
        "https://play.example/{{{{value}}value}}",
        'https://play.example/"onmouseover="x',
        "https://play.example/'x",
        "https://play.example/<b>",
        "https://play.example/ x",
        "https://play.example/\nx",
        "https://play.example/\u202e",
        "https://play.example\\@evil.example/",
        "https://[",
        "",
    ],
)
def test_a_players_address_that_could_lead_elsewhere_is_refused(player: str) -> None:
    with pytest.raises(ConfigError, match="player's address") as seen:
        link_template(player)
    assert str(seen.value).isprintable()


@pytest.mark.parametrize("bundle", BUNDLES)
@pytest.mark.parametrize(("prefix", "place"), [("", ""), ("t1", ""), ("", "ops~"), ("t1", "ops~")])
def test_ids_and_references_move_together(bundle: Bundle, prefix: str, place: str) -> None:
    saved = committed(bundle)
    moved = fitted(saved, prefix=prefix, place=place)
    front = place + (f"{prefix}-" if prefix else "")
    assert [one["id"] for one in moved] == [front + one["id"] for one in saved]
    present = {(one["type"], one["id"]) for one in moved}
    for one in moved:
        assert {(r["type"], r["id"]) for r in one["references"]} <= present
    for one in moved:
        if one["type"] == "index-pattern":
            assert one["attributes"]["title"].startswith(f"{prefix}-ttyscribe-" if prefix else "ttyscribe-")


@pytest.mark.parametrize("bundle", BUNDLES)
@pytest.mark.parametrize("recording", [*HOSTILE, "rec-story"])
def test_a_row_leads_to_the_page_of_its_recording(bundle: Bundle, recording: str) -> None:
    """Whatever names a recording, its key is one word of the query, and the page one of the same installation."""
    moved = fitted(committed(bundle), prefix="t1", place="ops~", player_url=PLAYERS[0])
    pages = {one["id"] for one in moved if one["type"] == "dashboard"}
    views = [one["attributes"] for one in moved if one["type"] == "index-pattern"]
    for view in views:
        params = json.loads(view["fieldFormatMap"])["process.entry_leader.entity_id"]["params"]
        url = urlsplit(shown(params["urlTemplate"], key(recording)))
        assert (url.scheme, url.netloc, url.path) == ("", "", "dashboards"), "relative to the product's applications"
        where, _, state = url.fragment.partition("?")
        assert where.removeprefix("/view/") in pages
        assert where.endswith("~t1-ttyscribe-recording")
        query = f"(query:(language:kuery,query:'ttyscribe.recording:\"{key(recording)}\"'))"
        assert dict(part.split("=", 1) for part in unquote(state).split("&"))["_a"] == query
    assert len(views) == 3


def test_links_from_page_to_page_stay_inside_the_installation() -> None:
    text = json.dumps({"params": {"markdown": "[Commands](#/view/ttyscribe-commands) or [all](#/list)"}})
    page: Json = {"type": "visualization", "id": "ttyscribe-links", "attributes": {"visState": text}, "references": []}
    (moved,) = fitted([page], prefix="t1", place="ops~")
    params = json.loads(moved["attributes"]["visState"])["params"]
    assert params["markdown"] == "[Commands](#/view/ops~t1-ttyscribe-commands) or [all](#/list)"


@pytest.mark.parametrize("bundle", BUNDLES)
def test_nothing_that_was_recorded_is_shown_as_markdown_or_html(bundle: Bundle) -> None:
    """Markdown is ours alone, and no field is rendered as HTML: values are escaped by the products."""
    for one in fitted(committed(bundle), player_url="https://play.example"):
        for text in _strings(one["attributes"]):
            for sign in ("<script", "javascript:", "{{rawValue}}", "| raw", '"html"', "unsafe"):
                assert sign not in text
        if one["type"] == "index-pattern":
            formats = json.loads(one["attributes"]["fieldFormatMap"])
            kinds = {shown["id"] for shown in formats.values()}
            assert kinds <= {"url", "bytes", "duration", "number", "date", "string", "percent"}
            links = [shown["params"] for shown in formats.values() if shown["id"] == "url"]
            assert all(
                params["type"] == "a" and params["labelTemplate"] in (VALUE, "One recording") for params in links
            )


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [value] if isinstance(value, str) else []
