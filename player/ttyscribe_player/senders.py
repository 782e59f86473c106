# SPDX-License-Identifier: Apache-2.0
"""Which process sent what of a recording, and playing what one of them sent; pure.

A recorded user can send messages in the recording's name. At equal trust nobody can tell them from the recorder's
own but by the sender, whom the kernel attests: a viewer who knows the recorder's process names it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.base import StoredMessage
from ttyscribe_store.conflict import Choice, rank

NOBODY = -1
"""In place of a pid: nobody attested the sender, or no sender is asked for."""
_MAX_LISTED = 8


def counted(messages: Iterable[StoredMessage]) -> dict[int, int]:
    """How many messages each process sent, the busiest first; `NOBODY` stands for those that nobody attested."""
    return dict(Counter(message.sender_pid for message in messages).most_common())


def several_text(counts: Mapping[int, int]) -> str:
    """Says who sent the recording's messages; empty where at most one attested process did."""
    if sum(pid >= 0 for pid in counts) < 2:
        return ""
    return f"several processes sent this recording's messages: {_listed(counts)}; --sender=PID takes one's alone"


def check(sender: int, counts: Mapping[int, int]) -> None:
    """ConfigError where the process that is asked for sent nothing."""
    if sender >= 0 and sender not in counts:
        raise ConfigError(f"process {sender} sent no message of this recording; its messages: {_listed(counts)}")


def _listed(counts: Mapping[int, int]) -> str:
    shown = [f"{count} by {_name(pid)}" for pid, count in list(counts.items())[:_MAX_LISTED]]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _name(pid: int) -> str:
    return f"process {pid}" if pid >= 0 else "nobody attested"


def names(messages: Iterable[StoredMessage]) -> str:
    """Who sent these, where at least one is attested; else empty."""
    pids = list(dict.fromkeys(message.sender_pid for message in messages))
    if not any(pid >= 0 for pid in pids):
        return ""
    shown = ", ".join(map(_name, pids[:_MAX_LISTED]))
    return shown + (f" and {len(pids) - _MAX_LISTED} more" if len(pids) > _MAX_LISTED else "")


def preferred(choice: Choice, sender: int) -> Choice:
    """The choice that counts when only this sender is believed; none of the messages where it sent none, or several.

    Several from the one sender: the most trusted, if one is.
    """
    if sender < 0:
        return choice
    claims = ([choice.message] if choice.message else []) + choice.others
    own = [claim for claim in claims if claim.sender_pid == sender]
    best = [claim for claim in own if rank(claim.trust) == max(rank(one.trust) for one in own)]
    if len(best) != 1:
        return Choice(choice.id, None, claims)
    return Choice(choice.id, best[0], [claim for claim in claims if claim is not best[0]])
