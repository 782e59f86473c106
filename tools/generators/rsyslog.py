# SPDX-License-Identifier: Apache-2.0
"""rsyslog's sample configurations: each is one file that an operator copies, made of parts that several share.

In rsyslog/source/ a line `<<NAME>>` stands for the lines of parts/NAME.conf below its licence line, indented as it is.
"""

import re
from pathlib import Path

SOURCE = Path("rsyslog/source")
TARGET = Path("rsyslog/conf")
_PART = re.compile(r"^( *)<<([a-z-]+)>>\n", re.MULTILINE)


def assembled(text: str, parts: dict[str, str]) -> str:
    """The text with every part in its place, parts of parts too. KeyError names a part that is not there."""

    def part(found: re.Match[str]) -> str:
        lines = assembled(parts[found[2]], parts).splitlines(keepends=True)
        return "".join(found[1] + line if line.strip() else line for line in lines)

    return _PART.sub(part, text)


def files(root: Path) -> dict[str, str]:
    """Every sample by its path."""
    parts = {path.stem: path.read_text("utf-8").partition("\n")[2] for path in (root / SOURCE / "parts").glob("*.conf")}
    samples = sorted((root / SOURCE).glob("*.conf"))
    return {str(TARGET / path.name): assembled(path.read_text("utf-8"), parts) for path in samples}
