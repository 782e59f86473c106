# SPDX-License-Identifier: Apache-2.0
"""The default configuration files are valid, say nothing as they are, and the defaults once uncommented."""

import re
from pathlib import Path

import pytest

from tools.generators import conf
from ttyscribe_recorder import options
from ttyscribe_recorder.config import merge
from ttyscribe_recorder.names import REC, SESSION, Name


@pytest.mark.parametrize("name", [REC, SESSION])
def test_a_default_file_changes_nothing(name: Name) -> None:
    """Neither as it is, nor with every key uncommented; every key stands in it."""
    text = conf.files(Path())[f"recorder/conf/{name.program}.conf"]
    uncommented = re.sub(r'// (?="[a-z_]+": )', "", text)
    assert uncommented.count("\n") == text.count("\n")
    for content in (text, uncommented):
        values = options.defaults(name)
        merge(name, values, content.encode(), "file")
        assert values == options.defaults(name)
    given: dict[str, options.Value] = {}
    merge(name, given, uncommented.encode(), "file")
    assert set(given) == {option.key for option in options.keys(name)}
    assert max(map(len, text.splitlines())) <= 120
