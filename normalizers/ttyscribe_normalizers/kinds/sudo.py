# SPDX-License-Identifier: Apache-2.0
"""What sudo and its log server say: who ran what as whom, and who was refused.

::

    sudo: @cee:{"sudo":{"accept":{"uuid":"812b8117b3","submit_time":{"seconds":1795521600},"submituser":"ada",
          "command":"/bin/ls","runuser":"root","runcwd":"/home/ada","ttyname":"/dev/pts/0","runargv":["ls","-l"]}}}
    sudo:      ada : TTY=pts/0 ; PWD=/home/ada ; USER=root ; COMMAND=/bin/ls -l

becomes a document `log:<id that the shipper stamped>` with typed fields (`user.name` asked, `user.effective` is whose
rights it got; `process`, `event`). Of JSON, all of it is kept under `sudo.data`, and `message` is a sentence: `ada ran
ls -l as root in /home/ada on /dev/pts/0`; of a line of old, `message` is the line.
"""

from base64 import b64encode
from typing import Any

from ttyscribe_formats import sudolog, words
from ttyscribe_formats.document import Document
from ttyscribe_formats.flat import flat
from ttyscribe_normalizers import exact, parts
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds import Context
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog

PROGRAMS = frozenset(("sudo", "sudoedit", "sudo_logsrvd", ""))


class Kind:
    """What sudo logs."""

    name = "sudo"
    order = 40

    def __init__(self, context: Context) -> None:
        self._normalizer = parts.normalizer(context.version, context.protocol)
        self._syslog = Syslog(context)

    def accepts(self, envelope: Envelope) -> bool:
        """Whether it is an event in JSON, or a line of sudo's own; what its login modules say is not."""
        return sudolog.looks_like(envelope.text, from_sudo=envelope.program in PROGRAMS)

    def normalize(self, envelope: Envelope) -> list[Document]:
        """One document. Raises MessageError where it is none of sudo's."""
        entry = sudolog.parse(envelope.text)
        shown = entry.sentence or envelope.text
        time_ns = envelope.time_ns if entry.time_ns < 0 else entry.time_ns
        (document,) = self._syslog.normalize(envelope._replace(text=shown, raw=b"", time_ns=time_ns))
        made: Any = document
        own, data = made["ttyscribe"], dict(entry.own)
        if "data" in data:
            clean = exact.without_surrogates(data["data"])
            data["data"], whole = flat(clean)
            if not whole:
                data["original"] = envelope.text
            if clean is not entry.own["data"] and not envelope.raw:
                own["raw"] = b64encode(envelope.text.encode()).decode()
        if envelope.raw:
            own["raw"] = b64encode(envelope.raw).decode()
        own["kind"] = self.name
        own["words"] = words.joined(f"{own['words']}\n{entry.searched}")
        if entry.host:
            made["hostname"] = entry.host
            parts.held(own, envelope, entry.host)
            made["pipeline_metadata"] = parts.way(envelope, self._normalizer, entry.host)
        made |= exact.without_surrogates(entry.parts) | {"sudo": data}
        return [document]
