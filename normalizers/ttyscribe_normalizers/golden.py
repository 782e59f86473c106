# SPDX-License-Identifier: Apache-2.0
"""Golden cases: lines as they were captured, and beside them the documents that they become.

`NAME.in.json` is written by hand; `NAME.out.json` only by `--write-golden`, and read in the diff::

    {"origin": "fail2ban 1.0.2 on Debian 12, logtarget SYSLOG", "protocol": "omprog", "lines": ["{...}"]}

`origin` says where the lines are from, `protocol` how they came (`omprog` or `ndjson`); a line that is no UTF-8 is
`{"base64": "..."}`. All else that documents depend on is fixed: the time of reading, three users' names, new ids.
"""

import difflib
import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_normalizers import envelope, shapes, show
from ttyscribe_normalizers.kinds import Context, Kind
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog
from ttyscribe_normalizers.pipeline import MAX_TEXT, Decode, Pipeline
from ttyscribe_normalizers.trust import Trust

Load = Callable[[Context], Sequence[Kind]]

IN, OUT = ".in.json", ".out.json"
NOW_NS = timestamp.parse("2026-11-24T12:00:02Z")
"""When the lines are read."""
NAMES = {0: "root", 1000: "ada", 1001: "eve"}
VERSION = "0.1.0"
NODE = "node1.example.com"
DECODERS: dict[str, Decode] = {"omprog": envelope.decode, "ndjson": shapes.decode}


class Case(NamedTuple):
    """One case, and how what it makes now differs from what is kept beside it."""

    path: Path
    """What is kept."""
    text: str
    """What it makes now, as the file holds it."""
    before: str | None
    """What the file holds; none where there is none."""

    @property
    def diff(self) -> str:
        """The difference, safe for a terminal; empty where there is none."""
        if self.before is None or self.before == self.text:
            return ""
        before, now = (map(show.printable, text.splitlines()) for text in (self.before, self.text))
        return "\n".join(difflib.unified_diff([*before], [*now], str(self.path), "what it makes now", lineterm=""))


def stamps() -> Callable[[], str]:
    """Ids that are new each time, and the same in each run."""
    numbers = count(1)
    return lambda: f"stamp-{next(numbers)}"


def context(protocol: str, trusted: Sequence[int] = (0,)) -> Context:
    """What kinds are made with."""
    return Context(Trust(trusted, lambda uid: NAMES.get(uid, "")), stamps(), protocol, VERSION)


def pipeline(protocol: str, load: Load, max_text: int = MAX_TEXT, trusted: Sequence[int] = (0,)) -> Pipeline:
    """A pipeline that depends on nothing but its lines."""
    made = context(protocol, trusted)
    return Pipeline(DECODERS[protocol], load(made), Syslog(made), max_text)


def viaq_pipeline(protocol: str, config: str = "", *, stored: bool = True) -> Pipeline:
    """The same under the profile viaq; `config` is TOML, empty: the shipped one. Raises ConfigError."""
    from ttyscribe_formats.viaq import settings
    from ttyscribe_formats.viaq.config import Surroundings
    from ttyscribe_normalizers.viaq import load
    from ttyscribe_normalizers.viaq import shapes as viaq_shapes
    from ttyscribe_normalizers.viaq.profile import Profile, Wanted

    wanted = settings.read(config) if config else load.read("")
    surroundings = Surroundings(node_name=NODE, version="1.0 2.0")
    chain = load.compiled(wanted, surroundings, "")
    keeps = load.keeps_collector(wanted)
    parts = Wanted(chain, wanted.tags, NODE, lambda: NOW_NS, stored=stored, keeps_collector=keeps)
    profile = Profile(parts, context(protocol))
    return Pipeline(
        envelope.decode if protocol == "omprog" else viaq_shapes.decode, [profile], profile, keep_empty=True
    )


def made(case: dict[str, Any], load: Load) -> dict[str, Any]:
    """What a case's lines become: `documents`, and `dead` with status, reason and time of receipt."""
    if case.get("profile") == "viaq":
        subject = viaq_pipeline(case["protocol"], case.get("config", ""), stored=case["stored"])
    else:
        subject = pipeline(case["protocol"], load)
    found: dict[str, Any] = {"documents": [], "dead": []}
    for line in case["lines"]:
        processed = subject.process(line.encode() if isinstance(line, str) else b64decode(line["base64"]), NOW_NS)
        found["documents"] += processed.documents
        found["dead"] += [list(processed.dead)] if processed.dead else []
    return found


def read(path: Path, load: Load) -> Case:
    """One case of its `.in.json`. Raises ConfigError for what is none."""
    try:
        case = json.loads(path.read_text("utf-8"))
        if not case["origin"]:
            raise ConfigError("say in `origin` where the lines are from", str(path))
        found = made(case, load)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, MessageError) as error:
        raise ConfigError(f"no golden case: {type(error).__name__}: {error}", str(path)) from None
    out = path.with_name(path.name.removesuffix(IN) + OUT)
    before = out.read_text("utf-8") if out.exists() else None
    return Case(out, json.dumps(found, ensure_ascii=False, indent=1) + "\n", before)


def write(folder: Path, load: Load, say: Callable[[str], None], ask: Callable[[str], bool]) -> int:
    """`--write-golden`: write what is missing; of what differs show how, and write it if `ask` says so.

    The number of cases that differ still. Raises ConfigError where there are none, or one is none.
    """
    paths = sorted(folder.rglob(f"*{IN}"))
    if not paths:
        raise ConfigError(f"there is no *{IN} in it", str(folder))
    same = left = 0
    for case in [read(path, load) for path in paths]:
        if case.before == case.text:
            same += 1
            continue
        if case.before is not None:
            say(case.diff)
            if not ask(f"write {case.path}?"):
                say(f"left as it is: {case.path}; remove it to have it written anew")
                left += 1
                continue
        try:
            case.path.write_text(case.text, "utf-8")
        except OSError as error:
            raise ConfigError(f"can't be written: {error.strerror}", str(case.path)) from None
        say(f"wrote {case.path}")
    say(f"{len(paths)} cases: {same} as they were, {left} differ")
    return left
