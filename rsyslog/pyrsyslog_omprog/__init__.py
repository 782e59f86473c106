# SPDX-License-Identifier: Apache-2.0
"""rsyslog's omprog protocol, for plugins written in Python."""
