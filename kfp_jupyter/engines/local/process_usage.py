"""What processes and all that they have started use, read from `/proc`; without it nothing is known.

A process belongs to a worker if it is in its session, or if one that it descends from is: so those count too
that made themselves a session. Processor time includes children that have ended and were waited for. The
memory of a lone process is the most it ever had; of several it is their share of what they share
(https://docs.kernel.org/filesystems/proc.html, `Pss`), as a page that a fork still shares is there once.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

_PROC = "/proc"
_KILOBYTE = 1024


@dataclass(frozen=True, slots=True)
class Spent:
    """What a worker's processes have used.

    Attributes:
        cpu_seconds: Their processor time.
        memory_bytes: The memory that they have, or of a lone process the most it had.
    """

    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    session: int
    ticks: int
    pages: int


def spent(workers: Collection[int]) -> dict[int, Spent]:
    """Return what workers have used, by process id; those that are gone are left out.

    Args:
        workers: Process ids; each leads a session of its own.
    """
    table = _table()
    members: dict[int, list[int]] = {pid: [] for pid in workers if pid in table}
    owners: dict[int, int] = {pid: pid for pid in members}
    for pid in table:
        owner = _owner(pid, table, owners)
        if owner:
            members[owner].append(pid)
    tick = os.sysconf("SC_CLK_TCK")
    return {
        worker: Spent(sum(table[pid].ticks for pid in held) / tick, _memory(held, table))
        for worker, held in members.items()
    }


def _owner(pid: int, table: dict[int, _Process], owners: dict[int, int]) -> int:
    """Return the worker to which a process belongs, or 0, and note it for it and those it descends from."""
    passed: list[int] = []
    owner = 0
    while pid in table:
        if pid in owners:
            owner = owners[pid]
            break
        passed.append(pid)
        process = table[pid]
        if owners.get(process.session) == process.session:
            owner = process.session
            break
        # A table that is read while it changes might have a circle in it.
        pid = 0 if process.parent in passed else process.parent
    owners.update(dict.fromkeys(passed, owner))
    return owner


def _memory(pids: list[int], table: dict[int, _Process]) -> int:
    if len(pids) == 1:
        return _kilobytes(f"{pids[0]}/status", b"VmHWM:") or _resident(table[pids[0]])
    return sum(_kilobytes(f"{pid}/smaps_rollup", b"Pss:") or _resident(table[pid]) for pid in pids)


def _resident(process: _Process) -> int:
    return process.pages * os.sysconf("SC_PAGE_SIZE")


def _kilobytes(file: str, name: bytes) -> int:
    """Return the bytes that a line of a file of `/proc` gives in kilobytes; 0 if it cannot be read."""
    _, _, rest = _read(file).partition(b"\n" + name)
    words = rest.split(None, 1)
    return int(words[0]) * _KILOBYTE if words else 0


def _table() -> dict[int, _Process]:
    try:
        with os.scandir(_PROC) as entries:
            names = [entry.name for entry in entries if entry.name.isdigit()]
    except OSError:
        return {}
    return {int(name): process for name in names if (process := _process(name)) is not None}


def _process(name: str) -> _Process | None:
    # What stands in brackets is the program's name, which may hold anything.
    words = _read(f"{name}/stat").rpartition(b")")[2].split()
    if len(words) < 22:
        return None
    return _Process(int(words[1]), int(words[3]), sum(map(int, words[11:15])), int(words[21]))


def _read(file: str) -> bytes:
    """Return what a file of `/proc` says; nothing if its process has gone."""
    try:
        descriptor = os.open(f"{_PROC}/{file}", os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 1 << 14)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
