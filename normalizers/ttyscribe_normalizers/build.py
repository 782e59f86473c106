# SPDX-License-Identifier: Apache-2.0
"""The pipeline that the program's options ask for."""

import importlib.metadata
import pwd
import time
import uuid
from collections.abc import Callable, Sequence

from ttyscribe_normalizers import envelope, fulljson, kinds, logs, options, plugins, shapes, table, trust
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog
from ttyscribe_normalizers.pipeline import Decode, Pipeline
from ttyscribe_normalizers.swift import Swift
from ttyscribe_normalizers.template import Template


def version() -> str:
    """Of the installed distribution."""
    try:
        return importlib.metadata.version("ttyscribe")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _stamp() -> str:
    return uuid.uuid4().hex


def build(
    wanted: options.Options,
    around: Callable[[Decode], Decode] = lambda decode: decode,
    *,
    stamp: Callable[[], str] = _stamp,
    now_ns: Callable[[], int] = time.time_ns,
    quick: bool = True,
) -> Pipeline:
    """The pipeline that the options ask for; a protocol may have something of its own `around` the decoder.

    `stamp` gives new ids. Not `quick`: every line goes the long way, on which more can be seen. Raises ConfigError.
    """
    vouching = trust.Trust(wanted.trusted_uid, trust.cached(_name_of, time.monotonic))
    context = kinds.Context(vouching, stamp, wanted.protocol, version())
    if wanted.profile == "viaq":
        from ttyscribe_normalizers.viaq import build as viaq  # the chain takes a fifth of the start

        return viaq.build(wanted, context, now_ns, around, quick=quick)
    decode = DECODERS.get(wanted.protocol, shapes.decode)
    others = plugins.Wanted(wanted.prefer_kind, wanted.without_kind)
    found = plugins.load(context, others, logs.reporter(wanted.log_file))
    if quick and wanted.protocol != table.MMEXTERNAL:
        decode = Template(decode).decode
    swift = Swift() if quick and wanted.protocol in ("omprog", "ndjson") and _tlog_leads(found) else None
    return Pipeline(around(decode), found, Syslog(context), wanted.max_message, swift=swift)


def _tlog_leads(found: Sequence[kinds.Kind]) -> bool:
    """Tell whether no kind of another package is asked before that of recordings: it could take any message."""
    before = found[: next((place for place, kind in enumerate(found) if kind.name == "tlog"), 0)]
    return not any(isinstance(kind, plugins.Plugged) for kind in before) and any(kind.name == "tlog" for kind in found)


def checked(pipeline: Pipeline, wanted: options.Options, report: logs.Report) -> Pipeline:
    """The pipeline, with `--validate` one that checks what it makes."""
    if not wanted.validate:
        return pipeline
    from ttyscribe_normalizers.validate import Checks, Validating

    return Validating(pipeline, Checks(), report)


DECODERS: dict[str, Decode] = {"omprog": envelope.decode, table.MMEXTERNAL: fulljson.decode}
"""Of protocols whose lines have one form."""


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return ""
