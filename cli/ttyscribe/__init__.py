# SPDX-License-Identifier: Apache-2.0
"""ttyscribe: user session recording for Linux, whole."""

__version__ = "0.1.0"
