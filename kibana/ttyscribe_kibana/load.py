# SPDX-License-Identifier: Apache-2.0
"""Brings the dashboards into a running Kibana or OpenSearch Dashboards, and looks whether they arrived.

An import answers 200 also where objects failed, so its report is read item by item; and objects can vanish without an
error (OpenSearch Dashboards with workspaces), so all of them are read back and compared with what was sent.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana import manifest
from ttyscribe_kibana.bundle import Bundle, SavedObject, committed
from ttyscribe_kibana.client import Client, one_line
from ttyscribe_kibana.fit import fitted
from ttyscribe_kibana.manifest import Entry, Memory
from ttyscribe_kibana.place import Place, find_place
from ttyscribe_kibana.plan import WRITES, Step, plan, removal
from ttyscribe_kibana.saved import Key, SavedObjects, Written, key_of, named, some
from ttyscribe_kibana.server import Flavour, Server, identify
from ttyscribe_store.access import Access

__all__ = ["Access", "Flavour", "Where", "load", "unload"]

_WOULD = {"create": "would import", "upgrade": "would upgrade", "restore": "would take back the edit of"}
_KEPT = "kept as edited: {} (--overwrite takes edits back)"


class Where(NamedTuple):
    """Which place of which server, and whose documents its pages read."""

    url: str
    space: str = ""
    """Kibana's space, by its identifier."""
    tenant: str = ""
    """A tenant of OpenSearch's security plugin."""
    workspace: str = ""
    """OpenSearch Dashboards' workspace, by its id or name."""
    prefix: str = ""
    """The store's index prefix (the path of its URL)."""
    access: Access | None = None
    flavour: Flavour | None = None
    """Decides where the server does not say what it is."""


def load(where: Where, *, player_url: str | None = None, overwrite: bool = False, dry_run: bool = False) -> list[str]:
    """Bring data views and dashboards to the state that this release ships; answers what was done, one line each.

    What an operator edited is kept and told, unless `overwrite`. `player_url` is where recordings are played (its
    `{{value}}` stands for the recording; without one, the recording is put behind it as a path; None: as before).

    Raises ConfigError (wrong address, version, credentials; objects refused, item by item) and Unavailable.
    """
    it = _Installation(where)
    memory = it.memory()
    player = memory.player_url if player_url is None else player_url
    ours = it.shipped(player)
    theirs = it.objects.read([*(key_of(one) for one in ours), *memory.entries])
    steps = plan(ours, theirs, memory.entries, overwrite=overwrite)
    if dry_run:
        return it.told([f"{_WOULD[s.action]} {s}" for s in steps if s.action in WRITES], steps, "would remove")
    lines, placed = it.bring(ours, theirs, steps, memory._replace(player_url=player))
    return it.told(lines, steps, "removed") + it.pages({key: placed.get(key, key[1]) for key in map(key_of, ours)})


def unload(where: Where, *, overwrite: bool = False, dry_run: bool = False) -> list[str]:
    """Remove what `load` brought; what an operator edited stays, with what it refers to, unless `overwrite`.

    Answers and raises as `load` does.
    """
    it = _Installation(where)
    memory = it.memory()
    ours = it.shipped(memory.player_url)
    theirs = it.objects.read([*(key_of(one) for one in ours), *memory.entries])
    steps = removal(ours, theirs, memory.entries, overwrite=overwrite)
    if dry_run:
        return it.told([], steps, "would remove")
    gone = [step.key for step in steps if step.action == "remove"]
    if len(gone) == len(steps) and (steps or memory.entries):
        gone.append(manifest.key(it.ids))
    it.remove(gone)
    return it.told([], steps, "removed")


