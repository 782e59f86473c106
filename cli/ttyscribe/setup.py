# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe setup`: prepares a store, and brings the dashboards to those who look at it."""

import argparse

from ttyscribe import stores
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.open import open_store

DESCRIPTION = """Prepares a store: the folder of SQLite files, or the index templates of Elasticsearch or OpenSearch.
With --kibana it brings the dashboards into Kibana or OpenSearch Dashboards too. Each thing that was written is told;
run again, it changes nothing. What somebody edited on the engine is kept, and told.

Credentials come from the environment: TTYSCRIBE_STORE_USER, _PASSWORD, _API_KEY, _TOKEN (each secret also as _FILE, a
file that holds it), _CA, and the same names with TTYSCRIBE_KIBANA_ before them."""
EPILOG = """examples:
  ttyscribe setup --store sqlite:/var/lib/ttyscribe
  ttyscribe setup --store https://search:9200
  ttyscribe setup --store https://search:9200 --dry-run
  ttyscribe setup --store https://search:9200 --overwrite
  ttyscribe setup --store http://localhost:9200 --kibana http://localhost:5601 --player-url https://play.example"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    stores.add_store(parser)
    engine = parser.add_argument_group("on an engine")
    engine.add_argument("--dry-run", action="store_true", help="print what would be done, and how each object changes")
    engine.add_argument("--overwrite", action="store_true", help="take back what somebody edited in our objects")
    engine.add_argument("--rollover", action="store_true", help="begin data streams anew where fields changed type")
    engine.add_argument(
        "--priority", metavar="N", type=int, help="of our index templates: 250, or what was given the last time"
    )
    pages = parser.add_argument_group("dashboards")
    pages.add_argument("--kibana", metavar="URL", default="", help="Kibana or OpenSearch Dashboards, with base path")
    place = pages.add_mutually_exclusive_group()
    place.add_argument("--space", metavar="ID", default="", help="Kibana's space (the default one)")
    place.add_argument("--tenant", metavar="NAME", default="", help="tenant of OpenSearch's security plugin")
    place.add_argument("--workspace", metavar="ID", default="", help="OpenSearch Dashboards' workspace, by id or name")
    pages.add_argument(
        "--player-url", metavar="URL", help="makes recordings in them links; kept by later runs, '' takes it away"
    )


def run(options: argparse.Namespace) -> int:
    """Write what is missing; say what."""
    if not options.kibana and any((options.space, options.tenant, options.workspace, options.player_url is not None)):
        raise ConfigError("--space, --tenant, --workspace and --player-url are about dashboards: give --kibana URL too")
    url = stores.store_url(options)
    if url.startswith(("http://", "https://")):
        from ttyscribe import setup_engine

        setup_engine.run(url, options)
    else:
        _local(url, options)
    if options.kibana:
        _dashboards(options, url)
    return 0


def _local(url: str, options: argparse.Namespace) -> None:
    if (options.overwrite and not options.kibana) or options.rollover or options.priority is not None:
        raise ConfigError("--overwrite, --rollover and --priority are about Elasticsearch and OpenSearch")
    if options.dry_run:
        print(f"{url}: files are made when they are needed; nothing else is prepared")
        return
    lines = open_store(url).setup()
    for line in lines or [f"{url}: nothing to change, all is in place"]:
        print(line)


def _dashboards(options: argparse.Namespace, url: str) -> None:
    from ttyscribe_kibana.load import Where, load
    from ttyscribe_store.address import parse_address

    prefix = ""
    if url.startswith(("http://", "https://")):
        prefix = parse_address(url).prefix.removesuffix("-")
    else:
        print(f"note: dashboards read Elasticsearch or OpenSearch; {url} is neither")
    where = Where(options.kibana, options.space, options.tenant, options.workspace, prefix)
    lines = load(where, player_url=options.player_url, overwrite=options.overwrite, dry_run=options.dry_run)
    for line in lines:
        print(line)
