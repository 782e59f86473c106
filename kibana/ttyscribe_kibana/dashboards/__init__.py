# SPDX-License-Identifier: Apache-2.0
"""The dashboards, one file each. A new one is a file here and its name in the tuple."""

from ttyscribe_kibana.dashboards.recordings import RECORDINGS
from ttyscribe_kibana.panels import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (RECORDINGS,)
