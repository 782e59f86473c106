# SPDX-License-Identifier: Apache-2.0
"""What a recording of another program says beside its packets."""


class Aside:
    """Filled while such a recording is decoded."""

    def __init__(self) -> None:
        self.status: int | None = None
        """The recorded program's exit status."""
        self.status_ns = 0
        """When it ended, nanoseconds from the start."""
        self.markers = 0
        """How many places somebody had marked; messages have no room for them."""
        self.left_out = 0
        """How many bytes of input were told of whose file was not given."""
        self.missing = 0
        """How many bytes were told of that the file does not have."""
