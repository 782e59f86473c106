# SPDX-License-Identifier: Apache-2.0
"""What `ttyscribe doctor` knows of rsyslog's, journald's and Fluentd's set-ups; pure but for `files.py`."""
