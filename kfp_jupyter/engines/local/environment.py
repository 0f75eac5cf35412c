"""An environment for steps whose packages this Python lacks: made once for a set of requirements, then kept.

It is a virtual environment that also sees every package of this Python; only what is missing is installed. An
isolated one sees none of them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kfp_jupyter.engines.local.lock import take
from kfp_jupyter.model.component import PythonStep

POLL_SECONDS = 0.1


OFFLINE = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "Connection refused",
    "dns error",
    "tcp connect error",
)
"""What pip and uv print when a package index cannot be reached."""


class InstallError(Exception):
    """The packages could not be installed; the installer's output says why."""


class Environment:
    """The environment of a step.

    Args:
        data: The folder of all runs' data.
        step: The step.
        isolated: Whether it has nothing but the step's packages.
    """

    def __init__(self, data: Path, step: PythonStep, *, isolated: bool = False) -> None:
        import hashlib

        self._step = step
        self._isolated = isolated
        parts = [sorted(step.packages), step.pip_index_urls, sys.version, sys.prefix]
        parts += ["isolated"] if isolated else []
        key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]
        self._folder = data / "environments" / key
        self._ready = self._folder / "ready"

    def __str__(self) -> str:
        """Return the packages, for messages."""
        return ", ".join(self._step.packages) or "an environment of its own"

    @property
    def is_ready(self) -> bool:
        """Whether it is there."""
        return self._ready.exists()

    @property
    def python(self) -> str:
        """The path of its Python."""
        return str(self._folder / "bin" / "python")

    def make(self, run: Callable[[list[str]], int], stopped: Callable[[], bool]) -> None:
        """Make it, unless it is there; waits for whoever is making it already.

        Args:
            run: Runs a command and returns its exit code.
            stopped: Says whether to give up waiting.

        Raises:
            InstallError: A package could not be installed, or the attempt was stopped.
        """
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        lock = take(self._folder.with_suffix(".lock"))
        while lock is None:
            if stopped():
                raise InstallError("stopped while waiting for another run that installs the same packages")
            time.sleep(POLL_SECONDS)
            lock = take(self._folder.with_suffix(".lock"))
        try:
            if not self.is_ready:
                self._make(run)
            # Says when it was used last; see `upkeep`.
            self._ready.touch()
        finally:
            os.close(lock)

    def _make(self, run: Callable[[list[str]], int]) -> None:
        import shutil

        shutil.rmtree(self._folder, ignore_errors=True)
        if run([sys.executable, "-m", "venv", "--without-pip", str(self._folder)]) != 0:
            raise InstallError(f"a virtual environment could not be made in {self._folder}")
        if not self._isolated:
            self._see_the_kernels()
        packages = self._step.packages
        if packages and run([*installer(self.python), *self._options(), *packages]) != 0:
            raise InstallError(f"{self} could not be installed")

    def _see_the_kernels(self) -> None:
        import site
        import sysconfig

        (library,) = self._folder.glob("lib/python*/site-packages")
        parents = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
        if site.ENABLE_USER_SITE:
            parents[site.getusersitepackages()] = None
        lines = [f"import site; site.addsitedir({parent!r})" for parent in parents]
        (library / "parent.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _options(self) -> list[str]:
        options = []
        for index, url in enumerate(self._step.pip_index_urls):
            options += ["--extra-index-url" if index else "--index-url", url]
        for host in self._step.pip_trusted_hosts:
            options += ["--trusted-host", host]
        return options


def installer(python: str) -> list[str]:
    """Return the command that installs into the environment of `python`; empty if this machine has none."""
    import importlib.util
    import shutil

    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", python]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--python", python, "install", "--disable-pip-version-check"]
    return []


def why(error: InstallError, tail: Sequence[str]) -> str:
    """Return why packages could not be installed, in a sentence or two.

    Args:
        error: What could not be installed.
        tail: The last lines that the installer printed.
    """
    if any(mark in line for line in tail for mark in OFFLINE):
        return (
            f"{error}: no package index could be reached. Connect this machine to one, name one that it can"
            " reach (`--pip-index-url`, or pip's own settings), or install the packages into the kernel's"
            " environment."
        )
    telling = [line.strip() for line in tail if line.strip() and not line.startswith(("[notice]", "hint:"))]
    first = next((place for place, line in enumerate(telling) if "error" in line.lower()), None)
    said = telling[first:][:3] if first is not None else telling[-1:]
    return f"{error}: {' '.join(said)}" if said else str(error)
