# SPDX-License-Identifier: Apache-2.0
"""What an operator does to a store: verify, rebuild, delete, retention, backup, upgrade."""
