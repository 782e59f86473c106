# SPDX-License-Identifier: Apache-2.0
"""The part of `ttyscribe setup` that prepares Elasticsearch and OpenSearch: plan, show, do."""

import argparse
import sys

from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.install import apply, show
from ttyscribe_store.install.settings import Wishes


def run(url: str, options: argparse.Namespace) -> None:
    """Bring the engine to what is wanted; say each thing that was written or kept."""
    store = ElasticStore(url)
    try:
        _prepare(store, url, options)
    finally:
        store.close()


def _prepare(store: ElasticStore, url: str, options: argparse.Namespace) -> None:
    transport, prefix = store.installation()
    wishes = Wishes(priority=options.priority, overwrite=options.overwrite, rollover=options.rollover)
    plan = apply.planned(transport, prefix, wishes)
    for warning in plan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if options.dry_run:
        for line in show.shown(plan):
            print(line)
        return
    for step in apply.applied(transport, prefix, plan):
        print(step.line())
    if not plan.writes:
        print(f"{url}: nothing to change, all is in place")
