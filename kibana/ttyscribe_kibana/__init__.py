# SPDX-License-Identifier: Apache-2.0
"""Dashboards and data views for Kibana and OpenSearch Dashboards, and their loader."""
