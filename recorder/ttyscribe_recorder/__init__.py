# SPDX-License-Identifier: Apache-2.0
"""Records one terminal session as tlog JSON. Standard library only: it stands in the login path."""

__version__ = "0.1.0"
