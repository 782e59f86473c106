# SPDX-License-Identifier: Apache-2.0
"""Where on a server the objects go: Kibana's space, OpenSearch Dashboards' workspace or tenant, or its default place.

A wrong name is no error to the servers: a tenant that is not there becomes the global one, a space that is not there
takes objects which nobody sees, and outside of a workspace they are hidden as soon as there is one. So the name is
looked up before anything is written.
"""

import re
from typing import Any, NamedTuple

from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana.client import Client, one_line
from ttyscribe_kibana.server import Server

_XSRF = {"kibana": "kbn-xsrf", "opensearch-dashboards": "osd-xsrf"}
_SPACE = re.compile(r"[a-z0-9_-]{1,100}")
"""What Kibana lets a space's identifier be."""
_WORKSPACE = re.compile(r"[A-Za-z0-9_-]{1,100}")
_KNOWN_TO_ALL = ("global", "global_tenant", "private", "__user__", "")
_MAX_SHOWN = 10


class Place(NamedTuple):
    """One place for saved objects."""

    name: str
    """For messages."""
    front: str
    """What its paths begin with."""
    ids: str
    """What the ids of objects in it begin with: servers know an object's id across spaces and workspaces."""
    headers: dict[str, str]
    """For requests that write, or that carry a body."""


def find_place(client: Client, server: Server, space: str = "", tenant: str = "", workspace: str = "") -> Place:
    """The named place, which is there. ConfigError where it is not, or this product has no such thing."""
    headers = {_XSRF[server.flavour]: "true"}
    named = [name for name, value in (("space", space), ("tenant", tenant), ("workspace", workspace)) if value]
    if len(named) > 1:
        raise ConfigError(f"give one of {' and '.join(named)}: no server has both")
    if server.flavour == "kibana":
        if tenant or workspace:
            raise ConfigError(f"{server} has spaces, not {named[0]}s: give --space")
        return _space(client, space, headers)
    if space:
        raise ConfigError(f"{server} has workspaces and tenants, not spaces: give --workspace or --tenant")
    if tenant:
        return _tenant(client, tenant, headers)
    return _workspace(client, workspace, headers)


def _space(client: Client, space: str, headers: dict[str, str]) -> Place:
    if space in ("", "default"):
        return Place("the default space", "", "", headers)
    if not _SPACE.fullmatch(space):
        raise ConfigError(f"not a space's identifier: {space!r} (small letters, digits, '_' and '-')")
    answer = client.request("GET", f"/api/spaces/space/{space}", headers=headers)
    if answer.status == 404:
        raise ConfigError(f"{client.name}: there is no space {space}: make it first, or name another")
    return Place(f"space {space}", f"/s/{space}", f"{space}~", headers)


def _tenant(client: Client, tenant: str, headers: dict[str, str]) -> Place:
    """The security plugin takes an unknown tenant for the global one; its own page asks it what a user has."""
    if not tenant.isascii() or not tenant.isprintable():
        raise ConfigError(f"not a tenant's name: {one_line(tenant)!r}")
    place = Place(f"tenant {tenant}", "", "", {**headers, "securitytenant": tenant})
    answer = client.request("GET", "/api/v1/auth/authinfo", headers=headers)
    if answer.status == 404:
        raise ConfigError(f"{client.name}: has no tenants: its security plugin is not there")
    info = answer.json()
    tenants = info.get("tenants") if isinstance(info, dict) else None
    if not isinstance(tenants, dict) or tenant in _KNOWN_TO_ALL:
        return place
    if tenant not in tenants:
        raise ConfigError(f"{client.name}: there is no tenant {tenant} for this user; there are {_some(tenants)}")
    if tenants[tenant] is False:
        raise ConfigError(f"{client.name}: this user may read tenant {tenant}, not write to it")
    return place


def _workspace(client: Client, workspace: str, headers: dict[str, str]) -> Place:
    """A workspace by its id, or by its name where only one has it."""
    known = _workspaces(client, headers)
    if not workspace:
        if known:
            raise ConfigError(
                f"{client.name}: has workspaces, and what is put outside of them is not seen in any: "
                f"give --workspace with one of {_listed(known)}"
            )
        return Place("the default place", "", "", headers)
    if known is None:
        raise ConfigError(f"{client.name}: has no workspaces: they are not enabled there, or it is older than 2.18")
    found = [id_ for id_, name in known.items() if workspace in (id_, name) and _WORKSPACE.fullmatch(id_)]
    if len(found) != 1:
        why = "several workspaces have the name" if found else "there is no workspace"
        raise ConfigError(f"{client.name}: {why} {one_line(workspace)}; there are {_listed(known)}")
    return Place(f"workspace {found[0]}", f"/w/{found[0]}", f"{found[0]}~", headers)


def _workspaces(client: Client, headers: dict[str, str]) -> dict[str, str] | None:
    """Id and name of each workspace that this user sees; None where there is no such thing."""
    body = b'{"perPage":999,"page":1}'
    sent = {**headers, "Content-Type": "application/json"}
    answer = client.request("POST", "/api/workspaces/_list", body, sent)
    found: Any = answer.json()
    if answer.status != 200 or not isinstance(found, dict) or found.get("success") is not True:
        return None
    result = found.get("result")
    listed = result.get("workspaces") if isinstance(result, dict) else None
    shown = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {one_line(str(one.get("id", ""))): one_line(str(one.get("name", ""))) for one in shown}


def _listed(known: dict[str, str]) -> str:
    return _some([f"{id_} ({name})" for id_, name in known.items()])


def _some(names: Any) -> str:
    shown = [one_line(str(name)) for name in names]
    more = len(shown) - _MAX_SHOWN
    return ", ".join(shown[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "") if shown else "none"
