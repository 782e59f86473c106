# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe setup`: prepares a store, and brings the dashboards to those who look at it."""

import argparse

from ttyscribe import stores
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.partition import LAYOUTS

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
  ttyscribe setup --store https://search:9200 --layout data-stream --retention 400d
  ttyscribe setup --store https://search:9200 --remove --keep-data
  ttyscribe setup --store http://localhost:9200 --kibana http://localhost:5601 --player-url https://play.example"""

MOST_DAYS = 36_500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    stores.add_store(parser)
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, and how each object changes")
    parser.add_argument("--overwrite", action="store_true", help="take back what somebody edited in our objects")
    parser.add_argument("--remove", action="store_true", help="remove all of ours, recordings and logs too")
    parser.add_argument("--keep-data", action="store_true", help="with --remove: leave recordings and logs")
    parser.add_argument("--yes", action="store_true", help="with --remove: do not ask before data goes")
    engine = parser.add_argument_group("on an engine (what is not given stays as it is)")
    engine.add_argument(
        "--layout", choices=LAYOUTS, help="an index a month for each kind (the default), one a day, or a data stream"
    )
    engine.add_argument(
        "--retention",
        metavar="DAYSd",
        type=_retention,
        help="remove what is older by the engine's own lifecycle, as 400d; forever (the default) removes nothing",
    )
    engine.add_argument("--priority", metavar="N", type=int, help="of our index templates (default 250)")
    engine.add_argument("--rollover", action="store_true", help="begin data streams anew where fields changed type")
    pages = parser.add_argument_group("dashboards")
    pages.add_argument("--kibana", metavar="URL", default="", help="Kibana or OpenSearch Dashboards, with base path")
    place = pages.add_mutually_exclusive_group()
    place.add_argument("--space", metavar="ID", default="", help="Kibana's space (the default one)")
    place.add_argument("--tenant", metavar="NAME", default="", help="tenant of OpenSearch's security plugin")
    place.add_argument("--workspace", metavar="ID", default="", help="OpenSearch Dashboards' workspace, by id or name")
    pages.add_argument(
        "--player-url", metavar="URL", help="makes recordings in them links; kept by later runs, '' takes it away"
    )


def _retention(text: str) -> int:
    """Days; 0 = for ever."""
    days = text.removesuffix("d")
    if text == "forever":
        return 0
    if text == days or not (days.isascii() and days.isdigit()) or not 0 < int(days) <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"not a number of days: {text!r} (wanted: as 400d, or forever)")
    return int(days)


def run(options: argparse.Namespace) -> int:
    """Write what is missing; say what."""
    if not options.kibana and any((options.space, options.tenant, options.workspace, options.player_url is not None)):
        raise ConfigError("--space, --tenant, --workspace and --player-url are about dashboards: give --kibana URL too")
    if not options.remove and (options.keep_data or options.yes):
        raise ConfigError("--keep-data and --yes go with --remove")
    url = stores.store_url(options)
    if url.startswith(("http://", "https://")):
        from ttyscribe import setup_engine

        setup_engine.run(url, options)
    else:
        from ttyscribe import setup_local

        setup_local.run(url, options)
    if options.kibana:
        _dashboards(options, url)
    return 0


def _dashboards(options: argparse.Namespace, url: str) -> None:
    from ttyscribe_kibana.load import Where, load, unload
    from ttyscribe_store.address import parse_address

    prefix = ""
    if url.startswith(("http://", "https://")):
        prefix = parse_address(url).prefix.removesuffix("-")
    else:
        print(f"note: dashboards read Elasticsearch or OpenSearch; {url} is neither")
    where = Where(options.kibana, options.space, options.tenant, options.workspace, prefix)
    if options.remove:
        lines = unload(where, overwrite=options.overwrite, dry_run=options.dry_run)
    else:
        lines = load(where, player_url=options.player_url, overwrite=options.overwrite, dry_run=options.dry_run)
    for line in lines:
        print(line)
