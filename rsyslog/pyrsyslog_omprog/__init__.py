# SPDX-License-Identifier: Apache-2.0
"""rsyslog's omprog protocol, for plugins written in Python; mmexternal's is in `mmexternal`.

class Print(Handler):
    def line(self, data: bytes) -> None:
        print(data)

sys.exit(run(Print()))
"""

from .handler import Handler, Retry
from .plugin import Plugin, decline, run
from .protocol import Kind, Line, Marks, Protocol, ProtocolError

__version__ = "0.1.0"
__all__ = ["Handler", "Retry", "run", "decline", "Plugin", "Protocol", "Line", "Kind", "Marks", "ProtocolError"]
