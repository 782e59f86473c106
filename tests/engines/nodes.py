# SPDX-License-Identifier: Apache-2.0
"""Starts one engine node, waits until it serves, and stops it by its process group.

A node lives in its own folder under the temporary directory, its data in memory where there is room; both go when it
stops. As root Elasticsearch, which refuses root, runs as `nobody`.
"""

import ctypes
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.engines import fetch
from tests.engines.java import Java, NoEngine, find_java, pair_for

NAMES = ("opensearch", "elasticsearch")
READY_S = 300.0
"""Seconds; a start takes less than 20 where nothing else runs."""
_PREFIX = "ttyscribe-engine-"
_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30
"""Bytes that must be free there; a run leaves a few hundred megabytes."""
_RUNNER_PORTS = range(9212, 9300)
"""OpenSearch's runner takes no port above 9299; 9211 is left to `python -m tests.engines start`."""


class Node(NamedTuple):
    """One running engine."""

    name: str
    version: str
    url: str
    pid: int
    folder: str


class _Plan(NamedTuple):
    """How one engine is started."""

    command: list[str]
    environment: dict[str, str]
    user: str | None


def free_port(wanted: range | None = None) -> int:
    """A port on the loopback that nobody listens on, out of those wanted."""
    for port in wanted or (0,):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise NoEngine(f"no free port in {wanted}")


def _data(folder: Path) -> Path:
    """Where a node's data lie: in memory, because engines sync each change of a template, and tests make thousands."""
    try:
        room = shutil.disk_usage(_MEMORY).free
    except OSError:
        room = 0
    above = _MEMORY if room >= _ROOM else folder
    data = above / f"{folder.name}-data"
    data.mkdir()
    return data


