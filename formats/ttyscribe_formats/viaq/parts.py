# SPDX-License-Identifier: Apache-2.0
"""What the steps of a chain are compiled from, and their forms; pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ttyscribe_formats.viaq import Record
from ttyscribe_formats.viaq.config import ViaqDataModel
from ttyscribe_formats.viaq.displaced import Displaced
from ttyscribe_formats.viaq.levels import FindLevel

Format = Callable[[Record, Displaced, int, int], Sequence[str]]
"""A formatter: changes a record, told the event's time and the time now in nanoseconds; says which keys to remove."""


class Parts(NamedTuple):
    """For one formatter."""

    model: ViaqDataModel
    find_level: FindLevel | None
    node_name: str | None
    process_kubernetes_events: bool
    remove_keys: tuple[str, ...]

    @property
    def lossless(self) -> bool:
        """Whether to keep what the plugin loses."""
        return self.model.lossless
