# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: INP001
"""Adds the message's text in capitals to the message's variables: a whole mmexternal filter."""

import sys

from pyrsyslog_omprog.mmexternal import Changes, Filter, Message, run


class Shout(Filter):
    """What `message` returns is merged into the message; the ruleset reads it as `$!shout`."""

    def message(self, message: Message) -> Changes:
        """Change one message."""
        return {"$!": {"shout": message["msg"].upper()}}


sys.exit(run(Shout()))
