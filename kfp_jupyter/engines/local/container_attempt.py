"""An attempt in a container: docker or podman runs it, and stays with it until its end.

The process that is waited for is the program's own: what the container prints comes through it, signals go
through it, and its exit code is the container's. When it has ended, however it did, the container is removed
by its name. What a killed supervisor leaves behind is removed by the fork server, by the run's label.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from kfp_jupyter.engines.local.attempt import AttemptError, Heard
from kfp_jupyter.engines.local.command_attempt import CommandAttempt
from kfp_jupyter.engines.local.contained import INSTALL_FAILED
from kfp_jupyter.engines.local.container import ALWAYS, NEVER, Container
from kfp_jupyter.engines.local.container_client import ContainerClient
from kfp_jupyter.engines.local.environment import OFFLINE, InstallError, why
from kfp_jupyter.engines.local.exchange import Product
from kfp_jupyter.engines.local.fork_client import ForkServers
from kfp_jupyter.engines.local.order import Order
from kfp_jupyter.engines.local.worker import Ended
from kfp_jupyter.engines.trouble import command_ended
from kfp_jupyter.model.run import TaskError

FROM_THE_PROGRAM = (125, 126, 127)
"""Exit codes that may be the program's own: it failed, the command cannot be run, there is none."""

LOOK_SECONDS = 1.0
"""After which time is asked which process a container is, until that is known: its usage is measured."""

HUB = "docker.io/"
"""Where docker looks for an image whose name says nothing of a registry."""


class ContainerAttempt(CommandAttempt):
    """Runs a container and collects what its command has put out.

    Args:
        order: What to do.
        servers: Who starts the program.
        python: The Python of the fork server that does so.
        heard: Who is told.
        container: The container.
        client: Who answers questions about it.
    """

    def __init__(
        self,
        order: Order,
        servers: ForkServers,
        python: str,
        heard: Heard,
        container: Container,
        client: ContainerClient,
    ) -> None:
        super().__init__(order, servers, python, heard)
        self._container = container
        self._client = client
        self._inside = 0

    def carry_out(self) -> Product | None:
        """Pull the image if it is not there, and run the container."""
        for kind in self._container.unlimited(self._client.engine):
            self.log.note(f"the {kind} limit is not enforced: {self._client.engine} cannot do that here")
        self._pull()
        return self.committed(self._run_container)

    def _run_container(self) -> Ended:
        command = self._container.run_command(self._client.engine)
        self._inside, over = 0, threading.Event()
        threading.Thread(target=self._find_process, args=[over], daemon=True).start()
        try:
            ended = self.work(self.python, command, execute=True)
            if ended.code:
                self.error = self.error or self._why(ended)
            elif self.order.python is None and not self.stopped:
                self.collect()
        finally:
            over.set()
            self._client.remove(self._container.name)
        # What the program itself has used is no usage of the step.
        return replace(ended, cpu_seconds=0.0, memory_bytes=0)

    @property
    def pid(self) -> int:
        """The id of the first process inside the container; 0 while it is not known."""
        return self._inside

    def _find_process(self, over: threading.Event) -> None:
        while not self._inside and not over.wait(LOOK_SECONDS):
            self._inside = self._client.process(self._container.name)

    # --- The image
    # ------------------------------------------------------------------------------------------------

    def _pull(self) -> None:
        image, pull = self._container.image, self._container.pull
        if pull != ALWAYS and self._client.has(image):
            return
        if pull == NEVER:
            raise AttemptError(
                "ImageNotThere",
                f"The image {image} is not on this machine, and the step's pull policy is {NEVER}.",
            )
        self.heard.phase("Pulling", f"Pulling {image}.")
        with self._client.turn(image, lambda: bool(self.stopped)) as mine:
            if mine and (pull == ALWAYS or not self._client.has(image)):
                self._pull_now(image)
        self.heard.phase("", "")

    def _pull_now(self, image: str) -> None:
        engine = self._client.engine
        # Podman has no registry of its own to complete a name with, unless it is given one.
        named = f"{HUB}{image}" if engine.podman and not _names_registry(image) else image
        pull = [engine.program, "pull", named]
        ended = self.prepared(lambda: self.work(self.python, pull, execute=True, step=False))
        if ended.code and not self.stopped:
            raise AttemptError("ImageNotPulled", _not_pulled(image, self.log_tail, str(engine)))

    # --- The end
    # ------------------------------------------------------------------------------------------------

    def _why(self, ended: Ended) -> TaskError:
        container = self._container
        outcome = self._client.outcome(container.name)
        if outcome.out_of_memory:
            limit = container.resources.memory_limit
            more = f"more memory than its limit of {limit}" if limit else "more memory than there is"
            message = f"The container was killed because it used {more} (exit code {ended.code})."
            return TaskError("OutOfMemory", message)
        if not outcome.started and ended.code in FROM_THE_PROGRAM:
            said = outcome.error or _last(self.log_tail)
            if ended.code != FROM_THE_PROGRAM[0] and container.command:
                there_is_no = f"The image {container.image} cannot run {container.command[0]!r}"
                return TaskError("NoSuchCommand", f"{there_is_no}: {_in_short(said)}.")
            return TaskError("ContainerNotStarted", f"The container was not started: {said}.")
        python = self.order.python
        if python is not None and ended.code == INSTALL_FAILED:
            error = InstallError(
                f"{', '.join(python.packages)} could not be installed in the image {container.image}"
            )
            return TaskError("PackagesNotInstalled", why(error, self.log_tail))
        return command_ended(ended.code, container.resources.memory_limit)


def _names_registry(image: str) -> bool:
    """Say whether an image's name begins with a registry, as docker tells one: by its dot, colon or name."""
    first, slash, _ = image.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first)


def _not_pulled(image: str, tail: tuple[str, ...], program: str) -> str:
    what = f"The image {image} could not be pulled: {_last(tail).rstrip('.')}."
    if any(mark in line for line in tail for mark in (*OFFLINE, "no such host", "i/o timeout")):
        return (
            f"{what} Its registry could not be reached: connect this machine to it, or bring the image here"
            f" (`{program} load`)."
        )
    return (
        f"{what} Check its name and tag; a private registry asks for `{program} login`; an image of your own"
        f" is made with `{program} build -t {image} .`"
    )


def _last(tail: tuple[str, ...]) -> str:
    """Return the line of a program's output that tells what went wrong."""
    said = [
        line.strip() for line in tail if line.strip() and not line.startswith(("Run 'docker", "See 'docker"))
    ]
    telling = [line for line in said if "rror" in line]
    line = (telling or said or ["it does not say why"])[-1]
    for opening in ("docker: ", "Error response from daemon: ", "Error: "):
        line = line.removeprefix(opening)
    return line


def _in_short(said: str) -> str:
    """Return what a runtime says of a command, without the names of all that passed it on."""
    return said.rpartition("exec: ")[2].removesuffix(": unknown").partition(": OCI runtime")[0]
