# SPDX-License-Identifier: Apache-2.0
"""Where `ttyscribe-normalize` begins: a SIGHUP must not kill it while the rest is loaded."""

import signal


def main() -> int:
    """Run the program; its exit status."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from ttyscribe_normalizers.main import main

    return main()
