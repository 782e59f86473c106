# SPDX-License-Identifier: Apache-2.0
"""What is derived from stored facts: the lines that stood on screens, the commands, the row of a recording.

Everything here can be made again from the facts; `transcript.py` and `commands.py` are pure.
"""
