"""Docker or podman on this machine: which of them answers, and what it is asked on its command line.

Both have the same command line. What differs is whose files a container's user writes, which resources it can
limit, and how names of images are completed; that is found out once, before the run.
Reference: https://docs.docker.com/reference/cli/docker/container/run/,
https://docs.podman.io/en/latest/markdown/podman-run.1.html
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PROGRAMS = ("docker", "podman")

PROGRAM_VARIABLE = "KFP_JUPYTER_CONTAINERS"
"""Names the program, or its path, where it is not the first of these that answers."""

ARGUMENTS_VARIABLE = "KFP_JUPYTER_CONTAINER_ARGUMENTS"
"""Further words for each `run`, for all runs of this machine, such as `--network host`."""

LABEL = "kfp-jupyter.run"
"""A container's label that holds the folder of its run, by which it is found again."""

ANSWER_SECONDS = 30.0
"""How long a program may take to say whether it can run containers."""


class NoContainersError(Exception):
    """Nothing runs containers here; the message says what was found."""


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """A program that runs containers.

    Attributes:
        program: Its path.
        podman: Whether it is podman, perhaps under docker's name.
        user: As whom containers run so that what they write is this user's, `UID:GID`; empty if it is so
            whoever they run as.
        limits: What it can limit, of `cpu` and `memory`.
        confined: Whether SELinux keeps containers from files that they are given.
        arguments: Further words for each `run`.
    """

    program: str
    podman: bool = False
    user: str = ""
    limits: tuple[str, ...] = ("cpu", "memory")
    confined: bool = False
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return its name."""
        return "podman" if self.podman else "docker"

    def removal(self, run: str) -> dict[str, Any]:
        """Return the commands that list a run's containers and, with their ids, remove them.

        Args:
            run: The run's folder.
        """
        listing = [self.program, "ps", "--all", "--quiet", "--filter", f"label={LABEL}={run}"]
        # Podman would first ask each to end, and wait.
        killing = [[self.program, "kill"]] if self.podman else []
        return {"list": listing, "remove": [*killing, [self.program, "rm", "--force"]]}


def container_engine(program: str = "", arguments: tuple[str, ...] = ()) -> ContainerEngine:
    """Find what runs containers on this machine.

    Args:
        program: Which program, or its path; empty means that of `PROGRAM_VARIABLE`, or what answers first.
        arguments: Further words for each `run`, besides those of `ARGUMENTS_VARIABLE`.

    Raises:
        NoContainersError: None is installed, or none answers.
    """
    import shlex

    wanted = program or os.environ.get(PROGRAM_VARIABLE, "")
    all_arguments = (*shlex.split(os.environ.get(ARGUMENTS_VARIABLE, "")), *arguments)
    problems = []
    for name in [wanted] if wanted else PROGRAMS:
        path = shutil.which(name)
        if path is None:
            problems.append(f"{name} is not installed")
            continue
        try:
            return _read(path, _asked(path), all_arguments)
        except NoContainersError as error:
            problems.append(f"{name} does not answer ({error})")
    raise NoContainersError(", ".join(problems))


def _asked(path: str) -> dict[str, Any]:
    command = [path, "info", "--format", "{{json .}}"]
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoContainersError(f"nothing within {ANSWER_SECONDS:g} s") from None
    except OSError as error:
        raise NoContainersError(str(error.strerror)) from None
    said = answer.stderr.decode(errors="replace").strip()
    try:
        info = json.loads(answer.stdout)
    except ValueError:
        raise NoContainersError(said.splitlines()[-1] if said else f"exit code {answer.returncode}") from None
    if "host" not in info and not info.get("ServerVersion"):
        errors = [str(error) for error in info.get("ServerErrors") or ()] or said.splitlines()
        raise NoContainersError(errors[0] if errors else f"exit code {answer.returncode}")
    return dict(info)


def _read(path: str, info: dict[str, Any], arguments: tuple[str, ...]) -> ContainerEngine:
    """Return the engine that a program's `info` tells of."""
    if "host" in info:
        host = info["host"]
        security = host.get("security") or {}
        controllers = host.get("cgroupControllers") or ()
        return ContainerEngine(
            path,
            podman=True,
            user=_user(rootless=bool(security.get("rootless"))),
            limits=tuple(kind for kind in ("cpu", "memory") if kind in controllers),
            confined=bool(security.get("selinuxEnabled")),
            arguments=arguments,
        )
    options = " ".join(info.get("SecurityOptions") or ())
    in_a_machine_of_its_own = "Docker Desktop" in str(info.get("OperatingSystem"))
    return ContainerEngine(
        path,
        user="" if in_a_machine_of_its_own else _user(rootless="name=rootless" in options),
        limits=tuple(_of_docker(info)),
        confined="name=selinux" in options,
        arguments=arguments,
    )


def _of_docker(info: dict[str, Any]) -> Iterator[str]:
    if info.get("CpuCfsQuota"):
        yield "cpu"
    if info.get("MemoryLimit"):
        yield "memory"


def _user(*, rootless: bool) -> str:
    # Without root's rights, root inside is this user outside, and everyone else inside is nobody here.
    return "0:0" if rootless else f"{os.getuid()}:{os.getgid()}"
