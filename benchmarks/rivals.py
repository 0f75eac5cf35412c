"""Environments of the tools we measure ourselves against, each made once under `build/rivals/`."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "build" / "rivals"


def python_with(name: str, *requirements: str) -> Path:
    """Return the interpreter of an environment that has the requirements installed.

    Args:
        name: The environment's folder, such as `kfp-2.17.0`.
        requirements: What pip installs when the environment is made.
    """
    folder = FOLDER / name
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.exists():
        print(f"making the environment {name} (once) …", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *requirements], check=True)
        done.touch()
    return python


def kfp() -> Path:
    """Return the interpreter of the KFP SDK's environment."""
    return python_with("kfp-2.17.0", "kfp==2.17.0", "ipython")
