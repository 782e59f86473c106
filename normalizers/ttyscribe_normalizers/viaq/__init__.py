# SPDX-License-Identifier: Apache-2.0
"""The profile `viaq`: log lines through ViaQ's filter chain (`ttyscribe_formats.viaq`) to documents of ViaQ's model."""
