# SPDX-License-Identifier: Apache-2.0
"""Fits a shipped bundle to one installation: index prefix and address of the player.

Pure: objects in, objects out. Ids carry the prefix, so that bundles of several prefixes live side by side.
"""

import json
import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana.aggs import compact
from ttyscribe_kibana.bundle import SavedObject
from ttyscribe_kibana.dashboards import DASHBOARDS
from ttyscribe_store.address import shown

VALUE = "{{value}}"
"""What both products replace by the field's value, percent-encoded."""
_PAGE = "#/view/ttyscribe-"
_PLAIN = re.compile(r"[!#-&(-;=?-\[\]_a-z{}~]+")
"""ASCII that may stand in a URL; no blank, quote, angle bracket or backslash."""


def link_template(player_url: str) -> str:
    """The link to one recording: the address itself where it says where the recording goes, else a path below it.

    Only http and https are rendered as links. A recording's id is hostile: it stands percent-encoded, behind the host.
    Raises ConfigError for anything else.
    """
    try:
        parts = urlsplit(player_url)
    except ValueError:
        raise ConfigError(f"the player's address is none: {shown(player_url)!r}") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"the player's address must be an http or https URL, not {shown(player_url)!r}")
    if parts.password is not None or parts.username is not None:
        raise ConfigError("the player's address must not hold a user or password: everyone who reads sees it")
    rest = player_url.replace(VALUE, "")
    if VALUE in parts.netloc or "{{" in rest or not _PLAIN.fullmatch(rest):
        raise ConfigError(
            f"the player's address may hold {VALUE} behind its host and no other template, blanks and quotes "
            f"percent-encoded, not {shown(player_url)!r}"
        )
    return player_url if VALUE in player_url else f"{player_url.rstrip('/')}/{VALUE}"


def fitted(
    saved: Sequence[SavedObject], *, prefix: str = "", player_url: str = "", place: str = ""
) -> list[SavedObject]:
    """The objects for one installation. Without a player's address, recordings are shown as plain text.

    `place` is what ids begin with beside the prefix, so that those of several spaces or workspaces differ: servers that
    know an id from another space give ours a new one, in each import another.
    """
    front = f"{prefix.strip('/')}-" if prefix.strip("/") else ""
    link = link_template(player_url) if player_url else ""
    return [_fit(one, front, link, place) for one in saved]


def _fit(one: SavedObject, front: str, link: str, place: str) -> SavedObject:
    attributes = dict(one["attributes"])
    if one["type"] == "index-pattern":
        attributes["title"] = front + attributes["title"]
        if "name" in attributes and front:
            attributes["name"] = f"{front}{attributes['name']}"
        if link:
            attributes["fieldFormatMap"] = _with_link(one["id"], attributes["fieldFormatMap"], link)
    elif one["type"] == "dashboard":
        attributes["title"] = front + attributes["title"]
    ids = place + front
    for name, value in attributes.items():
        if isinstance(value, str) and _PAGE in value:  # links from page to page
            attributes[name] = value.replace(_PAGE, f"#/view/{quote(ids)}ttyscribe-")
    references = [{**reference, "id": ids + reference["id"]} for reference in one["references"]]
    return {**one, "id": ids + one["id"], "attributes": attributes, "references": references}


def _with_link(name: str, formats: str, link: str) -> str:
    """The data view's formats and one more: recordings are links that open in a tab of their own."""
    views = [view for d in DASHBOARDS for view in (d.data, *(panel.data for panel in d.panels)) if view]
    field = next(view.recording_field for view in views if name.endswith(f"-{view.slug}"))
    params = {"type": "a", "urlTemplate": link, "labelTemplate": VALUE, "openLinkInCurrentTab": False}
    return compact({**json.loads(formats), field: {"id": "url", "params": params}})
