# SPDX-License-Identifier: Apache-2.0
"""What a chain is made of: the plugins' settings, by the plugins' names and with the plugins' defaults."""

from collections.abc import Mapping
from typing import NamedTuple

FORMATTERS = ("sys_journal", "k8s_journal", "sys_var_log", "k8s_json_file")
PIPELINE_TYPES = ("collector", "normalizer")
NAME_TYPES = (
    *("operations_full", "project_full", "operations_prefix", "project_prefix"),
    *("audit_full", "audit_prefix", "static"),
)
UNUSED = "UNUSED"
"""An `undefined_dot_replace_char` that means: leave dots alone."""
MAX_LEVELS = 10
"""More `level` sections than this are not looked at."""


class Formatter(NamedTuple):
    """One `<formatter>`: how records whose tag fits are brought into shape."""

    type: str
    """One of FORMATTERS."""
    tag: str
    """Patterns, separated by blanks."""
    enabled: bool = True
    """A formatter that fits and is off ends the search: such records are not formatted."""
    remove_keys: tuple[str, ...] = ()
    process_kubernetes_events: bool | None = None
    """None: as the filter says."""


class IndexName(NamedTuple):
    """One `<elasticsearch_index_name>`: how the index of records whose tag fits is named."""

    name_type: str
    """One of NAME_TYPES."""
    tag: str
    enabled: bool = True
    static_index_name: str = ""


class Level(NamedTuple):
    """One `<level>` of 2021: the name of a level, and the expression that finds it in a message."""

    name: str
    match: str


class ViaqDataModel(NamedTuple):
    """The filter `viaq_data_model`."""

    default_keep_fields: tuple[str, ...] = ()
    extra_keep_fields: tuple[str, ...] = ()
    keep_empty_fields: tuple[str, ...] = ("message",)
    use_undefined: bool = False
    undefined_name: str = "undefined"
    undefined_to_string: bool = False
    undefined_dot_replace_char: str = UNUSED
    undefined_max_num_fields: int = -1
    """More undefined fields than this become one JSON text; -1: never."""
    rename_time: bool = True
    rename_time_if_missing: bool = False
    src_time_name: str = "time"
    dest_time_name: str = "@timestamp"
    pipeline_type: str = "collector"
    """One of PIPELINE_TYPES."""
    process_kubernetes_events: bool = True
    orphaned_namespace_name: str = ".orphaned"
    elasticsearch_index_name_field: str = "viaq_index_name"
    elasticsearch_index_prefix_field: str = "viaq_index_prefix"
    formatters: tuple[Formatter, ...] = ()
    index_names: tuple[IndexName, ...] = ()
    levels: tuple[Level, ...] = ()
    lossless: bool = True
    """Ours: keep what the plugin overwrites with nothing, replaces, or takes out of the middle of a list."""


class ParseJsonField(NamedTuple):
    """The filter `parse_json_field`."""

    merge_json_log: bool = True
    preserve_json_log: bool = True
    replace_json_log: bool = False
    json_fields: tuple[str, ...] = ("MESSAGE", "log")


Filter = ViaqDataModel | ParseJsonField


class Surroundings(NamedTuple):
    """What the plugins read from the environment of their process."""

    ipaddr4: str = "127.0.0.1"
    ipaddr6: str = ""
    """Empty: the field is left out."""
    node_name: str | None = None
    """Stands in for `localhost`, and where a record of Kubernetes names no host."""
    version: str = "unknown fluentd version unknown data version"

    @classmethod
    def of(cls, variables: Mapping[str, str], docker_hostname: str | None = None) -> "Surroundings":
        """From the process's variables, and the first line of /etc/docker-hostname where there is such a file."""
        fluentd = variables.get("FLUENTD_VERSION", "unknown fluentd version")
        data = variables.get("DATA_VERSION", "unknown data version")
        return cls(
            ipaddr4=variables.get("IPADDR4", "127.0.0.1"),
            ipaddr6=variables.get("IPADDR6", ""),
            node_name=variables.get("NODE_NAME") if docker_hostname is None else docker_hostname,
            version=f"{fluentd} {data}",
        )
