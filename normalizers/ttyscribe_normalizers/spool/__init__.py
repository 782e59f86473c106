# SPDX-License-Identifier: Apache-2.0
"""The spool: lines that were confirmed and are not delivered yet, in files that outlive the process."""
