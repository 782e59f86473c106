# SPDX-License-Identifier: Apache-2.0
"""Numbers of the kernel's audit interface and their names, as far as a record by itself is read with them.

From the kernel's headers (linux/audit.h, asm/unistd.h). What is not here keeps its number.
"""

_TYPES = (
    "1005 USER 1006 LOGIN 1100 USER_AUTH 1101 USER_ACCT 1102 USER_MGMT 1103 CRED_ACQ 1104 CRED_DISP 1105 "
    "USER_START 1106 USER_END 1107 USER_AVC 1108 USER_CHAUTHTOK 1109 USER_ERR 1110 CRED_REFR 1111 USYS_CONFIG "
    "1112 USER_LOGIN 1113 USER_LOGOUT 1114 ADD_USER 1115 DEL_USER 1116 ADD_GROUP 1117 DEL_GROUP 1118 DAC_CHECK "
    "1119 CHGRP_ID 1120 TEST 1121 TRUSTED_APP 1122 USER_SELINUX_ERR 1123 USER_CMD 1124 USER_TTY 1125 CHUSER_ID "
    "1126 GRP_AUTH 1127 SYSTEM_BOOT 1128 SYSTEM_SHUTDOWN 1129 SYSTEM_RUNLEVEL 1130 SERVICE_START 1131 "
    "SERVICE_STOP 1132 GRP_MGMT 1133 GRP_CHAUTHTOK 1134 MAC_CHECK 1135 ACCT_LOCK 1136 ACCT_UNLOCK 1137 "
    "USER_DEVICE 1138 SOFTWARE_UPDATE 1200 DAEMON_START 1201 DAEMON_END 1202 DAEMON_ABORT 1203 DAEMON_CONFIG 1206 "
    "DAEMON_ROTATE 1207 DAEMON_RESUME 1208 DAEMON_ACCEPT 1209 DAEMON_CLOSE 1210 DAEMON_ERR 1300 SYSCALL 1302 PATH "
    "1303 IPC 1304 SOCKETCALL 1305 CONFIG_CHANGE 1306 SOCKADDR 1307 CWD 1309 EXECVE 1311 IPC_SET_PERM 1312 "
    "MQ_OPEN 1313 MQ_SENDRECV 1314 MQ_NOTIFY 1315 MQ_GETSETATTR 1316 KERNEL_OTHER 1317 FD_PAIR 1318 OBJ_PID 1319 "
    "TTY 1320 EOE 1321 BPRM_FCAPS 1322 CAPSET 1323 MMAP 1324 NETFILTER_PKT 1325 NETFILTER_CFG 1326 SECCOMP 1327 "
    "PROCTITLE 1328 FEATURE_CHANGE 1329 REPLACE 1330 KERN_MODULE 1331 FANOTIFY 1332 TIME_INJOFFSET 1333 "
    "TIME_ADJNTPVAL 1334 BPF 1335 EVENT_LISTENER 1336 URINGOP 1337 OPENAT2 1338 DM_CTRL 1339 DM_EVENT 1400 AVC "
    "1401 SELINUX_ERR 1402 AVC_PATH 1403 MAC_POLICY_LOAD 1404 MAC_STATUS 1405 MAC_CONFIG_CHANGE 1415 "
    "MAC_IPSEC_EVENT 1420 MAC_TASK_CONTEXTS 1500 AA 1700 ANOM_PROMISCUOUS 1701 ANOM_ABEND 1702 ANOM_LINK 1703 "
    "ANOM_CREAT 1800 INTEGRITY_DATA 1801 INTEGRITY_METADATA 1802 INTEGRITY_STATUS 1803 INTEGRITY_HASH 1804 "
    "INTEGRITY_PCR 1805 INTEGRITY_RULE 1806 INTEGRITY_EVM_XATTR 1807 INTEGRITY_POLICY_RULE 2000 KERNEL 2100 "
    "ANOM_LOGIN_FAILURES 2101 ANOM_LOGIN_TIME 2102 ANOM_LOGIN_SESSIONS 2103 ANOM_LOGIN_ACCT 2104 "
    "ANOM_LOGIN_LOCATION 2404 CRYPTO_KEY_USER 2407 CRYPTO_SESSION 2500 VIRT_CONTROL 2501 VIRT_RESOURCE"
)
_X86_64 = (
    "openat 257 open 2 execve 59 connect 42 accept 43 bind 49 unlink 87 unlinkat 263 rename 82 renameat2 316 "
    "renameat 264 openat2 437 creat 85 execveat 322 accept4 288 listen 50 socket 41 sendto 44 recvfrom 45 sendmsg "
    "46 recvmsg 47 link 86 linkat 265 symlink 88 symlinkat 266 mkdir 83 mkdirat 258 rmdir 84 chmod 90 fchmod 91 "
    "fchmodat 268 chown 92 fchown 93 lchown 94 fchownat 260 truncate 76 ftruncate 77 setxattr 188 removexattr 197 "
    "mount 165 umount2 166 kill 62 tgkill 234 ptrace 101 setuid 105 setgid 106 setresuid 117 setresgid 119 "
    "init_module 175 finit_module 313 delete_module 176 clone 56 clone3 435 fork 57 vfork 58 chroot 161 mknod 133 "
    "mknodat 259 settimeofday 164 clock_settime 227 adjtimex 159 sethostname 170 reboot 169 bpf 321 prctl 157 "
    "memfd_create 319"
)
_AARCH64 = (
    "openat 56 execve 221 connect 203 accept 202 bind 200 unlinkat 35 renameat2 276 renameat 38 openat2 437 "
    "execveat 281 accept4 242 listen 201 socket 198 sendto 206 recvfrom 207 sendmsg 211 recvmsg 212 linkat 37 "
    "symlinkat 36 mkdirat 34 fchmod 52 fchmodat 53 fchown 55 fchownat 54 truncate 45 ftruncate 46 setxattr 5 "
    "removexattr 14 mount 40 umount2 39 kill 129 tgkill 131 ptrace 117 setuid 146 setgid 144 setresuid 147 "
    "setresgid 149 init_module 105 finit_module 273 delete_module 106 clone 220 clone3 435 chroot 51 mknodat 33 "
    "settimeofday 170 clock_settime 112 adjtimex 171 sethostname 161 reboot 142 bpf 280 prctl 167 memfd_create "
    "279"
)


def _pairs(text: str) -> list[tuple[str, str]]:
    parts = text.split()
    return list(zip(parts[::2], parts[1::2], strict=True))


_TYPE_NAMES = {int(number): name for number, name in _pairs(_TYPES)}
_CALLS = {
    arch: {number: name for name, number in _pairs(text)}
    for arch, text in (("c000003e", _X86_64), ("c00000b7", _AARCH64))
}


def record_type(number: int) -> str:
    """Name of a record type; `UNKNOWN[n]`, as auditd writes it, for what is not here."""
    return _TYPE_NAMES.get(number, f"UNKNOWN[{number}]")


def system_call(arch: str, number: str) -> str:
    """Name of a system call by the architecture and number of a SYSCALL record; empty where it is not here."""
    return _CALLS.get(arch.lower(), {}).get(number, "")
