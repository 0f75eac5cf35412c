"""Environments of the tools we compare ourselves with, each made once under `build/rivals/`.

`python benchmarks/rivals.py` makes those that tests need. A test only looks for them: it downloads nothing.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "build" / "rivals"

KFP = ("kfp-2.17.0", "kfp==2.17.0", "kfp-kubernetes==2.17.0", "ipython")
"""The name of the KFP SDK's environment, and its requirements."""


def python_with(name: str, *requirements: str) -> Path:
    """Return the interpreter of an environment, which is made if it is not there with these requirements.

    Args:
        name: The environment's folder, such as `kfp-2.17.0`.
        requirements: What pip installs when the environment is made.
    """
    if not _is_complete(name, requirements):
        folder = FOLDER / name
        print(f"making the environment {name} (once) …", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([_python(name), "-m", "pip", "install", "-q", *requirements], check=True)
        (folder / "complete").write_text("\n".join(requirements), encoding="utf-8")
    return _python(name)


def kale() -> Path:
    """Return the interpreter of Kale's environment; its command `kale` lies beside it."""
    return python_with("kale-2.3.0", "kubeflow-kale==2.3.0")


def kfp() -> Path:
    """Return the interpreter of the KFP SDK's environment, which is made if need be."""
    return python_with(*KFP)


def existing_kfp() -> Path:
    """Return the interpreter of the KFP SDK's environment.

    Raises:
        FileNotFoundError: It is not there, or not complete.
    """
    name, *requirements = KFP
    if not _is_complete(name, requirements):
        raise FileNotFoundError(f"{FOLDER / name} has no {requirements}; run `python {__file__}`")
    return _python(name)


def _python(name: str) -> Path:
    return FOLDER / name / "bin" / "python"


def _is_complete(name: str, requirements: Sequence[str]) -> bool:
    done = FOLDER / name / "complete"
    return done.exists() and done.read_text(encoding="utf-8").split("\n") == [*requirements]


if __name__ == "__main__":
    kfp()
