"""Processes: which one a process id means, and ending all that a run has started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path


def started_at(pid: int) -> str:
    """Return when a process started, in the system's own words; empty if there is no such process.

    Together with the process id it names one process for good, ids being used again.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
        listed = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return listed.stdout.strip()
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group, if it is still there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def kill_holders(reading: int) -> None:
    """Kill the other processes that have the pipe open of which `reading` is an end; needs `/proc`."""
    with contextlib.suppress(OSError):
        pipe = Path(f"/proc/self/fd/{reading}").readlink()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                held = {entry.readlink() for entry in (process / "fd").iterdir()}
                if pipe in held and int(process.name) != os.getpid():
                    os.kill(int(process.name), signal.SIGKILL)
