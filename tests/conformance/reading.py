"""`python -m tests.conformance.reading REPOSITORY`: KFP's own documents, read and written back.

Every document of the suite is read into the model and written from the model alone: what is written must
equal what was read, and no field may have gone through as unknown. Then each task is renamed and each text
constant changed in the model, one at a time: exactly the lines that name it may change. The suite's invalid
documents must be refused with a `DocumentError`.
"""
# ruff: noqa: T201 - a program that prints its result

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from kfp_jupyter.interchange.errors import DocumentError
from kfp_jupyter.interchange.read import read_pipeline
from kfp_jupyter.interchange.write import to_yaml
from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.pipeline import Constant, Pipeline

FOLDER = Path("test_data", "sdk_compiled_pipelines")
RENAMED = "--renamed"
"""What a task's name is given: nothing sorts between the old name and the new one, so no line moves."""


def parsed(text: str) -> list[Any]:
    """Return the documents of a text as another reader sees them."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [held for held in yaml.load_all(text, Loader=loader) if held is not None]


def faults(text: str) -> Iterator[str]:
    """Yield what is wrong with how a document is read and written."""
    reading = read_pipeline(text)
    written = to_yaml(reading.pipeline)
    if parsed(text) != parsed(written):
        yield "what is written differs from what was read"
    yield from (f"unknown: {path}" for path in reading.unknown)
    yield from (f"kept as unknown: {extra}" for extra in extras(reading.pipeline))
    if read_pipeline(written).pipeline != reading.pipeline:
        yield "what was written is read as another pipeline"
    yield from rename_faults(reading.pipeline, written)
    yield from constant_faults(reading.pipeline, written)


def extras(value: Any) -> Iterator[Any]:
    """Yield what the model keeps of fields that it does not know."""
    if is_dataclass(value):
        for field in fields(value):
            held = getattr(value, field.name)
            if field.name in ("extra", "platform_extra"):
                yield from [held] if held else []
            else:
                yield from extras(held)
    elif isinstance(value, (dict, list, tuple)):
        for held in value.values() if isinstance(value, dict) else value:
            yield from extras(held)


def graphs(pipeline: Pipeline) -> Iterator[tuple[Graph, str, Callable[[Graph], Pipeline]]]:
    """Yield each graph, the place of its tasks in the document, and what puts another in its place."""
    yield pipeline.graph, "root", lambda graph: replace(pipeline, graph=graph)
    for key, component in pipeline.components.items():
        if isinstance(component.implementation, Graph):

            def put(graph: Graph, key: str = key) -> Pipeline:
                made = replace(pipeline.components[key], implementation=graph)
                return replace(pipeline, components={**pipeline.components, key: made})

            yield component.implementation, key, put


def rename_faults(pipeline: Pipeline, written: str) -> Iterator[str]:
    """Rename each task and yield where other lines change than those that name it."""
    documents = parsed(written)
    for graph, key, put in graphs(pipeline):
        dag = (documents[0]["root"] if key == "root" else documents[0]["components"][key])["dag"]
        for name in graph.tasks:
            changed = changed_lines(written, to_yaml(put(graph.renamed(name, name + RENAMED))))
            if any(name not in old or name + RENAMED not in new for old, new in changed):
                yield f"renaming {name}: {changed}"
            # A component of the document that several graphs use may name a task of each.
            labels = {
                documents[0]["components"][held["componentRef"]["name"]].get("executorLabel")
                for held in dag["tasks"].values()
            }
            platforms = [
                held
                for platform in (documents[1]["platforms"].values() if len(documents) > 1 else ())
                for label, held in platform.get("deploymentSpec", {}).get("executors", {}).items()
                if label in labels
            ]
            expected = naming(dag, name, "") + naming(platforms, name, "")
            if len(changed) != expected:
                yield f"renaming {name}: {len(changed)} lines change, {expected} name it"


def naming(value: Any, name: str, inside: str) -> int:
    """Count where a part of a document names a task of its graph."""
    if isinstance(value, list):
        return sum(held == name if inside == "dependentTasks" else naming(held, name, "") for held in value)
    if not isinstance(value, dict):
        return 0
    count = 0
    for key, held in value.items():
        count += inside == "tasks" and key == name
        count += key in ("producerTask", "producerSubtask") and held == name
        count += key == "taskInfo" and held == {"name": name}
        count += naming(held, name, "" if inside in ("tasks", "parameters", "artifacts") else key)
    return count


def constant_faults(pipeline: Pipeline, written: str) -> Iterator[str]:
    """Change each text that is given to a task and yield where another number of lines changes than one."""
    for graph, key, put in graphs(pipeline):
        for name, task in graph.tasks.items():
            for argument, value in task.arguments.items():
                if not isinstance(value, Constant) or not isinstance(value.value, str) or "\n" in value.value:
                    continue
                arguments = {**task.arguments, argument: Constant(f"{value.value}-changed")}
                tasks = {**graph.tasks, name: replace(task, arguments=arguments)}
                changed = changed_lines(written, to_yaml(put(replace(graph, tasks=tasks))))
                if len(changed) != 1 or "-changed" not in changed[0][1]:
                    yield f"changing {key}.{name}.{argument}: {changed}"


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    """Return the lines that differ, pairwise; all of them if their number differs."""
    old, new = before.split("\n"), after.split("\n")
    if len(old) != len(new):
        return list(zip(old, new, strict=False))
    return [(a, b) for a, b in zip(old, new, strict=True) if a != b]


def refusal(path: Path) -> str:
    """Return why a document is refused, or nothing if it is not."""
    try:
        read_pipeline(path.read_bytes())
    except DocumentError as error:
        return str(error)
    return ""


def main() -> int:
    """Read and write the suite."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.reading", description=__doc__)
    parser.add_argument("repository", type=Path, help="a checkout of kubeflow/pipelines")
    folder = parser.parse_args().repository.resolve() / FOLDER
    valid = sorted(
        path
        for part in ("valid", "argo_compatibility")
        for kind in ("yaml", "json")
        for path in (folder / part).rglob(f"*.{kind}")
    )
    if not valid:
        parser.error(f"{folder} has no documents; give a checkout of kubeflow/pipelines.")
    failed = 0
    for path in valid:
        try:
            found = list(islice(faults(path.read_text(encoding="utf-8")), 5))
        except DocumentError as error:
            found = [str(error)]
        failed += bool(found)
        for fault in found:
            print(f"{path.relative_to(folder)}: {fault}")
    refused = 0
    invalid = sorted((folder / "invalid").glob("*.yaml"))
    for path in invalid:
        answer = refusal(path)
        print(f"{path.relative_to(folder)}: {answer or 'accepted'}")
        refused += bool(answer)
    print(f"documents read and written back equal: {len(valid) - failed} of {len(valid)}")
    print(f"invalid documents refused: {refused} of {len(invalid)}")
    return int(bool(failed) or refused != len(invalid))


if __name__ == "__main__":
    sys.exit(main())
