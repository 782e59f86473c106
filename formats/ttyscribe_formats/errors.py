# SPDX-License-Identifier: Apache-2.0
"""Every error that ttyscribe raises on purpose.

::

    TtyscribeError
    ├── MessageError   the data is bad: keep it (dead letter, error field), go on
    ├── Unavailable    the far side is down: hold what you have, retry later
    └── ConfigError    the operator must act: print, exit 2

Anything else that is raised is our bug.
"""


class TtyscribeError(Exception):
    """The root of the tree; never raised itself."""


class MessageError(TtyscribeError):
    """A message cannot be understood. The text says which rule it breaks."""


class Unavailable(TtyscribeError):
    """The far side cannot take or give data now.

    `after` is the number of seconds that it asked us to wait (0: our own back-off decides).
    """

    def __init__(self, text: str, after: float = 0.0) -> None:
        super().__init__(text)
        self.after = after


class ConfigError(TtyscribeError):
    """The operator has to change something; the text says what. Programs exit 2."""

    def __init__(self, text: str, path: str = "", line: int = 0) -> None:
        where = f"{path}:{line}: " if path and line else f"{path}: " if path else ""
        super().__init__(where + text)
        self.path = path
        self.line = line
