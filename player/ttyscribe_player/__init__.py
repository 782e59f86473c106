# SPDX-License-Identifier: Apache-2.0
"""Shows a recording again: timeline and terminal player."""
