"""The lock that says a run is looked after.

`submit` takes it before the supervisor exists and hands it down to it, which hands it down to its fork
servers. The system drops it when the last of them is gone, however they end: a lock that can be had means
that nobody looks after the run.
"""

from __future__ import annotations

import os
from pathlib import Path


def take(path: Path) -> int | None:
    """Take the lock and return its file descriptor, which drops it when closed; None if it is held."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(path: Path) -> bool:
    """Say whether somebody holds the lock."""
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who look at once do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
