"""Where this package keeps its data on the user's machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def data_dir() -> Path:
    """Return the folder for runs and history; it need not exist yet.

    `$KFP_JUPYTER_DATA` if set, else `kfp-jupyter` in the place that the system has for users' data:
    `$XDG_DATA_HOME` or `~/.local/share` (https://specifications.freedesktop.org/basedir-spec/latest/),
    `~/Library/Application Support` on macOS, `%LOCALAPPDATA%` on Windows.
    """
    chosen = os.environ.get("KFP_JUPYTER_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        place = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        place = Path.home() / "Library" / "Application Support"
    else:
        place = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return place / "kfp-jupyter"
