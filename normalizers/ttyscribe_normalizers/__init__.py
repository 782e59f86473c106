# SPDX-License-Identifier: Apache-2.0
"""Turns every log line into one stored document: kinds, pipeline, dead letter, the plugin program."""
