# SPDX-License-Identifier: Apache-2.0
"""The compose file, where no container runs: whole, on loopback, and about the pairs that the tests start."""

import re
from typing import Any

import pytest
import yaml

from tests.docker.conftest import COMPOSE, PAIRS, lacking

IMAGE = re.compile(r"[a-z/-]+:\$\{TTYSCRIBE_[A-Z]+_([0-9]):-([0-9]+)\.[0-9]+\.[0-9]+\}")
KNOWN = {"image", "environment", "ports", "depends_on", "healthcheck", "volumes"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services, merged as compose does."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    assert {name for name in found if not name.startswith("x-")} == {"services"}
    services: dict[str, Any] = found["services"]
    return services


def test_the_pairs_are_all_of_it(services: dict[str, Any]) -> None:
    assert set(services) == {name for pair in PAIRS for name in (pair.engine, pair.interface)}
    for pair in PAIRS:
        assert services[pair.interface]["depends_on"] == {pair.engine: {"condition": "service_healthy"}}
        port = {pair.engine: 9200, pair.interface: 5601}
        for name, number in port.items():
            assert services[name]["ports"] == [f"127.0.0.1::{number}"]
            assert set(services[name]) <= KNOWN
            health = services[name]["healthcheck"]
            assert set(health) == {"test", "interval", "timeout", "retries"}
            assert f"http://localhost:{number}" in health["test"][1]
        assert f"5601{pair.base}/api/status" in services[pair.interface]["healthcheck"]["test"][1]


def test_both_halves_of_a_pair_have_one_version_and_each_product_two_majors(services: dict[str, Any]) -> None:
    majors: dict[str, set[str]] = {}
    for pair in PAIRS:
        images = [IMAGE.fullmatch(services[name]["image"]) for name in (pair.engine, pair.interface)]
        assert all(images)
        tags = {services[name]["image"].partition(":")[2] for name in (pair.engine, pair.interface)}
        assert len(tags) == 1
        assert {m[1] for m in images if m} == {m[2] for m in images if m} == {pair.interface[-1]}
        majors.setdefault(pair.xsrf, set()).add(pair.interface[-1])
    assert all(len(found) == 2 for found in majors.values())


def test_files_that_are_mounted_are_there(services: dict[str, Any]) -> None:
    mounted = [text for service in services.values() for text in service.get("volumes", ())]
    assert mounted
    for text in mounted:
        source, target, mode = text.split(":")
        assert yaml.safe_load(COMPOSE.parent.joinpath(source).read_text("utf-8"))["workspace.enabled"] is True
        assert target.endswith(".yml")
        assert mode == "ro"


@pytest.mark.parametrize("programs", [[], ["exit 1"]], ids=["no-docker", "no-daemon"])
def test_without_an_engine_for_containers_the_reason_is_one_line(
    programs: list[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in programs:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin" if programs else str(tmp_path))
    assert re.fullmatch(r"(no container engine|docker has).*", lacking())
