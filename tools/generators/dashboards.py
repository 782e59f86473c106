# SPDX-License-Identifier: Apache-2.0
"""The dashboards' bundles of saved objects, from the panels that kibana/ declares and from the index templates."""

from pathlib import Path

from tools.generators import templates
from ttyscribe_kibana.bundle import generated

FOLDER = "kibana/ttyscribe_kibana/bundles"


def files(root: Path) -> dict[str, str]:
    """Path and text of each bundle. The field list comes from the templates as they stand in the tree."""
    return {f"{FOLDER}/{name}": text for name, text in generated(root / templates.FOLDER).items()}
