# SPDX-License-Identifier: Apache-2.0
"""A corpus of real programs that ask for secrets, and of those that don't, under the real recorder."""
