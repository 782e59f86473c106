# SPDX-License-Identifier: Apache-2.0
"""Where documents are kept and found: SQLite, Elasticsearch/OpenSearch and memory behind one Protocol."""
