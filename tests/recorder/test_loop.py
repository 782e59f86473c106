# SPDX-License-Identifier: Apache-2.0
"""The event loop: in which order things are heard that came together."""

import os

import pytest

from ttyscribe_recorder.loop import Loop


@pytest.mark.parametrize("first", [0, 1, 2])
def test_what_is_to_be_heard_first_is_in_whatever_order_it_was_registered(first: int) -> None:
    loop, heard = Loop(), []
    pipes = [os.pipe() for _ in range(3)]
    try:
        for number, (end, other) in enumerate(pipes):
            loop.reader(end, lambda number=number: heard.append(number))  # type: ignore[misc]
            os.write(other, b"x")
        loop.first = pipes[first][0]
        loop.turn(0)
    finally:
        for pair in pipes:
            for descriptor in pair:
                os.close(descriptor)
    assert heard[0] == first
    assert sorted(heard) == [0, 1, 2]
