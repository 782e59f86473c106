# SPDX-License-Identifier: Apache-2.0
"""Programs that look after the repository."""
