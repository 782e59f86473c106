# SPDX-License-Identifier: Apache-2.0
"""What the importers document, as the stand-ins do it, and what the loader says of it."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.kibana.conftest import Start
from tests.kibana.double import MOST, Double
from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana import bundle as bundles
from ttyscribe_kibana import load as loader
from ttyscribe_kibana.load import Where, load
from ttyscribe_kibana.plan import plan

Json = dict[str, Any]
VIEWS = "index-pattern"


def ship(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Have another bundle: `change` takes and gives the list of objects."""
    monkeypatch.setattr(loader, "committed", lambda which: change(bundles.committed(which)))


def test_a_missing_data_view_is_told_for_each_object_and_none_is_created(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(monkeypatch, lambda objects: [one for one in objects if one["type"] != VIEWS])
    with pytest.raises(ConfigError, match=r"imported 0 of .* refers to index-pattern ttyscribe-.*, which is not there"):
        load(Where(server.url))
    assert not server.places[""]


def test_a_missing_panel_is_no_error_to_the_importer_and_is_noticed(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = "ttyscribe-recordings-newest"
    ship(monkeypatch, lambda objects: [one for one in objects if one["id"] != panel])
    with pytest.raises(ConfigError, match=rf"reading them back misses .*{panel}"):
        load(Where(server.url))


def test_a_type_that_is_not_there_is_told_and_the_rest_is_created(start: Start) -> None:
    double = start("kibana", "9.5.0")
    double.known = {kind: version for kind, version in double.known.items() if kind != "lens"}
    with pytest.raises(ConfigError, match=r"refused: lens .* is of a type that this server or this user does not have"):
        load(Where(double.url))
    assert {kind for kind, _ in double.places[""]} == {one["type"] for one in bundles.committed("kibana")} - {"lens"}


def test_copies_between_which_a_server_cannot_choose_are_named(start: Start) -> None:
    double = start("kibana", "9.5.0")
    page: Json = {"type": "dashboard", "attributes": {"title": "x"}, "references": []}
    for name in ("one", "two"):
        copy = {**page, "id": name, "originId": "ttyscribe-recordings"}
        double.places[""]["dashboard", name] = copy
    with pytest.raises(ConfigError, match=r"imported 0 of .*several copies exist already \(one, two\): remove all but"):
        load(Where(double.url))
    assert set(double.places[""]) == {("dashboard", "one"), ("dashboard", "two")}


def test_what_came_between_reading_and_writing_is_a_conflict_and_stays(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody makes an object under our id in just that moment: new objects overwrite nothing."""
    theirs: Json = {"type": "dashboard", "id": "ttyscribe-recordings", "attributes": {"title": "Mine"}}

    def planned(*arguments: Any, **more: Any) -> Any:
        server.places[""]["dashboard", "ttyscribe-recordings"] = {**theirs, "references": []}
        return plan(*arguments, **more)

    monkeypatch.setattr(loader, "plan", planned)
    with pytest.raises(ConfigError, match="dashboard ttyscribe-recordings exists already"):
        load(Where(server.url))
    assert server.places[""]["dashboard", "ttyscribe-recordings"]["attributes"]["title"] == "Mine"


def test_a_file_above_the_limit_is_told_with_the_setting(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    def grown(objects: list[Json]) -> list[Json]:
        first = objects[0]
        return [{**first, "attributes": {**first["attributes"], "timeFieldName": "x" * MOST}}, *objects[1:]]

    ship(monkeypatch, grown)
    with pytest.raises(ConfigError, match=r"413.*26214400: raise savedObjects\.maxImportPayloadBytes there"):
        load(Where(server.url))


def test_an_attribute_that_the_strict_mapping_does_not_know_is_told(start: Start) -> None:
    double = start("opensearch-dashboards", "2.19.1")
    with pytest.MonkeyPatch.context() as patch:
        ship(patch, lambda objects: [_with_control(one) for one in objects])
        with pytest.raises(ConfigError, match=r"dynamic introduction of \[controlGroupInput\] is not allowed"):
            load(Where(double.url))


def _with_control(one: Json) -> Json:
    more: Json = {"controlGroupInput": {}} if one["type"] == "dashboard" else {}
    return {**one, "attributes": {**one["attributes"], **more}}


def test_the_stand_ins_make_copies_only_where_asked_and_never_with_overwrite(server: Double) -> None:
    load(Where(server.url))
    saved = json.dumps({**server.places[""]["dashboard", "ttyscribe-recordings"]})
    status, report = _import(server, saved, "?createNewCopies=true")
    assert (status, report["success"]) == (200, True)
    assert report["successResults"][0]["destinationId"].startswith("copy-")
    status, report = _import(server, saved, "")
    assert (status, report["success"], report["errors"][0]["error"]) == (200, False, {"type": "conflict"})
    status, report = _import(server, saved, "?createNewCopies=true&overwrite=true")
    assert status == 400


def _import(server: Double, saved: str, options: str) -> tuple[int, Json]:
    head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.ndjson"\r\n\r\n'
    request = urllib.request.Request(
        f"{server.url}/api/saved_objects/_import{options}",
        f"{head}{saved}\r\n--x--\r\n".encode(),
        {"Content-Type": "multipart/form-data; boundary=x", server.xsrf: "true"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
