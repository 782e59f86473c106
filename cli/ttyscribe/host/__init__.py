# SPDX-License-Identifier: Apache-2.0
"""Onto a host and off again: what is put where is declared in `layout.py` alone, for the Debian package too."""
