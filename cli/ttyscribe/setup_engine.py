# SPDX-License-Identifier: Apache-2.0
"""The part of `ttyscribe setup` that prepares Elasticsearch and OpenSearch: plan, show, do."""

import argparse
import sys

from ttyscribe.setup_local import confirm
from ttyscribe.text import counted
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.install import apply, show
from ttyscribe_store.install.plan import Plan
from ttyscribe_store.install.settings import Wishes
from ttyscribe_store.partition import STREAM

_WEAKER = (
    "note: a data stream knows a document again only until its next rollover: what is delivered again after it "
    "(a replay, a long outage) is stored twice"
)


def run(url: str, options: argparse.Namespace) -> None:
    """Bring the engine to what is wanted; say each thing that was written or kept."""
    store = ElasticStore(url)
    try:
        if options.remove:
            _remove(store, url, options)
        else:
            _prepare(store, url, options)
    finally:
        store.close()


def _prepare(store: ElasticStore, url: str, options: argparse.Namespace) -> None:
    wishes = Wishes(options.layout, options.priority, options.retention, options.overwrite, options.rollover)
    plan = apply.planned(*store.installation(), wishes)
    for warning in plan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    _carry_out(store, plan, dry_run=options.dry_run)
    if not (plan.writes or options.dry_run):
        print(f"{url}: nothing to change, all is in place")
    if plan.settings.layout == STREAM:
        print(_WEAKER)


def _carry_out(store: ElasticStore, plan: Plan, *, dry_run: bool) -> None:
    if dry_run:
        for line in show.shown(plan):
            print(line)
        if plan.writes:
            print("nothing was written (--dry-run)")
        return
    for step in apply.applied(*store.installation(), plan):
        print(step.line(), flush=True)


def _remove(store: ElasticStore, url: str, options: argparse.Namespace) -> None:
    plan = apply.planned_removal(*store.installation(), keep_data=options.keep_data)
    data = [step for step in plan.steps if step.is_data]
    if data and not options.dry_run:
        confirm(options, f"{counted(store.count(), 'document')} in {len(data)} indices and data streams of {url}")
    _carry_out(store, plan, dry_run=options.dry_run)
    if not (plan.writes or options.dry_run):
        print(f"{url}: nothing of ours is there")
