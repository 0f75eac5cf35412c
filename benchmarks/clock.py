"""How long a piece of a program takes, in a process of its own: nothing is warm that a user would find cold."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BEGIN = "\nimport os, sys, time\nbegin = time.perf_counter()\n"
_END = "\nos.write(int(sys.argv[1]), str(time.perf_counter() - begin).encode())"


def seconds(python: str | Path, setup: str, body: str, *arguments: str) -> float:
    """Return how long the body takes in a new process of that interpreter, in seconds.

    Args:
        python: The interpreter.
        setup: What comes before, and is not measured.
        body: What is measured.
        arguments: `sys.argv[2:]` of both.
    """
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryDirectory() as home:
        descriptor = answer.fileno()
        subprocess.run(
            [python, "-c", setup + _BEGIN + body + _END, str(descriptor), *arguments],
            pass_fds=[descriptor],
            stdout=subprocess.DEVNULL,
            # From here Python takes the package of this folder, whatever else is installed.
            cwd=ROOT,
            env={"HOME": home, "PATH": "/usr/bin:/bin"},
            check=True,
        )
        answer.seek(0)
        return float(answer.read())
