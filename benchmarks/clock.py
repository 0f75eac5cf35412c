"""How long a piece of a program takes in a process of its own, in which nothing is warm but the disk."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_BEGIN = "\nimport os, sys, time\nbegin = time.{clock}()\n"
_END = "\nos.write(int(sys.argv[1]), str(time.{clock}() - begin).encode())"


class FailedError(Exception):
    """The program ended with an error; the message is the last line that it wrote of it."""


def seconds(python: str | Path, setup: str, body: str, *arguments: str, clock: str = "perf_counter") -> float:
    """Return how long the body takes in a new process of that interpreter, in seconds.

    Args:
        python: The interpreter.
        setup: What comes before, and is not measured.
        body: What is measured.
        arguments: `sys.argv[2:]` of both.
        clock: The function of `time` that is asked.

    Raises:
        FailedError: It ended with an error.
    """
    with tempfile.TemporaryFile() as answer:
        descriptor = answer.fileno()
        begin, end = _BEGIN.format(clock=clock), _END.format(clock=clock)
        _run([python, "-c", setup + begin + body + end, str(descriptor), *arguments], descriptor)
        answer.seek(0)
        return float(answer.read())


def command_seconds(*words: str | Path) -> float:
    """Return how long a command takes from its start to its end, in seconds.

    Raises:
        FailedError: It ended with an error.
    """
    begin = time.perf_counter()
    _run(words)
    return time.perf_counter() - begin


def _run(words: list[str | Path] | tuple[str | Path, ...], *descriptors: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            words,
            pass_fds=descriptors,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # From here Python takes the package of this folder, whatever else is installed.
            cwd=_ROOT,
            env={"HOME": home, "PATH": "/usr/bin:/bin"},
            check=False,
        )
    if done.returncode != 0:
        raise FailedError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