class _Installation:
    """Our objects in one place, under one prefix."""

    def __init__(self, where: Where) -> None:
        client = Client(where.url, where.access)
        self.server: Server = identify(client, where.flavour)
        self.bundle = self.server.bundle  # too old a server is told before anything else is asked
        self.place: Place = find_place(client, self.server, where.space, where.tenant, where.workspace)
        self.objects = SavedObjects(client, self.place)
        self._url = client.url
        self._prefix = where.prefix.strip("/")
        self.ids = self.place.ids + (f"{self._prefix}-" if self._prefix else "")

    def memory(self) -> Memory:
        """What was installed here before."""
        key = manifest.key(self.ids)
        return manifest.remembered(self.objects.read([key]).get(key))

    def shipped(self, player_url: str) -> list[SavedObject]:
        """The objects of this release, fitted to this place."""
        return fitted(committed(self.bundle), prefix=self._prefix, player_url=player_url, place=self.place.ids)

    def bring(
        self, ours: Sequence[SavedObject], theirs: Mapping[Key, SavedObject], steps: Sequence[Step], memory: Memory
    ) -> tuple[list[str], Mapping[Key, str]]:
        """Write, remove and remember what the steps say. Nothing is written where nothing differs.

        Answers what was written, and under which id each object stands that was.
        """
        wanted = {step.key: step for step in steps if step.action in WRITES}
        sent = [one for one in ours if key_of(one) in wanted]
        kept, lines, written = dict(theirs), [], Written({}, "")
        lost: set[str] = set()
        broken: dict[Key, str] = {}
        if sent:
            written = self._send(sent, memory, overwrite=any(step.action != "create" for step in wanted.values()))
            back, lost = self._read_back(sent, written.placed)
            rewritten, broken = _compared(sent, back)
            kept |= {key: one for key, one in back.items() if key not in broken}
            lines = _written_lines([wanted[key] for key in back], self.bundle) + _renamed(written.placed)
            if rewritten:
                how = f"{len(rewritten)} of them in the form of its own version"
                lines.append(f"note: {self.server} keeps {how}: {some(list(rewritten.values()))}")
        self.remove([step.key for step in steps if step.action == "remove"])
        self._remember(ours, theirs, kept, steps, memory)
        if written.refusal:
            raise ConfigError(f"{self.objects.name}: {written.refusal}")
        if lost:
            raise ConfigError(
                f"{self.objects.name}: took the objects, but reading them back misses {some(sorted(lost))}: "
                "is it the right space, workspace or tenant?"
            )
        if broken:
            different = some(list(broken.values()))
            raise ConfigError(f"{self.objects.name}: keeps something else than what was sent: {different}")
        return lines, written.placed

    def _send(self, sent: Sequence[SavedObject], memory: Memory, *, overwrite: bool) -> Written:
        """Import, with a note before it: a run that ends here is then told from an operator's edit."""
        self._note(memory, {**memory.entries, **{key_of(one): manifest.begun(one) for one in sent}})
        try:
            return self.objects.write(sent, overwrite=overwrite)
        except ConfigError:  # the file was refused as a whole
            self._note(memory, memory.entries)
            raise

    def _read_back(
        self, sent: Sequence[SavedObject], placed: Mapping[Key, str]
    ) -> tuple[dict[Key, SavedObject], set[str]]:
        """What now stands there whole of what was taken, and what is missing of it or of what it refers to."""
        targets = {
            (kind, placed.get((kind, name), name))
            for one in sent
            if key_of(one) in placed
            for kind, name in [key_of(one), *_links(one)]
        }
        there = self.objects.read(targets)
        lost = {named(key) for key in targets - set(there)}
        back = {}
        for one in sent:
            found = there.get((one["type"], placed.get(key_of(one), "")))
            if found is None:
                continue
            lacking = [key for key in _links(found, like=one) if key not in there]
            lost |= {f"{named(key)} (needed by {one_line(found['id'])})" for key in lacking}
            if not lacking:
                back[key_of(one)] = found
        return back, lost

    def remove(self, keys: Sequence[Key]) -> None:
        """Delete, and look. ConfigError names what has to be removed by hand."""
        refused = {key: why for key in keys if (why := self.objects.delete(key))}
        left = set(self.objects.read(keys)) if keys else set()
        if left:
            reasons = [named(key) + (f" ({refused[key]})" if key in refused else "") for key in sorted(left)]
            raise ConfigError(
                f"{self.objects.name}: cannot remove {some(reasons)}: "
                "remove them by hand (Stack Management, Saved Objects)"
            )

    def _remember(
        self,
        ours: Sequence[SavedObject],
        theirs: Mapping[Key, SavedObject],
        kept: Mapping[Key, SavedObject],
        steps: Sequence[Step],
        memory: Memory,
    ) -> None:
        """Write down what is installed now, where that is not what stands there already."""
        gone = {step.key for step in steps if step.action == "remove"}
        entries = {key: entry for key, entry in memory.entries.items() if key not in gone}
        mine = {key_of(one): one for one in ours}
        for step in steps:
            if step.action in ("keep", "remove") or step.key not in kept:
                continue
            is_known = step.key in entries and bool(entries[step.key].stored)
            if kept[step.key] is theirs.get(step.key) and (step.action != "same" or is_known):
                continue
            entries[step.key] = manifest.entry_of(mine[step.key], kept[step.key])
        self._note(memory, entries)

    def _note(self, memory: Memory, entries: Mapping[Key, Entry]) -> None:
        """Write the memory where it is another one than stands there; nothing to remember is no page."""
        after = memory._replace(entries=entries)
        if after == self.memory():
            return
        if not entries:
            self.remove([manifest.key(self.ids)])
            return
        written = self.objects.write([manifest.manifest(self.bundle, self.ids, after)], overwrite=True)
        if written.refusal:
            raise ConfigError(f"{self.objects.name}: cannot remember what was installed: {written.refusal}")

    def told(self, lines: list[str], steps: Sequence[Step], removed: str) -> list[str]:
        """What was or would be done, with what stays as the operator has it."""
        lines = lines + [f"{removed} {step}" for step in steps if step.action == "remove"]
        if not lines:
            count = sum(step.action == "same" for step in steps)
            lines = [f"nothing to change, {count} objects are in place" if steps else "nothing of ours"]
        lines += [_KEPT.format(step) for step in steps if step.action == "keep"]
        return [f"{self.objects.name}: {lines[0]}", *lines[1:]]

    def pages(self, placed: Mapping[Key, str]) -> list[str]:
        """Where to look."""
        front = f"{self._url}{self.place.front}/app/dashboards#/view/"
        newer = [f"note: {self.server} is newer than this release knows: look whether all panels show"]
        pages = [f"open {front}{quote(name, safe='~')}" for (kind, _), name in placed.items() if kind == "dashboard"]
        return (newer if self.server.is_newer_than_known else []) + pages


