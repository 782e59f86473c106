# SPDX-License-Identifier: Apache-2.0
"""What we keep on an engine beside documents: templates and policies, installed by plan and kept right."""
