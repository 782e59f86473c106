# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.chroot fetch`: warm the cache, so that no test has to wait for a mirror."""

import os
import sys

import pytest

from tests.chroot import base


def main() -> int:
    """Say where it is; tests say what is missing, and whether that is a failure."""
    if os.geteuid() != 0:
        print("the Debian for tests of an installed host needs root: those tests will skip")
        return 0
    try:
        print(f"Debian {base.RELEASE}: {base.get()}")
    except (pytest.skip.Exception, pytest.fail.Exception) as reason:
        print(reason)
    return 0


if __name__ == "__main__":
    sys.exit(main())
