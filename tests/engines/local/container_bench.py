"""A machine with a stand-in for docker or podman, and container components to run there."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter.engines.base import LocalOptions, RunOptions
from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import Target
from tests.engines.local.bench import NO_CACHE, Bench, Run, eventually, pipeline, task, value_type

IMAGE = "box:1"

TOOLS = (
    "sh",
    "cat",
    "echo",
    "sleep",
    "mkdir",
    "true",
    "id",
    "tr",
    "touch",
    "test",
    "ls",
    "rm",
    "ps",
    "dirname",
)

DOCKER: dict[str, Any] = {
    "ServerVersion": "28.0.0",
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "OperatingSystem": "Debian GNU/Linux 12",
    "CpuCfsQuota": True,
    "MemoryLimit": True,
}

PODMAN: dict[str, Any] = {
    "host": {
        "security": {"rootless": True, "selinuxEnabled": False},
        "cgroupControllers": ["memory", "pids"],
    },
    "version": {"Version": "4.3.1"},
}


@dataclass
class Config:
    """What the stand-in has.

    Attributes:
        info: What it says of itself.
        images: Images that are here.
        registry: Images that can be pulled.
        pull_error: What it says of others.
        pull_waits: Whether a pull takes for ever.
        hungry: Images whose containers need too much memory.
        entry_points: What images run without a command.
        data: The folder of all runs' data, of which only what is mounted may be named.
    """

    info: dict[str, Any] = field(default_factory=lambda: dict(DOCKER))
    images: list[str] = field(default_factory=lambda: [IMAGE, "hungry:1", "python:3.11"])
    registry: list[str] = field(default_factory=list)
    pull_error: str = (
        "pull access denied for {image}, repository does not exist or may require 'docker login'"
    )
    pull_waits: bool = False
    hungry: list[str] = field(default_factory=lambda: ["hungry:1"])
    entry_points: dict[str, list[str]] = field(default_factory=dict)
    data: str = ""


class Machine(Bench):
    """Starts runs where docker may be.

    Args:
        home: A folder for what the stand-in keeps.
        monkeypatch: Takes all back.
    """

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.home = home
        self.programs = home / "bin"
        self.programs.mkdir(parents=True)
        for name in TOOLS:
            (self.programs / name).symlink_to(shutil.which(name) or f"/bin/{name}")
        self._program("python3", f'exec {sys.executable} "$@"')
        monkeypatch.setenv("PATH", str(self.programs))
        monkeypatch.setenv("STAND_IN", str(home))
        for name in ("KFP_JUPYTER_CONTAINERS", "KFP_JUPYTER_CONTAINER_ARGUMENTS"):
            monkeypatch.delenv(name, raising=False)

    def install(self, config: Config | None = None, name: str = "docker") -> None:
        """Install the stand-in."""
        config = config or Config()
        config.data = os.environ["KFP_JUPYTER_DATA"]
        for folder in ("containers", "inside"):
            (self.home / folder).mkdir(exist_ok=True)
        (self.home / "config.json").write_text(json.dumps(asdict(config)))
        stand_in = Path(__file__).with_name("stand_in_docker.py")
        self._program(name, f'exec {sys.executable} -S -E {stand_in} "$@"')

    def start_local(self, pipeline: Pipeline, options: LocalOptions, *, caching: bool = False) -> Run:
        """Start a run with what is otherwise than usual."""
        self.count += 1
        chosen = RunOptions(f"run-{self.count}", Target(), caching=caching, jobs=4, local=options)
        return Run(self.engine, self.engine.submit(pipeline, {}, chosen))

    def calls(self, *beginning: str) -> list[list[str]]:
        """Return the command lines that begin so."""
        return [held["words"] for held in self._calls() if held["words"][: len(beginning)] == list(beginning)]

    @property
    def any_call_is_marked(self) -> bool:
        """Whether a call would have been killed with the processes of the run."""
        return any(held["marked"] for held in self._calls())

    @property
    def containers(self) -> list[dict[str, Any]]:
        """The containers there are."""
        return [json.loads(place.read_text()) for place in (self.home / "containers").glob("*.json")]

    def _calls(self) -> list[dict[str, Any]]:
        file = self.home / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def _program(self, name: str, text: str) -> None:
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)


def box(
    command: tuple[str, ...],
    args: tuple[str, ...] = (),
    *,
    image: str = IMAGE,
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
    env: tuple[tuple[str, str], ...] = (),
) -> Component:
    """Return a container component `box`."""
    return Component(
        "box",
        tuple(InputSpec(key, value_type(kind), optional=True) for key, kind in (inputs or {}).items()),
        tuple(OutputSpec(key, value_type(kind)) for key, kind in (outputs or {}).items()),
        ContainerStep(image, command, args, env),
    )


def shell(script: str, *args: str, **more: Any) -> Component:
    """Return a container component that runs a shell's script with arguments `$1`, `$2`…"""
    return box(("sh", "-ec", script, "sh"), args, **more)


STUBBORN = shell("trap '' TERM; echo started; while true; do sleep 0.05; done")
"""Ends only when it is killed."""

USUAL = LocalOptions()


def run(machine, held, settings=NO_CACHE, options=USUAL, **arguments) -> Run:
    """Run one container component as the task `step`."""
    started = machine.start_local(
        pipeline({"box": held}, task("step", "box", settings=settings, **arguments)), options
    )
    started.wait()
    return started


def begun(machine, options=USUAL, settings=NO_CACHE, step=STUBBORN) -> Run:
    """Start a container, one that does not end if nothing else is said, and see it run."""
    started = machine.start_local(pipeline({"box": step}, task("step", "box", settings=settings)), options)
    log = started.folder / "tasks" / "step" / "1" / "log.txt"
    assert eventually(lambda: log.exists() and "started" in log.read_text())
    return started
