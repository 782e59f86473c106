# SPDX-License-Identifier: Apache-2.0
"""The cells of the matrix, what is promised in each, and why not where nothing is."""

from typing import NamedTuple

MODES = {"confirm": "each line confirmed by itself", "transactions": "`useTransactions`: batches, one COMMIT each"}
SPOOLS = {"none": "delivered before it is confirmed", "spool": "`--spool`: confirmed once it is in a file"}
QUEUES = {
    "direct": "no queue: the input waits for the program",
    "assisted": "in memory, on disk only when there is much (conf/ttyscribe-fast.conf)",
    "disk": "on disk (conf/ttyscribe.conf)",
}
FAULTS = {
    "child": "the program is killed at work, five times",
    "daemon": "rsyslogd is killed with lines in its queue, five times",
    "restart": "rsyslogd is stopped and started, and told to HUP, by turns",
    "stop": "rsyslogd is stopped while the store is down, killed if it goes on for 12 s, and started, twice",
    "429": "the store answers 429: to the whole request, and to half of its documents, by turns",
    "503": "the store answers 503 to everything",
    "413": "the store takes 6,000 bytes a request, and documents larger than that among the lines",
    "reset": "the store applies each request and then resets the connection",
    "slow": "the store answers late, every other time later than the program waits",
    "gone": "nobody listens at the store's address for 30 s",
    "cut": "the way to the store is cut, with requests on it, five times",
    "busy": "another process holds the store's lock for longer than a write waits, twice",
}
PROCESS_FAULTS = ("child", "daemon", "restart")
MATRIX_FAULTS = (*PROCESS_FAULTS, "stop", "429", "503", "413", "reset", "slow", "gone")


class Cell(NamedTuple):
    """One way to run and one fault. `store` is `double` (the tests' own), `sqlite` or `elasticsearch`."""

    mode: str
    spool: str
    """`none`, `spool`, or `control`: a trivial program in place of ours, to see what rsyslog itself loses."""
    queue: str
    fault: str
    store: str = "double"

    @property
    def name(self) -> str:
        """As given on the command line."""
        text = f"{self.mode}-{self.spool}-{self.queue}-{self.fault}"
        return text if self.store == "double" else f"{text}@{self.store}"

    @property
    def way(self) -> "Cell":
        """The same without its fault: the table's row."""
        return self._replace(fault="")


class Limit(NamedTuple):
    """Why a cell promises nothing about loss."""

    mark: str
    reason: str


DEFERRED = Limit(
    "a",
    "rsyslog never sends again what was answered `DEFER_COMMIT` to a program that dies before COMMIT (OMP-17): up to a"
    " batch is lost",
)
MEMORY = Limit("b", "the part of the queue that is in rsyslogd's memory dies with it")
IN_WORK = Limit("c", "without a queue the line in work is in rsyslogd's memory alone: one is lost, if it hits one")


def limit(cell: Cell) -> Limit | None:
    """Why lines may be lost in this cell; None where none may. Stored twice may none be, anywhere."""
    if cell.fault == "child" and cell.mode == "transactions" and cell.spool == "none":
        return DEFERRED
    if cell.fault == "daemon" and cell.queue == "assisted":
        return MEMORY
    if cell.fault in ("daemon", "restart", "stop") and cell.queue == "direct":
        return IN_WORK
    if cell.fault == "stop" and cell.queue == "assisted" and cell.spool == "none":
        return MEMORY  # rsyslogd does not end while the program waits: it is killed
    return None


MATRIX = [
    Cell(mode, spool, queue, fault) for mode in MODES for spool in SPOOLS for queue in QUEUES for fault in MATRIX_FAULTS
]
CONTROLS = [Cell(mode, "control", queue, fault) for mode in MODES for queue in QUEUES for fault in PROCESS_FAULTS]
ON_SQLITE = [
    Cell(mode, spool, queue, fault, "sqlite")
    for mode in MODES
    for spool in SPOOLS
    for queue in ("assisted", "disk")
    for fault in (*PROCESS_FAULTS, "busy")
]
ON_ENGINE = [
    Cell(mode, spool, "disk", fault, "elasticsearch")
    for mode in MODES
    for spool in SPOOLS
    for fault in (*PROCESS_FAULTS, "cut", "gone")
]
ALL = [*MATRIX, *CONTROLS, *ON_SQLITE, *ON_ENGINE]
BY_NAME = {cell.name: cell for cell in ALL}

BITING = [
    BY_NAME[name]
    for name in (
        "confirm-none-disk-child",
        "confirm-none-disk-daemon",
        "confirm-none-assisted-restart",
        "confirm-none-direct-reset",
        "confirm-spool-disk-413",
        "confirm-spool-assisted-child",
        "confirm-spool-direct-slow",
        "confirm-spool-assisted-stop",
        "transactions-none-disk-daemon",
        "transactions-none-disk-413",
        "transactions-none-assisted-429",
        "transactions-spool-disk-child",
        "transactions-spool-disk-restart",
        "transactions-spool-assisted-503",
        "transactions-spool-assisted-child@sqlite",
    )
]
"""The subset of every run: each mode, spool, queue and quick fault at least once, where it hurts most."""
