# SPDX-License-Identifier: Apache-2.0
"""A terminal's screen without a terminal: bytes in, lines and cells out.

The one place that knows which emulator is inside (pyavt, extra `screen`); `available()` says whether it is installed.
"""

from ttyscribe_screen.paint import paint_row, paint_screen
from ttyscribe_screen.screen import Cell, Cursor, Screen, Snapshot, available

__all__ = ["Screen", "Snapshot", "Cell", "Cursor", "available", "paint_row", "paint_screen"]
