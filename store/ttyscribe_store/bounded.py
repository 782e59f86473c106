# SPDX-License-Identifier: Apache-2.0
"""Answers of a bounded size: counted while they are read, so that one without an end fills no memory."""

from typing import Any, NamedTuple

MOST_BYTES = 128 << 20
"""Engines take no request of more than 100 MB, so no document is larger. Pages of several are made smaller."""
_PART = 64 << 10


class Whole(NamedTuple):
    """One answer; of a body that is too large its first bytes, at least one more than `MOST_BYTES`."""

    status: int
    headers: Any
    data: bytes


class BoundedPool:
    """Stands for the pool of connections of one of elastic_transport's nodes, which reads without a limit."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def urlopen(self, method: str, target: str, **options: Any) -> Whole:
        """One request and its answer. A connection whose answer was not read to its end is not used again."""
        response = self._pool.urlopen(method, target, preload_content=False, **options)
        parts, size, is_whole = [], 0, False
        try:
            for part in response.stream(_PART):
                parts.append(part)
                size += len(part)
                if size > MOST_BYTES:
                    break
            else:
                is_whole = True
        finally:
            if not is_whole:
                response.close()
            response.release_conn()
        return Whole(response.status, response.headers, b"".join(parts))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()
