"""Where a run keeps what it knows: one folder a run, one a task in it, one an attempt in that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kfp_jupyter.engines.local.fork_server import CONTAINERS

NAME_LIMIT = 120
"""The most characters of a folder's name; file systems take 255 bytes."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths of one run.

    Attributes:
        path: The folder, `<data>/runs/<run id>`.
        artifact_folder: Where its artifacts are, if not in it; only the supervisor has to know.
        workspace_folder: Where its workspace is, if not in it; only the supervisor has to know.
    """

    path: Path
    artifact_folder: Path | None = None
    workspace_folder: Path | None = None

    @property
    def plan(self) -> Path:
        """The encoded plan: what to run and how."""
        return self.path / "plan.json"

    @property
    def journal(self) -> Path:
        """One encoded event a line."""
        return self.path / "journal.jsonl"

    @property
    def supervisor(self) -> Path:
        """Which process the supervisor is."""
        return self.path / "supervisor.json"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor itself printed, which is nothing if all is well."""
        return self.path / "supervisor.log"

    @property
    def failure(self) -> Path:
        """Why the supervisor failed, in a line; room for it is set aside, or a full disk would go untold."""
        return self.path / "failure.txt"

    @property
    def lock(self) -> Path:
        """The file that is locked as long as the run is looked after."""
        return self.path / "lock"

    @property
    def containers(self) -> Path:
        """How to list and remove the run's containers; there as long as there may be any."""
        return self.path / CONTAINERS

    @property
    def workspace(self) -> Path:
        """The folder that all tasks share, if the pipeline has a workspace."""
        return self.workspace_folder or self.path / "workspace"

    @property
    def artifact_root(self) -> Path:
        """The folder of all artifacts."""
        return self.artifact_folder or self.path / "artifacts"

    def source(self, component: str) -> Path:
        """The source file of a component, by its key."""
        return self.path / "sources" / f"{folder_name(component)}.py"

    def task(self, task: str) -> Path:
        """The folder of a task's attempts."""
        return self.path / "tasks" / folder_name(task)

    def attempt(self, task: str, attempt: int) -> Path:
        """The folder of one attempt: `input.json`, `output.json`, `log.txt`."""
        return self.task(task) / str(attempt)

    def artifacts(self, task: str) -> Path:
        """The folder of a task's artifacts, each under its output's name."""
        return self.artifact_root / folder_name(task)

    def imported(self, task: str) -> Path:
        """The folder in the workspace of what a task has imported; a shared workspace has one a run."""
        own = self.path.name if self.workspace_folder else ""
        return self.workspace / ".artifacts" / own / folder_name(task)


def folder_name(name: str) -> str:
    """Return a name for a folder: what file systems do not take is percent-encoded, long names are cut."""
    safe = re.sub(r"[^A-Za-z0-9._\[\]-]|^\.", _encoded, name)
    if len(safe) <= NAME_LIMIT:
        return safe
    import hashlib

    return safe[: NAME_LIMIT - 17] + "-" + hashlib.sha256(name.encode()).hexdigest()[:16]


def _encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
