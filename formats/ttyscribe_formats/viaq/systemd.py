# SPDX-License-Identifier: Apache-2.0
"""Names of a journal entry's fields that the model has a place for under `systemd`: t, u and k."""

TRUSTED = (
    *("AUDIT_LOGINUID", "AUDIT_SESSION", "BOOT_ID", "CAP_EFFECTIVE", "CMDLINE", "COMM", "EXE", "GID", "LINE_BREAK"),
    *("MACHINE_ID", "PID", "SELINUX_CONTEXT", "STREAM_ID", "SYSTEMD_CGROUP", "SYSTEMD_INVOCATION_ID"),
    *("SYSTEMD_OWNER_UID", "SYSTEMD_SESSION", "SYSTEMD_SLICE", "SYSTEMD_UNIT", "SYSTEMD_USER_UNIT", "TRANSPORT"),
    "UID",
)
"""Of journald itself; in an entry each has an underscore before it."""
USER = (
    *("CODE_FILE", "CODE_FUNCTION", "CODE_LINE", "ERRNO", "MESSAGE_ID", "RESULT", "UNIT"),
    *("SYSLOG_FACILITY", "SYSLOG_IDENTIFIER", "SYSLOG_PID"),
)
"""Of whoever logs."""
KERNEL = ("KERNEL_DEVICE", "KERNEL_SUBSYSTEM", "UDEV_SYSNAME", "UDEV_DEVNODE", "UDEV_DEVLINK")
"""Of the kernel; with an underscore before them."""
