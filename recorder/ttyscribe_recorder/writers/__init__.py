# SPDX-License-Identifier: Apache-2.0
"""Where messages go. One file a way; `base.Writer` is what they have in common."""
