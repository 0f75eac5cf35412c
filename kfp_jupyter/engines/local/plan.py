"""The plan: all that the supervisor is told, in one file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.engines.local.container_engine import ContainerEngine
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.placeholder import RunFacts
from kfp_jupyter.model.codec import decode, encode
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunState
from kfp_jupyter.model.types import Json


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run and how.

    Attributes:
        pipeline: The pipeline.
        arguments: The values of its inputs.
        options: How it is run.
        directory: The working directory of its steps: that of the notebook.
        data: The folder of all runs' data.
        executor: The executor's file.
        to_install: Keys of the components whose packages this Python lacks.
        containers: What runs containers; None if no step runs in one.
    """

    pipeline: Pipeline
    arguments: Mapping[str, Json]
    options: RunOptions
    directory: str
    data: str
    executor: str
    to_install: tuple[str, ...] = ()
    containers: ContainerEngine | None = None


def run_folder(path: Path, plan: Plan) -> RunFolder:
    """Return a run's folder with the places that its plan chooses for it."""
    local = plan.options.local
    return RunFolder(
        path,
        Path(local.artifacts, plan.options.run_id) if local.artifacts else None,
        Path(local.workspace) if local.workspace else None,
    )


def run_facts(plan: Plan, folder: RunFolder, before: RunState | None) -> RunFacts:
    """Return what placeholders say of a run."""
    moment = time.gmtime(before.created_at if before is not None else None)
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)
    return RunFacts(plan.options.run_id, str(folder.artifact_root), str(folder.workspace), created)


def read_plan(path: Path) -> Plan:
    """Read a plan."""
    return decode(Plan, json.loads(path.read_text(encoding="utf-8")))


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan."""
    write_whole(path, json.dumps(encode(plan)))


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that it is there whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
