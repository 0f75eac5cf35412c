"""A folder that a step sees at a path of its choice, and how a command is begun so that it sees some."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from kfp_jupyter.engines.local.plan import write_whole

SHARED_MEMORY = "/dev/shm"
"""Where this machine has memory as a folder by itself."""

PROGRAM = Path(__file__).with_name("mount_namespace.py")
"""The program that mounts; only Linux can so much as import it."""

PROBE_SECONDS = 10.0
"""How long may pass until it is known whether something can be mounted."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of this machine that a step sees at a path.

    Attributes:
        source: The folder; empty for memory.
        target: The path.
        size: How many bytes memory may take; 0 for no limit.
    """

    source: str
    target: str
    size: int = 0

    @property
    def is_there(self) -> bool:
        """Whether the path leads there without anything being mounted."""
        target = os.path.realpath(self.target)
        if not self.source:
            return target == SHARED_MEMORY and Path(SHARED_MEMORY).is_dir()
        return target == os.path.realpath(self.source)


def launcher(mounts: Sequence[Mount], program: Path, folder: Path) -> tuple[str, ...]:
    """Return what a command is to begin with so that it sees mounts; nothing if there are none.

    Args:
        mounts: The mounts.
        program: The file of `mount_namespace`.
        folder: A folder of the attempt's own; it is made.

    Raises:
        OSError: The folder could not be written to.
    """
    if not mounts:
        return ()
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "mounts.json"
    write_whole(listed, json.dumps([asdict(mount) for mount in mounts]))
    return (sys.executable, "-I", "-S", str(program), str(listed))


@cache
def can_mount() -> bool:
    """Say whether this machine lets a process mount something for itself; it is tried."""
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(OSError, subprocess.TimeoutExpired):
        place = Mount(folder, f"/kfp-jupyter-probe-{os.getpid()}")
        begin = launcher([place], PROGRAM, Path(folder))
        look = f"open({place.target + '/mounts.json'!r})"
        command = [*begin, sys.executable, "-I", "-S", "-c", look]
        tried = subprocess.run(command, capture_output=True, timeout=PROBE_SECONDS, check=False)
        return tried.returncode == 0
    return False


def why_not() -> str:
    """Return why this machine cannot, where it cannot."""
    return "it lets no process have a mount namespace" if sys.platform == "linux" else "it is no Linux"
