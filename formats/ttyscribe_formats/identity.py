# SPDX-License-Identifier: Apache-2.0
"""Identity comes from the data: the same message gives the same id wherever and however often it arrives.

The hash in it is made over the decoded message, written again by our own encoder, so that shippers which
re-serialise change nothing, and a forged line never takes the place of a true one.
"""

import re
from hashlib import blake2b

from ttyscribe_formats.tlog import Message, canonical

MAX_KEY = 128

_PLAIN_KEY = re.compile(r"[A-Za-z0-9._-]{1,128}")
_HASHED = "h-"


def key(text: str) -> str:
    """A bounded key that is safe in ids, file names and queries: the text itself where it is, else its hash."""
    if text.isalnum() and len(text) <= MAX_KEY and text.isascii():
        return text
    if _PLAIN_KEY.fullmatch(text) and not text.startswith(_HASHED) and text.strip("."):  # `..` is no name in a path
        return text
    return _HASHED + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def recording_key(rec: str, host: str, user: str, session: int, term: str) -> str:
    """The key of a recording; messages of old tlog have no `rec` and get one from what else is constant."""
    return key(rec) if rec else key("\0".join((host, user, str(session), term)))


def digest(data: bytes) -> str:
    """16 hex digits of BLAKE2b."""
    return blake2b(data, digest_size=8).hexdigest()


def tlog_id(recording: str, message: Message) -> str:
    """`tlog:<recording>:<id>:<hash>`."""
    number = message.id if message.id < 10**20 else "h"
    return f"tlog:{recording}:{number}:{digest(canonical(message))}"


def log_id(stamp: str) -> str:
    """`log:<stamp>`: the id that the shipper stamped before its first queue."""
    return f"log:{key(stamp)}"


def journal_stamp(cursor: str) -> str:
    """A journal entry's stamp: its cursor, which is long and unsafe in ids, as a hash."""
    return blake2b(cursor.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def journal_id(stamp: str) -> str:
    """`journal:<hash of cursor>`."""
    return f"journal:{stamp}"
