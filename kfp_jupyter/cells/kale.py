"""A notebook with Kale's tags: which cells make which step, and what is said of steps and of the whole.

    imports, functions        code that steps may use
    pipeline-parameters       assignments that are the pipeline's parameters
    step:NAME, prev:NAME      a step, and the steps that it waits for
    skip                      no part of the pipeline
    pipeline-metrics          `print(name)` of numbers that are metrics
    limit:… secret:… image:… annotation:… label:… cache:… report:…   settings of the step

A cell without a tag belongs to what the cell before it belongs to. Nothing is run, and nothing is written
into the notebook: what Kale's own extension reads and writes stays as it is.
Reference: https://github.com/kubeflow-kale/kale
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kfp_jupyter.cells.notebook import CodeCell, Notebook
from kfp_jupyter.errors import KfpJupyterError

METADATA = "kubeflow_notebook"
"""The key of Kale's settings in a notebook's metadata."""

_SHARED = ("imports", "functions")
_PARAMETERS, _METRICS, _SKIP = "pipeline-parameters", "pipeline-metrics", "skip"
_BLOCKS = (*_SHARED, _PARAMETERS, _METRICS)
_SETTINGS = ("limit", "secret", "image", "annotation", "label", "cache", "report")


class KaleError(KfpJupyterError):
    """A notebook with Kale's tags that cannot become a pipeline."""


@dataclass(frozen=True, slots=True)
class KaleStep:
    """A step.

    Attributes:
        name: Its name.
        cells: Its cells, in order.
        before: The steps that it waits for.
        settings: Its tags that say how it runs: `limit:cpu:2`.
    """

    name: str
    cells: tuple[CodeCell, ...]
    before: tuple[str, ...]
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KaleNotebook:
    """A notebook with Kale's tags.

    Attributes:
        path: Its path, for messages.
        metadata: Kale's settings of the whole.
        steps: The steps by name, in order.
        shared: The cells whose code steps may use.
        parameters: The cells that assign the parameters.
        metrics: The names of numbers that are metrics, each with its cell.
        skipped: The cells that are no part of the pipeline.
    """

    path: str
    metadata: Mapping[str, Any]
    steps: Mapping[str, KaleStep]
    shared: tuple[CodeCell, ...]
    parameters: tuple[CodeCell, ...]
    metrics: Mapping[str, CodeCell]
    skipped: tuple[CodeCell, ...]


def has_kale_tags(notebook: Notebook) -> bool:
    """Say whether a notebook has steps of Kale's and none of ours."""
    tagged = any(tag.startswith("step:") for cell in notebook.cells for tag in cell.tags)
    return tagged and not any(cell.magic in ("component", "pipeline") for cell in notebook.cells)


def read_kale(notebook: Notebook, path: str) -> KaleNotebook:
    """Return what the tags of a notebook say.

    Args:
        notebook: The notebook.
        path: Its path, for messages.

    Raises:
        KaleError: A tag is unknown, or says what cannot be.
    """
    steps: dict[str, KaleStep] = {}
    blocks: dict[str, list[CodeCell]] = {name: [] for name in _BLOCKS}
    skipped: list[CodeCell] = []
    current = ""
    for cell in notebook.cells:
        kind, before, settings = _read(cell, path)
        if kind == _SKIP or not (kind or current):
            skipped.append(cell)
            continue
        current = kind or current
        if current in blocks:
            blocks[current].append(cell)
            continue
        name = current.partition(":")[2]
        for awaited in before:
            if awaited not in steps:
                raise _error(
                    f"The step {name!r} waits for {awaited!r}, and no step above it is called so.",
                    cell,
                    path,
                    f"The steps above are: {', '.join(steps) or 'none'}.",
                )
        held = steps.get(name, KaleStep(name, (), (), ()))
        steps[name] = replace(
            held,
            cells=(*held.cells, cell),
            before=tuple(dict.fromkeys([*held.before, *before])),
            settings=(*held.settings, *settings),
        )
    metrics = {name: cell for cell in blocks[_METRICS] for name in _printed(cell)}
    shared = sorted((cell for name in _SHARED for cell in blocks[name]), key=lambda cell: cell.number)
    known = notebook.metadata.get(METADATA)
    return KaleNotebook(
        path,
        known if isinstance(known, dict) else {},
        steps,
        tuple(shared),
        tuple(blocks[_PARAMETERS]),
        metrics,
        tuple(skipped),
    )


def _read(cell: CodeCell, path: str) -> tuple[str, list[str], list[str]]:
    """Return what a cell is (empty if it says nothing), the steps it waits for, and its settings."""
    kinds: list[str] = []
    before: list[str] = []
    settings: list[str] = []
    for tag in cell.tags:
        word, _, rest = tag.partition(":")
        if tag in (*_BLOCKS, _SKIP) or (word == "step" and rest):
            kinds.append(tag)
        elif word == "prev":
            before += [rest] if rest else []
        elif word in _SETTINGS and rest:
            settings.append(tag)
        elif word == "notebook":
            raise _error(
                f"The tag {tag!r} stands for another notebook, which is not read here.",
                cell,
                path,
                "Compile that notebook by itself, or make it a step: `dsl.notebook_step(PATH)`.",
            )
        elif word in (*_SETTINGS, "step"):
            raise _error(f"The tag {tag!r} says nothing after its colon.", cell, path, "Complete it.")
    if len(set(kinds)) > 1:
        what = f"The cell is {' and '.join(repr(kind) for kind in kinds)} at once."
        raise _error(what, cell, path, "Leave one of these tags.")
    return (kinds[0] if kinds else ""), before, settings


def _printed(cell: CodeCell) -> Iterator[str]:
    """Yield the names that a cell prints, each by itself."""
    try:
        tree = ast.parse(cell.body)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield from (held.id for held in node.args if isinstance(held, ast.Name))


def _error(what: str, cell: CodeCell, path: str, remedy: str) -> KaleError:
    return KaleError(what, where=cell.place(path), remedy=remedy)
