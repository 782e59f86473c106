# SPDX-License-Identifier: Apache-2.0
"""Hostile bytes against every reader: either they parse or there is one clean error, never another exception or a hang.

`targets.py` is the table. Each target is a function of bytes that raises AssertionError where an invariant breaks; the
guided fuzzer (`python -m tests.fuzz`), hypothesis (`test_fuzz.py`) and the search for growth (`growth.py`) share them.
"""