def _written_lines(steps: Sequence[Step], bundle: Bundle) -> list[str]:
    """What was written, new objects by their number, changed ones by name."""
    created = sum(step.action == "create" for step in steps)
    lines = [f"imported and read back {created} objects of bundle {bundle}"] if created else []
    for action, done in (("upgrade", "upgraded"), ("restore", "took back the edit of")):
        lines += [f"{done} {step}" for step in steps if step.action == action]
    return lines


def _links(saved: SavedObject, like: SavedObject | None = None) -> list[Key]:
    """What an object refers to; with `like`, by the names that this one has: servers may add links of their own."""
    names = {one["name"] for one in (like or saved)["references"]}
    return [(str(one.get("type")), str(one.get("id"))) for one in saved["references"] if one.get("name") in names]


def _compared(sent: Sequence[SavedObject], back: Mapping[Key, SavedObject]) -> tuple[dict[Key, str], dict[Key, str]]:
    """What differs field by field: in objects that the server rewrote for its own version, and in those it should not.

    A server that is newer than our objects rewrites them; one that leaves them at our version must leave them whole.
    """
    rewritten: dict[Key, str] = {}
    broken: dict[Key, str] = {}
    for one in sent:
        found = back.get(key_of(one))
        names = manifest.differing(one, found) if found and found["id"] == one["id"] else []
        if found and names:
            into = rewritten if _version(found) != _version(one) else broken
            into[key_of(one)] = f"{named(key_of(one))} ({', '.join(names)})"
    return rewritten, broken


def _renamed(placed: Mapping[Key, str]) -> list[str]:
    moved = [f"{named(key)} as {one_line(name)}" for key, name in placed.items() if key[1] != name]
    return [f"note: another place has these ids already, so here they got others: {some(moved)}"] if moved else []


def _version(saved: SavedObject) -> str:
    """The version of its type at which an object stands."""
    old = saved.get("migrationVersion")
    return str(saved.get("typeMigrationVersion") or (old.get(saved["type"]) if isinstance(old, dict) else ""))
