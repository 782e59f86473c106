# SPDX-License-Identifier: Apache-2.0
"""The verbs of `ttyscribe store`, one module each: `DESCRIPTION`, `EPILOG`, `add_arguments(parser)`, `run(options)`."""
