"""What a run may use of this machine at once: some tasks, and the processors, memory and GPUs they ask for.

A task that asks for nothing takes one place and no more. One that asks for more than there is runs alone. A
task that has to wait keeps what it lacks from those behind it, or small ones would pass it for ever; those
that want none of that go ahead.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

from kfp_jupyter.interchange.quantity import cores, gigabytes
from kfp_jupyter.model.settings import Resources

TOLERANCE = 1e-9


@dataclass(slots=True)
class Amounts:
    """Amounts of each kind.

    Attributes:
        places: Tasks at once.
        cores: Processors.
        gigabytes: Memory, in gigabytes of 1000³ bytes.
        gpus: Accelerators of whatever type.
    """

    places: float = 1
    cores: float = 0
    gigabytes: float = 0
    gpus: float = 0

    def kinds(self) -> dict[str, float]:
        """Return the amounts by kind."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


def machine(jobs: int) -> Amounts:
    """Return what there is.

    Args:
        jobs: How many tasks may run at once; 0 means as many as there are processors.
    """
    count = os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1000**3
    return Amounts(jobs or count, count, memory, gpus())


def gpus() -> int:
    """Return how many GPUs NVIDIA's driver knows; other kinds are not counted."""
    try:
        return len(list(Path("/proc/driver/nvidia/gpus").iterdir()))
    except OSError:
        return 0


def asked(resources: Resources) -> Amounts:
    """Return what a task asks for: what it requests, or else its limit, as Kubernetes has it.

    An amount that cannot be read (a placeholder is left in it) counts as none.
    """
    return Amounts(
        1,
        _number(cores, resources.cpu_request or resources.cpu_limit),
        _number(gigabytes, resources.memory_request or resources.memory_limit),
        _number(float, resources.accelerator_count) if resources.accelerator_type else 0,
    )


def limits(resources: Resources) -> tuple[float, int]:
    """Return the processors and the bytes of memory that a task may use; 0 where nothing is said."""
    return _number(cores, resources.cpu_limit), round(_number(gigabytes, resources.memory_limit) * 1000**3)


def excess(want: Amounts, there_is: Amounts) -> dict[str, tuple[float, float]]:
    """Return the kinds of which a task asks for more than there is: what it asks for, and what there is.

    A machine without GPUs is not excess: the task runs without, which is said elsewhere.
    """
    have = there_is.kinds()
    over = {kind: (amount, have[kind]) for kind, amount in want.kinds().items() if amount > have[kind]}
    if not there_is.gpus:
        over.pop("gpus", None)
    return over


class Budget:
    """Keeps account.

    Args:
        there_is: What there is.
    """

    def __init__(self, there_is: Amounts) -> None:
        self._there_is = there_is
        self._free = there_is.kinds()
        self._kept: set[str] = set()
        self._taken: dict[str, dict[str, float]] = {}

    @property
    def has_room(self) -> bool:
        """Whether any task could start."""
        return self._free["places"] >= 1 and "places" not in self._kept

    def begin(self) -> None:
        """Begin to go through those that wait, the first one first."""
        self._kept.clear()

    def take(self, name: str, want: Amounts) -> bool:
        """Take what a task asks for; if it is not there, keep from those behind it what it lacks."""
        share = self._share(want)
        lacking = {
            kind
            for kind, amount in share.items()
            if amount and (kind in self._kept or amount > self._free[kind] + TOLERANCE)
        }
        if lacking:
            self._kept |= lacking
            return False
        for kind, amount in share.items():
            self._free[kind] -= amount
        self._taken[name] = share
        return True

    def give_back(self, name: str) -> None:
        """Give back what a task has taken."""
        for kind, amount in self._taken.pop(name).items():
            self._free[kind] += amount

    def _share(self, want: Amounts) -> dict[str, float]:
        there_is = self._there_is.kinds()
        if excess(want, self._there_is):
            return there_is
        share = want.kinds()
        if not there_is["gpus"]:
            share["gpus"] = 0
        return share


def _number(read: object, text: str) -> float:
    try:
        return float(read(text)) if text and callable(read) else 0.0
    except (ValueError, KeyError):
        return 0.0
