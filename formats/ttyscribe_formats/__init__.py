# SPDX-License-Identifier: Apache-2.0
"""What the bytes mean: packets, messages, envelopes, identity, words.

Pure: no I/O, no clock, no environment.
"""
