# SPDX-License-Identifier: Apache-2.0
"""Answers of engines whose JSON is sound and that are none nevertheless, and documents among ours that others wrote."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.transport import Transport

T = TypeVar("T")
_OTHER = (KeyError, TypeError, AttributeError, IndexError, ValueError)
"""What it comes to where a value is read that has another shape. Errors of ours are none of these."""


@contextmanager
def sound(transport: Transport) -> Iterator[None]:
    """Around what reads an answer: Unavailable where it has another shape than an engine's."""
    try:
        yield
    except _OTHER as error:
        raise Unavailable(f"{transport.address}: the answer is none of an engine: {_told(transport, error)}") from error


def each(transport: Transport, found: Iterable[T]) -> Iterator[T]:
    """The same around what is read bit by bit."""
    with sound(transport):
        yield from found


def made(transport: Transport, make: Callable[[Any], T], hits: Iterable[Any]) -> Iterator[T]:
    """What is made of each document found. Unavailable, with its name, where it is none of ours."""
    for hit in each(transport, hits):
        try:
            one = make(hit["_source"])
        except _OTHER as error:
            which = [hit.get("_index"), hit.get("_id")] if isinstance(hit, dict) else hit
            text = f"{transport.address}: document {transport.said(which)} is none of ours: {_told(transport, error)}"
            raise Unavailable(text) from error
        yield one


def _told(transport: Transport, error: Exception) -> str:
    return f"{type(error).__name__} {transport.said(str(error))}"
