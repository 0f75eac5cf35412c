"""What a task gets to KFP's ExecutorInput, and KFP's ExecutorOutput to what a run knows of the task.

Spec: https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kfp_jupyter.engines.local.folder import folder_name
from kfp_jupyter.engines.local.placeholder import replaced
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.run import ArtifactRecord, TaskRun
from kfp_jupyter.model.types import ArtifactType, Json

RECORD = "output.json"
"""The commit record of an attempt, in its folder: an ExecutorOutput; with it the attempt has succeeded."""


@dataclass(frozen=True, slots=True)
class Product:
    """What a task has put out.

    Attributes:
        parameters: Parameters by output name.
        artifacts: Lists of KFP's RuntimeArtifacts by output name.
        digests: A digest of each artifact's contents, if they were taken.
    """

    parameters: Mapping[str, Json] = field(default_factory=dict)
    artifacts: Mapping[str, list[Json]] = field(default_factory=dict)
    digests: Mapping[str, list[str]] = field(default_factory=dict)

    def records(self) -> dict[str, tuple[ArtifactRecord, ...]]:
        """Return the artifacts as a run knows them."""
        return {
            name: tuple(
                ArtifactRecord(
                    type=(held.get("type") or {}).get("schemaTitle", ""),
                    uri=held.get("uri", ""),
                    path=_path(held),
                    metadata=held.get("metadata") or {},
                )
                for held in listed
            )
            for name, listed in self.artifacts.items()
        }


@dataclass(frozen=True, slots=True)
class Given:
    """What a task gets.

    Attributes:
        parameters: Parameters by input name.
        artifacts: Lists of KFP's RuntimeArtifacts by input name.
        digests: A digest of each artifact's contents, where it is known.
        others: Parameters that the component does not declare; only placeholders refer to them.
        mentions_outputs: Whether placeholders of places that only an attempt has are left in the parameters.
    """

    parameters: Mapping[str, Json] = field(default_factory=dict)
    artifacts: Mapping[str, list[Json]] = field(default_factory=dict)
    digests: Mapping[str, list[str]] = field(default_factory=dict)
    others: Mapping[str, Json] = field(default_factory=dict)
    mentions_outputs: bool = False


def _path(artifact: Json) -> str:
    uri = str(artifact.get("uri", ""))
    return str(artifact.get("customPath", "")) or (uri if Path(uri).is_absolute() else "")


def executor_input(
    component: Component, given: Given, attempt: Path, artifacts: Path, output_file: str = RECORD
) -> Json:
    """Return the ExecutorInput of an attempt.

    Args:
        component: What is run.
        given: What it gets.
        attempt: The attempt's folder.
        artifacts: The folder for its artifacts.
        output_file: Into which file of the attempt's folder an ExecutorOutput is to be written.
    """
    outputs: dict[str, Json] = {}
    parameters: dict[str, Json] = {}
    for spec in component.outputs:
        place = folder_name(spec.name)
        if isinstance(spec.type, ArtifactType):
            outputs[spec.name] = {
                "artifacts": [
                    {
                        "name": spec.name,
                        "type": {
                            "schemaTitle": spec.type.schema_title,
                            "schemaVersion": spec.type.schema_version,
                        },
                        "uri": str(artifacts / place),
                        "metadata": {},
                    }
                ]
            }
        else:
            parameters[spec.name] = {"outputFile": str(attempt / "outputs" / place)}
    made: dict[str, Json] = {
        "inputs": {
            "parameterValues": dict(given.parameters),
            "artifacts": {name: {"artifacts": listed} for name, listed in given.artifacts.items()},
        },
        "outputs": {
            "parameters": parameters,
            "artifacts": outputs,
            "outputFile": str(attempt / output_file),
        },
    }
    if given.mentions_outputs:
        made["inputs"]["parameterValues"] = replaced(given.parameters, places(made))
    return made


def places(executor_input: Json) -> dict[str, Json]:
    """Return what placeholders of places that only an attempt has stand for."""
    outputs = executor_input["outputs"]
    parameters = {name: {"output_file": held["outputFile"]} for name, held in outputs["parameters"].items()}
    artifacts = {
        name: {**held["artifacts"][0], "path": held["artifacts"][0]["uri"]}
        for name, held in outputs["artifacts"].items()
    }
    file = outputs["outputFile"]
    return {
        "": json.dumps(executor_input),
        "outputs": {"parameters": parameters, "artifacts": artifacts, "output_file": file},
        "outputMetadataUri": file,
    }


def product_in(path: Path) -> Product | None:
    """Read an attempt's ExecutorOutput; None if it is not there: the attempt has not succeeded."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    artifacts = {name: held["artifacts"] for name, held in written.get("artifacts", {}).items()}
    return Product(written.get("parameterValues", {}), artifacts)


def product_of(task: TaskRun) -> Product:
    """Return what a task has put out, as a run knows it."""
    artifacts: dict[str, list[Json]] = {
        name: [
            {
                "name": name,
                "type": {"schemaTitle": record.type},
                "uri": record.uri,
                "metadata": dict(record.metadata),
                **({"customPath": record.path} if record.path not in ("", record.uri) else {}),
            }
            for record in records
        ]
        for name, records in task.artifacts.items()
    }
    return Product(dict(task.outputs), artifacts)
