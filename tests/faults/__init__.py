# SPDX-License-Identifier: Apache-2.0
"""The fault matrix: every way to run the program under a real rsyslogd, times everything that can go wrong.

`cells.py` is the table with its promises, `drive.py` runs one cell, `python -m tests.faults` runs them all and writes
what it measured into docs/delivery.md. `test_faults.py` holds the cells that bite most, on every run.
"""
