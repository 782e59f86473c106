# SPDX-License-Identifier: Apache-2.0
"""ViaQ's filter chain: records in, records of the ViaQ common data model out; pure.

Steps and keys are named as in the Ruby plugins that ViaQ ran in Fluentd: `viaq_data_model` (its formatters, undefined
and empty fields, times, index names, and the levels and static names of 2021), `parse_json_field`, and the parser of
host audit lines. `chain.compile_chain` makes one function of a configuration, `settings.read` makes a configuration of
TOML. docs/formats/viaq.md is the reference, with every place where we keep what the plugins lose.

A record is a dict as JSON gives it. The chain owns the record that it is given, and may change it. Times are integer
nanoseconds since the epoch. Nothing here raises on data.
"""

from typing import Any

Record = dict[str, Any]
