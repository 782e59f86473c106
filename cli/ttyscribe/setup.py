# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe setup`: prepares a store, and brings the dashboards to those who look at it."""

import argparse

from ttyscribe import stores
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.open import open_store

DESCRIPTION = """Prepares a store: the folder of SQLite files, or the index templates of Elasticsearch or OpenSearch.
With --kibana it brings the dashboards into Kibana or OpenSearch Dashboards too. Each thing that was written is told;
run again, it changes nothing.

Credentials come from the environment: TTYSCRIBE_STORE_USER, _PASSWORD, _API_KEY, _TOKEN (each secret also as _FILE, a
file that holds it), _CA, and the same names with TTYSCRIBE_KIBANA_ before them."""
EPILOG = """examples:
  ttyscribe setup --store sqlite:/var/lib/ttyscribe
  ttyscribe setup --store https://search:9200
  ttyscribe setup --store http://localhost:9200 --kibana http://localhost:5601 --player-url https://play.example"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    stores.add_store(parser)
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
    lines = open_store(url).setup()
    for line in lines:
        print(line)
    if not lines:
        print(f"{url}: nothing to change, all is in place")
    if options.kibana:
        _dashboards(options, url)
    return 0


def _dashboards(options: argparse.Namespace, url: str) -> None:
    from ttyscribe_kibana.load import Where, load
    from ttyscribe_store.address import parse_address

    prefix = ""
    if url.startswith(("http://", "https://")):
        prefix = parse_address(url).prefix.removesuffix("-")
    else:
        print(f"note: dashboards read Elasticsearch or OpenSearch; {url} is neither")
    where = Where(options.kibana, options.space, options.tenant, options.workspace, prefix)
    for line in load(where, player_url=options.player_url):
        print(line)
