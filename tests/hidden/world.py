# SPDX-License-Identifier: Apache-2.0
"""Sets up and takes down what the corpus needs."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.hidden.drive import PASSWORD, World, furnish
from tests.sshd import Sshd
from tests.users import throwaway_user


@contextlib.contextmanager
def world_of_programs() -> Iterator[World]:
    """A user with programs, and two sshds."""
    with (
        throwaway_user("/bin/bash", PASSWORD, sudo=True) as user,
        Sshd(user) as plain,
        Sshd(user, pam=True) as asked,
        tempfile.TemporaryDirectory() as folder,
    ):
        user.home.chmod(0o755)  # where the recorder starts is not the user's to forbid
        world = World(user, plain, asked, Path(folder))
        furnish(world)
        yield world
