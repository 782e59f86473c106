# SPDX-License-Identifier: Apache-2.0
"""Fluentd's protocols for programs written in Python: child of exec_filter, reader of out_exec's chunks, forward.

def upper(records: list[Record]) -> list[Record]:
    return [{**record, "message": record["message"].upper()} for record in records]

sys.exit(run(upper, "msgpack"))
"""

from .chunk import read_chunk
from .codec import CODECS, Codec, CodecError, Record
from .filter import Filter, run
from .forward import Forward, ForwardError

__version__ = "0.1.0"
__all__ = [
    "run",
    "Filter",
    "Record",
    "Codec",
    "CODECS",
    "CodecError",
    "read_chunk",
    "Forward",
    "ForwardError",
]
