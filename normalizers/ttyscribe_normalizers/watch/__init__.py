# SPDX-License-Identifier: Apache-2.0
"""How the program is doing: a line in its log, a file, an endpoint for Prometheus."""
