"""What is asked of docker or podman beside running a container: images, how one has ended, that it be gone.

Such a question takes a moment and is asked from the thread of the attempt that it is about.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kfp_jupyter.engines.local.container_engine import ContainerEngine
from kfp_jupyter.engines.local.fork_server import RUN_VARIABLE

ANSWER_SECONDS = 300.0
"""How long an answer may take; without a layered file system podman copies and removes whole images."""

TURN_SECONDS = 0.2
"""How often who waits for an image looks whether to give up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a container has ended, as the program tells.

    Attributes:
        started: Whether its command was started at all.
        out_of_memory: Whether it was killed because it used more memory than its limit.
        error: What the program says went wrong.
    """

    started: bool
    out_of_memory: bool = False
    error: str = ""


class ContainerClient:
    """Asks.

    Args:
        engine: The program.

    Attributes:
        unanswered: Whether it ever gave no answer, so that a container may have been left behind.
    """

    def __init__(self, engine: ContainerEngine) -> None:
        self.engine = engine
        self.unanswered = False
        self._here: set[str] = set()
        self._turns: dict[str, threading.Lock] = {}
        # Held while the lock of an image is looked up.
        self._lock = threading.Lock()

    def has(self, image: str) -> bool:
        """Say whether an image is on this machine."""
        if image not in self._here and self._answer("image", "inspect", "--format", "{{.Id}}", image):
            self._here.add(image)
        return image in self._here

    @contextlib.contextmanager
    def turn(self, image: str, stopped: Callable[[], bool]) -> Iterator[bool]:
        """Wait until nobody else of this run pulls an image; yields False if it was not waited for."""
        with self._lock:
            turn = self._turns.setdefault(image, threading.Lock())
        taken = turn.acquire(timeout=TURN_SECONDS)
        while not taken and not stopped():
            taken = turn.acquire(timeout=TURN_SECONDS)
        try:
            yield taken
        finally:
            if taken:
                turn.release()

    def outcome(self, name: str) -> Outcome:
        """Return how a container has ended; one that is not there was not started."""
        answer = self._answer("inspect", "--format", "{{json .State}}", name)
        try:
            state = json.loads(answer)
        except ValueError:
            return Outcome(started=False)
        began = str(state.get("StartedAt", ""))
        return Outcome(
            started=not began.startswith("0001-"),
            out_of_memory=bool(state.get("OOMKilled")),
            error=str(state.get("Error") or ""),
        )

    def process(self, name: str) -> int:
        """Return the id, on this machine, of the first process of a container; 0 if it is not here."""
        # Without a user's id, containers run in a machine of their own, whose ids are others.
        answer = self._answer("inspect", "--format", "{{.State.Pid}}", name) if self.engine.user else ""
        return int(answer) if answer.isdecimal() else 0

    def remove(self, name: str) -> None:
        """Remove a container, whatever it does; does nothing if there is none."""
        if self.engine.podman:
            self._answer("kill", name)
        self._answer("rm", "--force", name)

    def _answer(self, *words: str) -> str:
        """Return what is printed; empty if it fails."""
        try:
            asked = subprocess.run(
                [self.engine.program, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=ANSWER_SECONDS,
                check=False,
                env=client_variables(),
            )
        except (OSError, subprocess.TimeoutExpired):
            self.unanswered = True
            return ""
        return asked.stdout.decode(errors="replace").strip() if asked.returncode == 0 else ""


def client_variables() -> dict[str, str]:
    """Return the environment of the program: without the mark by which a run's processes are killed.

    Podman leaves processes behind that serve other containers too.
    """
    return {name: value for name, value in os.environ.items() if name != RUN_VARIABLE}
