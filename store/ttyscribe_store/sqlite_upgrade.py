# SPDX-License-Identifier: Apache-2.0
"""How the schema of the store on SQLite changed, version by version: the list that `ttyscribe store upgrade` goes by.

Who changes `SCHEMA` in sqlite_rows.py raises `VERSION` there and adds one step here. It says how files of the version
before come to the new one: by statements, where these are quick however large the file is, or by writing all documents
anew. Everything but a document's body is made from it, so that the second way needs nothing but the step.

That holds too for a change of what documents are found by (`indexed` in query/sqlite.py, the paths in query/fields.py):
files that are there would not have it. Derived documents are no reason for a step: they are made anew by the number of
their rules.
"""

from typing import NamedTuple

from ttyscribe_store.sqlite_rows import BY_TIME, DERIVING, VERSION


class Step(NamedTuple):
    """One change of the schema."""

    to: int
    about: str
    statements: tuple[str, ...] = ()
    """Bring a file of the version before to this one, in one transaction. None: its documents are written anew."""


_VALUES = "INSERT OR IGNORE INTO value SELECT '{0}', {0}, number FROM document WHERE {0} IS NOT NULL"

STEPS = (
    Step(2, "fields, commands and lines can be searched"),
    Step(
        3,
        "searches read less: users and sessions are among the values, and time's index holds what queries compare",
        ("DROP INDEX document_by_time", BY_TIME, _VALUES.format("user"), _VALUES.format("session")),
    ),
    Step(4, "recordings that got messages since they were derived are known", DERIVING),
    Step(5, "programs that audit saw start are found by their session"),
    Step(6, "paths and programs are found by parts of them"),
)

UPGRADING = 1 << 16
"""Added to the version that a file is being brought to, until all of its documents are."""


def statements(version: int) -> list[Step] | None:
    """The steps from a version to ours, if each has statements; none where documents have to be written anew."""
    found = [step for step in STEPS if step.to > version]
    return found if version < UPGRADING and found and all(step.statements for step in found) else None


def is_older(version: int) -> bool:
    """Tell whether a file that says this version is to be upgraded: it is older, or an upgrade was not finished."""
    return 0 < version < VERSION or 0 < version - UPGRADING <= VERSION


def complaint(version: int, folder: str) -> str:
    """Why a file that says this version can't be used, and what to do."""
    command = f"run ttyscribe store upgrade --store sqlite:{folder}"
    if version > UPGRADING and is_older(version):
        return f"is being upgraded, or that was not finished: {command}"
    if is_older(version):
        return f"was made by an older version of ttyscribe (schema {version}, now {VERSION}): {command}"
    return (
        f"was made by a newer version of ttyscribe (schema {version}, this one knows {VERSION}): install that version"
    )
