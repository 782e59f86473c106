# SPDX-License-Identifier: Apache-2.0
"""A Debian host of its own for tests: root only, below a folder, in namespaces that end with the test."""
