# SPDX-License-Identifier: Apache-2.0
"""Finds the newest Java and the pair of engines that it can run."""

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple


class NoEngine(Exception):
    """An engine can't be had here; the text says in one line what to install."""


class Java(NamedTuple):
    """One Java on this machine."""

    home: Path
    major: int


class Pair(NamedTuple):
    """The versions that belong together because one Java runs both."""

    opensearch: str
    elasticsearch: str

    def __str__(self) -> str:
        return f"OpenSearch {self.opensearch} and Elasticsearch {self.elasticsearch}"


NEW = Pair("3.8.0", "9.5.2")
"""Needs Java 21."""
OLD = Pair("2.19.1", "8.19.9")
"""Needs Java 17, which is what Debian 12 gives."""


def pair_for(major: int) -> Pair:
    """The newest pair that a Java of this major version runs."""
    if major >= 21:
        return NEW
    if major >= 17:
        return OLD
    raise NoEngine(f"Java {major} is too old for the engines: apt-get install openjdk-17-jre-headless")


def major_of(home: Path) -> int:
    """Major version by the `release` file that every Java carries; 0 where there is none."""
    try:
        found = re.search(r'^JAVA_VERSION="(\d+)', (home / "release").read_text(errors="replace"), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found and (home / "bin" / "java").exists() else 0


def _homes(environment: Mapping[str, str]) -> Iterable[Path]:
    """Where Java may be: named by the environment, in the usual folder, behind `java` on PATH."""
    yield from (Path(value) for name, value in environment.items() if re.fullmatch(r"JAVA\w*_HOME.*", name) and value)
    yield from sorted(Path("/usr/lib/jvm").glob("*"))
    program = shutil.which("java")
    if program:
        yield Path(os.path.realpath(program)).parent.parent


def find_java(environment: Mapping[str, str] | None = None) -> Java:
    """`TEST_JAVA_HOME` if it is set, else the newest Java found."""
    environment = os.environ if environment is None else environment
    named = environment.get("TEST_JAVA_HOME", "")
    if named:
        major = major_of(Path(named))
        if not major:
            raise NoEngine(f"TEST_JAVA_HOME={named} holds no Java")
        return Java(Path(named), major)
    newest = max(_found(environment), key=lambda java: java.major, default=None)
    if newest is None or not newest.major:
        raise NoEngine("java is not installed: apt-get install openjdk-17-jre-headless")
    return newest


def _found(environment: Mapping[str, str]) -> list[Java]:
    return [Java(Path(os.path.realpath(home)), major_of(home)) for home in _homes(environment)]


def javas_for(environment: Mapping[str, str] | None = None) -> dict[Pair, Java | None]:
    """The newest Java that runs each pair, the older pair first; none where it is not installed."""
    known = sorted(_found(os.environ if environment is None else environment), key=lambda java: java.major)
    chosen: dict[Pair, Java | None] = {OLD: None, NEW: None}
    for java in known:
        if java.major >= 17:
            chosen[pair_for(java.major)] = java
    return chosen
