"""A container for one attempt, as the command line of docker or podman that runs it.

What the step is given and what it puts out is mounted at the same paths as outside, so that a path and a
URI mean the same on both sides: what it gets is read-only, the folders of its attempt and of its artifacts
are its own. A command takes the place of the image's entry point, as on Kubernetes; without one, that runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kfp_jupyter.engines.local.container_engine import LABEL, ContainerEngine
from kfp_jupyter.interchange.quantity import cores, gigabytes
from kfp_jupyter.model.settings import Resources
from kfp_jupyter.model.types import Json

ALWAYS, NEVER = "Always", "Never"
"""When an image is pulled besides when it is not there, in Kubernetes' words."""

# Variables that the program itself heeds; their values stand on its command line instead of around it.
_HEEDED = frozenset(
    ["PATH", "HOME", "USER", "TMPDIR", "GODEBUG"]
    + [
        f"DOCKER_{name}"
        for name in ("HOST", "CONFIG", "CONTEXT", "API_VERSION", "CERT_PATH", "TLS", "TLS_VERIFY")
    ]
    + [f"CONTAINER_{name}" for name in ("HOST", "CONNECTION", "SSHKEY")]
)
# Those of Python are heeded by the fork server, which may be started with the same variables.
_HEEDED_FAMILIES = ("XDG_", "LD_", "STORAGE_", "CONTAINERS_", "PYTHON")


@dataclass(frozen=True, slots=True)
class ContainerMount:
    """A file or folder of this machine, or a folder in memory, that a container sees.

    Attributes:
        source: Where it is; empty for memory.
        target: Where the container sees it.
        writable: Whether the container may write there.
        size: How many bytes memory may take; 0 for no limit.
    """

    source: str
    target: str
    writable: bool = False
    size: int = 0

    def __str__(self) -> str:
        """Return it as the value of `--mount`, which is a line of CSV."""
        fields = ["type=bind", f"source={self.source}", f"target={self.target}"]
        if not self.source:
            limit = [f"tmpfs-size={self.size}"] if self.size else []
            return ",".join(map(_quoted, ["type=tmpfs", f"target={self.target}", *limit]))
        return ",".join(_quoted(held) for held in [*fields, *([] if self.writable else ["readonly"])])


@dataclass(frozen=True, slots=True)
class Container:
    """A container.

    Attributes:
        name: Its name.
        run: The folder of its run.
        task: The path of its task.
        image: Its image.
        command: What takes the place of the image's entry point; empty leaves that.
        args: Its arguments.
        env: Its environment variables.
        mounts: What it sees of this machine.
        resources: What it asks for and is limited to.
        gpus: How many GPUs it is given.
        shared_memory: The size of its shared memory, as a Kubernetes quantity; empty means the program's own.
        pull: When its image is pulled besides when it is not there: `ALWAYS`, `NEVER` or empty.
    """

    name: str
    run: str
    task: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: Mapping[str, str]
    mounts: tuple[ContainerMount, ...]
    resources: Resources = field(default_factory=Resources)
    gpus: int = 0
    shared_memory: str = ""
    pull: str = ""

    def variables(self) -> dict[str, str]:
        """Return the variables whose values the program takes from its own environment.

        On its command line everybody on this machine could read them, and some are secrets.
        """
        return {
            name: value
            for name, value in self.env.items()
            if name not in _HEEDED and not name.startswith(_HEEDED_FAMILIES)
        }

    def run_command(self, engine: ContainerEngine) -> list[str]:
        """Return the command that runs it, and stays with it until its end."""
        words = [engine.program, "run"]
        words += ["--label", f"{LABEL}={self.run}", "--label", f"kfp-jupyter.task={self.task}"]
        # What it prints is read as it comes, and kept by us.
        words += ["--pull=never", "--log-driver", "none"]
        if engine.user:
            words += ["--user", engine.user]
        if engine.confined:
            words += ["--security-opt", "label=disable"]
        for mount in self.mounts:
            words += ["--mount", str(mount)]
        around = self.variables()
        for name, value in {**self._home(engine), **self.env}.items():
            words += ["--env", name if name in around else f"{name}={value}"]
        # The last word counts: what the user adds is his, but by its name the container is found again.
        words += [*self._limits(engine), *engine.arguments, "--name", self.name]
        entry, *rest = self.command or ("",)
        if entry:
            words += ["--entrypoint", entry]
        return [*words, self.image, *rest, *self.args]

    def unlimited(self, engine: ContainerEngine) -> list[str]:
        """Return what the program cannot limit here though the step's limits ask for it: `cpu`, `memory`."""
        asked = {"cpu": self.resources.cpu_limit, "memory": self.resources.memory_limit}
        return [kind for kind, limit in asked.items() if limit and kind not in engine.limits]

    def _home(self, engine: ContainerEngine) -> dict[str, str]:
        # A user that the image does not know has no home there, and much wants one.
        return {} if engine.user in ("", "0:0") else {"HOME": "/tmp", "USER": "user"}

    def _limits(self, engine: ContainerEngine) -> Iterator[str]:
        with contextlib.suppress(ValueError, KeyError):
            if self.resources.cpu_limit and "cpu" in engine.limits:
                # More than there is would be refused.
                count = min(cores(self.resources.cpu_limit), os.cpu_count() or 1)
                yield from ("--cpus", f"{count:g}")
        with contextlib.suppress(ValueError, KeyError):
            if self.resources.memory_limit and "memory" in engine.limits:
                yield from ("--memory", _bytes(self.resources.memory_limit))
        with contextlib.suppress(ValueError, KeyError):
            if self.shared_memory:
                yield from ("--shm-size", _bytes(self.shared_memory))
        if self.gpus and engine.podman:
            for number in range(self.gpus):
                yield from ("--device", f"nvidia.com/gpu={number}")
        elif self.gpus:
            yield from ("--gpus", str(self.gpus))


def container_name(run: Path, task: str, number: int) -> str:
    """Return a name that no other attempt on this machine has.

    Args:
        run: The run's folder.
        task: The task's path.
        number: The attempt.
    """
    known = hashlib.sha256(f"{run}\0{task}".encode()).hexdigest()[:12]
    readable = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in run.name)
    return f"kfp-jupyter-{readable[:40]}-{known}-{number}"


def input_mounts(artifacts: Mapping[str, list[Json]]) -> Iterator[ContainerMount]:
    """Yield the mounts of what a task gets, as far as it is on this machine.

    Args:
        artifacts: Lists of KFP's RuntimeArtifacts by input name.
    """
    for listed in artifacts.values():
        for held in listed:
            for place in (held.get("uri"), held.get("customPath")):
                if place and Path(place).is_absolute() and Path(place).exists():
                    yield ContainerMount(place, place)


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if set(value) & set(',"\n') else value


def _bytes(quantity: str) -> str:
    return str(round(gigabytes(quantity) * 1000**3))
