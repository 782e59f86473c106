# SPDX-License-Identifier: Apache-2.0
"""The query language: what a person writes, read into a tree that every store compiles for itself; pure.

`parser.parse` reads a query, `nodes` is the tree, `regex` the common subset of regular expressions, `matching` says
what a query means, document by document: the stores' compilers are held against it.
"""
