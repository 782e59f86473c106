# SPDX-License-Identifier: Apache-2.0
"""Any other entry of the journal, with all of its fields.

::

    {"__CURSOR":"s=bcce…;i=5ef6;…","__REALTIME_TIMESTAMP":"1795521604123456","_BOOT_ID":"ec25…","_AUDIT_SESSION":"3",
     "_UID":"0","_PID":"812","_HOSTNAME":"web7","SYSLOG_IDENTIFIER":"backup","MESSAGE":"done","BACKUP_BYTES":"1048576",
     "BACKUP_FILE":["/etc","/srv"]}

becomes a document `journal:<hash of its cursor>`: what ViaQ's model names under `systemd`, all else under `journal`
(`journal.BACKUP_BYTES`), the boot and the audit session under `ttyscribe`. Fields that came several times are lists.
"""

from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds.syslog import Kind as Syslog


class Kind(Syslog):
    """Journal entries that no kind with a content of its own took."""

    name = "journal"
    order = 900

    def accepts(self, envelope: Envelope) -> bool:
        """Whatever came from the journal, however it came."""
        return envelope.journal is not None
