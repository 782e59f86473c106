# SPDX-License-Identifier: Apache-2.0
"""`--explain`: what becomes of a line, and why. It watches the very functions that do the work, and repeats none.

`watched.py` notes which of them ran, `parts.py` takes a line apart, `origins.py` asks what changes when a part of it
does, `steps.py` tells the filters of the profile viaq apart, `walk.py` puts it together, `told.py` says it to people,
`program.py` reads the lines.
"""
