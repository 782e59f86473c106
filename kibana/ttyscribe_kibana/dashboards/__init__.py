# SPDX-License-Identifier: Apache-2.0
"""The dashboards, one file each. A new one is a file here and its name in the tuple."""

from ttyscribe_kibana.dashboards.commands import COMMANDS
from ttyscribe_kibana.dashboards.pipeline import PIPELINE
from ttyscribe_kibana.dashboards.privileges import PRIVILEGES
from ttyscribe_kibana.dashboards.recording import ONE_RECORDING
from ttyscribe_kibana.dashboards.recordings import RECORDINGS
from ttyscribe_kibana.panels import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (RECORDINGS, ONE_RECORDING, COMMANDS, PRIVILEGES, PIPELINE)
