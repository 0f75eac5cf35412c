"""Processes: which one a process id means, and ending all that a run has started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

RUN_VARIABLE = "KFP_JUPYTER_RUN"
"""Set for everything an attempt starts: the attempt's folder, by which its processes are found again."""


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


def kill_escaped(folder: Path) -> None:
    """Kill what the attempts under a folder have started, also what left its process group; needs `/proc`."""
    mark = f"{RUN_VARIABLE}={folder}/".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            variables = (entry / "environ").read_bytes().split(b"\0")
            if any(variable.startswith(mark) for variable in variables):
                os.kill(int(entry.name), signal.SIGKILL)