def _remove(folder: Path) -> None:
    """Remove what a node leaves; its note last, so that a sweep finds what was not removed to the end."""
    shutil.rmtree(_MEMORY / f"{folder.name}-data", ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _opensearch(version: str, java: Java, folder: Path, data: Path, port: int) -> _Plan:
    """OpenSearch through its runner, which listens on one above the base port."""
    jars = fetch.opensearch(version, java)
    flags = ["--enable-native-access=ALL-UNNAMED", "--add-modules", "jdk.incubator.vector"] if java.major >= 21 else []
    main = "org.codelibs.opensearch.runner.OpenSearchRunner"
    options = ["-basePath", str(data), "-numOfNode", "1", "-baseHttpPort", str(port - 1)]
    command = [str(java.home / "bin/java"), "-Xms512m", "-Xmx1g", *flags, "-cp", f"{jars}/*", main, *options]
    return _Plan([*command, "-clusterName", folder.name, "-useLogger"], dict(os.environ), None)


_YAML = """cluster.name: {name}
discovery.type: single-node
path.data: {data}
network.host: 127.0.0.1
http.port: {port}
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
"""


def _elasticsearch(version: str, java: Java, folder: Path, data: Path, port: int) -> _Plan:
    """Elasticsearch's bare distribution, unpacked into the node's folder because it writes beside its programs."""
    with zipfile.ZipFile(fetch.elasticsearch(version, java)) as archive:
        archive.extractall(folder)
    home = next(folder.glob("elasticsearch-*"))
    for program in (home / "bin").iterdir():
        program.chmod(0o755)
    (home / "config/elasticsearch.yml").write_text(_YAML.format(name=folder.name, data=data, port=port))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ES_")}
    environment |= {
        "ES_JAVA_HOME": str(java.home),
        "JAVA_HOME": str(java.home),
        "ES_JAVA_OPTS": "-Xms512m -Xmx1g",
        "CLI_JAVA_OPTS": "-Xmx64m",
    }
    (folder / "tmp").mkdir()  # else each start leaves a folder in the temporary directory
    environment |= {"HOME": str(folder), "TMPDIR": str(folder), "ES_TMPDIR": str(folder / "tmp")}
    return _Plan([str(home / "bin/elasticsearch")], environment, "nobody" if os.geteuid() == 0 else None)


_PLANS: dict[str, Callable[[str, Java, Path, Path, int], _Plan]] = {
    "opensearch": _opensearch,
    "elasticsearch": _elasticsearch,
}


_plans: dict[str, _Plan] = {}
"""How the nodes of this process were started, by their folders."""


def _own(folder: Path, user: str) -> None:
    """Give a folder and all below it to a user."""
    entry = pwd.getpwnam(user)
    for base, _, files in os.walk(folder):
        for path in (base, *(os.path.join(base, name) for name in files)):
            os.chown(path, entry.pw_uid, entry.pw_gid)


def _die_with_parent() -> None:
    """Have the kernel stop the node when the test run dies, however it dies."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class _PortTaken(Exception):
    """Another node was quicker to take the port."""


def start(name: str, port: int = 0, *, keep: bool = False) -> Node:
    """Start one engine and wait until it serves.

    `keep` lets it outlive this process. Raises `NoEngine` where it can't be had or does not come up.
    """
    sweep()
    java = find_java()
    for _ in range(5):
        try:
            return _start(name, java, port or free_port(_RUNNER_PORTS if name == "opensearch" else None), keep)
        except _PortTaken:
            continue
    raise NoEngine(f"{name}: somebody else listens on every port tried")


def _start(name: str, java: Java, port: int, keep: bool) -> Node:
    """Start it on this port."""
    version = getattr(pair_for(java.major), name)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o755)
    try:
        data = _data(folder)
        plan = _PLANS[name](version, java, folder, data, port)
        if plan.user:
            _own(folder, plan.user)
            _own(data, plan.user)
        _plans[str(folder)] = plan
        process = _spawn(plan, folder, keep)
    except BaseException:
        _remove(folder)
        raise
    node = Node(name, version, f"http://127.0.0.1:{port}", process.pid, str(folder))
    _note(node)
    try:
        _wait(node, process)
    except BaseException:
        stop(node)
        raise
    finally:
        process.returncode = process.returncode or 0  # from here on the node is known by its pid, not by this object
    return node


def _spawn(plan: _Plan, folder: Path, keep: bool) -> subprocess.Popen[bytes]:
    """Start the node's process as the leader of its own group, its output in the folder's log."""
    entry = pwd.getpwnam(plan.user) if plan.user else None
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            plan.command,
            env=plan.environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=None if keep else _die_with_parent,  # noqa: PLW1509 - no threads run at this point
            user=entry.pw_uid if entry else None,
            group=entry.pw_gid if entry else None,
            extra_groups=[] if entry else None,
        )


def serving(url: str, timeout: float = 5.0) -> str:
    """Name of the cluster that serves there; empty = none does yet."""
    try:
        with urllib.request.urlopen(f"{url}/_cluster/health?wait_for_status=yellow&timeout=2s", timeout=timeout) as got:
            return str(json.load(got)["cluster_name"])
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        pass
    return ""


def _wait(node: Node, process: subprocess.Popen[bytes], patience: float = READY_S) -> None:
    """Return once the node serves; its own last words are the reason where it does not."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        cluster = serving(node.url)
        if cluster == Path(node.folder).name:
            return
        if cluster:
            raise _PortTaken
        if process.poll() is not None:
            break
        time.sleep(0.25)
    tail = " | ".join((Path(node.folder) / "log").read_text(errors="replace").splitlines()[-5:])
    raise NoEngine(f"{node.name} {node.version} did not come up: {tail}")


def _born(pid: int) -> int:
    """When a process started, in clock ticks since boot (tells a reused pid apart); 0 = it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def stop(node: Node) -> None:
    """Stop a node's process group, by force after ten seconds, and remove its folder."""
    for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(node.pid, number)
        except ProcessLookupError:
            break
        if _gone(node.pid, patience):
            break
    _remove(Path(node.folder))


def _note(node: Node) -> None:
    """Say whose folder this is, so that it is removed once that process is gone."""
    (Path(node.folder) / "node.json").write_text(json.dumps({**node._asdict(), "born": _born(node.pid)}))


def kill(node: Node) -> None:
    """Kill a node at once, and keep its folder and data."""
    _note(node._replace(pid=os.getpid()))  # else others would remove them
    os.killpg(node.pid, signal.SIGKILL)
    if not _gone(node.pid, 30.0):
        raise NoEngine(f"{node.name}: does not die")


def revive(node: Node) -> Node:
    """Start a node again that this process has started and killed, at the same place and port."""
    process = _spawn(_plans[node.folder], Path(node.folder), keep=False)
    again = node._replace(pid=process.pid)
    _note(again)
    try:
        _wait(again, process, 3 * READY_S)
    finally:
        process.returncode = process.returncode or 0
    return again


def _gone(group: int, patience: float) -> bool:
    """Wait for a process group to end; our own children are reaped on the way."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            os.waitpid(group, os.WNOHANG)
        except ChildProcessError:
            pass
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def running() -> list[Node]:
    """Nodes of this user that are alive, whoever started them."""
    return [node for node, alive in _known() if alive]


def sweep() -> None:
    """Remove the folders of nodes whose process was killed."""
    for node, alive in _known():
        if not alive:
            _remove(Path(node.folder))


def _known() -> list[tuple[Node, bool]]:
    """Each node that left a note, and whether its process is the one that the note means."""
    found = []
    for note in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/node.json"):
        try:
            data = json.loads(note.read_text())
            born = data.pop("born")
            node = Node(**data)
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if note.parent.stat().st_uid == os.geteuid() or os.geteuid() == 0:
            found.append((node, bool(born) and _born(node.pid) == born))
    return sorted(found)
