# SPDX-License-Identifier: Apache-2.0
"""Runs recorded cases of ViaQ's filters against ours: `python -m ttyscribe_normalizers.vectors FILE`.

The file holds configurations and cases as tests/data/viaq-vectors.json does: a record in, its tag and times, and what
the Ruby plugins made of it. Cases without a flag, and those flagged quirk, must come out the same to the last field;
they run as the plugins do (`lossless` off). Cases flagged data_loss or crash run as we do, and must lose nothing:
docs/formats/viaq.md has the rules. Exit status: 0 all passed, 1 some failed, 2 the file can't be used.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_formats.viaq import config, host_audit, settings
from ttyscribe_formats.viaq.chain import compile_chain
from ttyscribe_formats.viaq.toml_lines import Place
from ttyscribe_normalizers.vectors_lost import lost_values

_SECTIONS = {"formatters": "formatter", "index_names": "elasticsearch_index_name", "levels": "level"}
_EXACT = (None, "quirk")
_SECOND = 1_000_000_000
_CONFIG_ERROR = "Fluent::ConfigError"
_SHOWN = 400


def problems(document: Any) -> Iterator[tuple[str, str]]:
    """Each case of a file by its id, and what is wrong with our result; empty: nothing."""
    for case in document["cases"]:
        try:
            problem = _problem(case, document["configs"])
        except (ConfigError, MessageError) as error:
            problem = f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001 - a case that makes us fail has failed, and the next one is run
            problem = f"raised {type(error).__name__}: {error}"
        yield str(case["id"]), problem


def _problem(case: Any, configs: Any) -> str:
    exact = case.get("flag") in _EXACT
    if case["suite"] == "host_audit_parser":
        return _host_audit(case, exact)
    wanted = case.get("error", "") if case.get("error") == _CONFIG_ERROR else ""
    try:
        chain = compile_chain(
            [_filter(configs[name], lossless=not exact) for name in case.get("steps") or [case["config"]]],
            config.Surroundings.of(case.get("env", {})),
        )
    except ConfigError:
        return "" if wanted else "the configuration is refused"
    if wanted:
        return "the configuration is not refused"
    record = chain.filter(case["tag"], json.loads(json.dumps(case["in"])), _ns(case["time"]), _ns(case["now"]))
    if exact:
        return _difference(record, case)
    return lost_values(case["in"], record)


def _host_audit(case: Any, exact: bool) -> str:
    node = case.get("env", {}).get("NODE_NAME")
    if not exact:
        return lost_values({"message": case["in"]}, host_audit.record_of(case["in"], node))
    try:
        return _difference(host_audit.parse(case["in"], node), case)
    except MessageError:
        return "" if "error" in case else "refused"


def _difference(record: Any, case: Any) -> str:
    if "out" not in case:
        return f"wanted an error, {case.get('error')}"
    return "" if _same(record, case["out"]) else f"made {json.dumps(record)[:_SHOWN]}"


def _same(one: Any, other: Any) -> bool:
    """Equal, and of equal types: to Python 1, 1.0 and true are the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


def _ns(time: Any) -> int:
    return int(time[0]) * _SECOND + int(time[1])


def _filter(table: dict[str, Any], *, lossless: bool) -> config.Filter:
    """A filter of a configuration in the file."""
    values = {_SECTIONS.get(key, key): value for key, value in table.items() if key != "plugin"}

    def refuse(place: Place, problem: str) -> ConfigError:
        return ConfigError(f"{place[-1]}: {problem}")

    made = settings.filter_of({"type": table.get("plugin", "viaq_data_model"), **values}, ("filter", 0), refuse)
    return made._replace(lossless=lossless) if isinstance(made, config.ViaqDataModel) else made


def main(argv: list[str] | None = None) -> int:
    """Run the program; its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m ttyscribe_normalizers.vectors",
        description="Runs recorded cases of ViaQ's filters and says which ones fail.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="cases as JSON")
    parser.add_argument("--verbose", action="store_true", help="say what is wrong with each case that failed")
    wanted = parser.parse_args(argv)
    try:
        results = list(problems(json.loads(wanted.file.read_text("utf-8"))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"{wanted.file}: no file of cases: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    failed = [(case, problem) for case, problem in results if problem]
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    for case, problem in failed:
        print(f"{case}: {problem}" if wanted.verbose else case)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
