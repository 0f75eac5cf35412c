"""The pipeline of a notebook with Kale's tags, as `kfp_jupyter.cells.kale_flow` has linked its steps.

Values pass as those of our own cells do: each step is a cell whose inputs and outputs are names, and whose
code of other cells travels along. Packages are those that the step's own imports need, told from what is
installed here; a module of the user's own travels as source and is never looked for at a package index. What
the notebook asks for and is not done is said, never dropped.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kfp_jupyter.cells.capture import Captured
from kfp_jupyter.cells.cell_form import CellForm, CellStep
from kfp_jupyter.cells.cell_line import ARTIFACT, CellLine, Port
from kfp_jupyter.cells.kale import KaleError, KaleNotebook, read_kale
from kfp_jupyter.cells.kale_flow import KaleTask, kale_tasks, last_writer
from kfp_jupyter.cells.local_modules import importer, local_modules
from kfp_jupyter.cells.names import analyse
from kfp_jupyter.cells.notebook import Notebook
from kfp_jupyter.cells.notebook_parameters import assigned_parameters
from kfp_jupyter.cells.provenance import distribution_of, is_standard, local_file
from kfp_jupyter.dsl import PipelineBuilder, PipelineTask, PythonComponent
from kfp_jupyter.model.component import Component, Fragment, InputSpec, PythonStep, Source
from kfp_jupyter.model.lines import with_ends
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.types import ArtifactType
from kfp_jupyter.notebook.kale_settings import KaleSettings

METRICS = "pipeline_metrics"
"""The output of a step that holds the metrics which it computes."""


def kale_pipeline(notebook: Notebook, path: Path, tell: Callable[[str], None]) -> Pipeline:
    """Return the pipeline of a notebook with Kale's tags.

    Args:
        notebook: The notebook.
        path: Its path, for messages; modules beside it can be imported.
        tell: Called with a sentence on each thing that the notebook asks for and that is not done.

    Raises:
        KaleError: It cannot become a pipeline; the message names cell and line.
        NotebookError: A parameter has no value that can be read.
    """
    kale = read_kale(notebook, str(path))
    return _Building(kale, path, tell).pipeline()


class _Building:
    def __init__(self, kale: KaleNotebook, path: Path, tell: Callable[[str], None]) -> None:
        self.kale = kale
        self.path = path
        self.tell = tell
        self.parameters = _parameters(kale)
        self.tasks = kale_tasks(kale, self.parameters.values())
        self.packages = list(_piped(self.tasks.values()))
        self.settings = KaleSettings(kale, tell)

    def pipeline(self) -> Pipeline:
        kale = self.kale
        metrics = self.metrics()
        name = kale.metadata.get("pipeline_name") or self.path.stem
        description = str(kale.metadata.get("pipeline_description") or "")
        made: dict[str, PipelineTask] = {}
        builder = PipelineBuilder(str(name), tuple(self.parameters.values()), description=description)
        with builder:
            for name, task in self.tasks.items():
                component = PythonComponent(self.component(task, metrics.get(name, [])))
                given = {held: made[giver].outputs[held] for held, giver in task.links.items()}
                given.update({held: builder.inputs[held] for held in task.parameters})
                made[name] = component.add_task(**given)
                waits = [before for before in task.step.before if before not in task.links.values()]
                if waits:
                    made[name].after(*(made[before] for before in waits))
                self.settings.apply(made[name], task.step)
        return builder.build()

    def metrics(self) -> dict[str, list[tuple[str, str]]]:
        """Return the metrics that each step computes: `(name, place)`."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name, cell in self.kale.metrics.items():
            giver = last_writer(self.tasks, name)
            if giver is None:
                raise KaleError(
                    f"The metric {name!r} is computed by no step.",
                    where=cell.place(self.kale.path),
                    remedy="Print the name of a number that a step assigns.",
                )
            found.setdefault(giver, []).append((name, cell.place(self.kale.path)))
        return found

    def component(self, task: KaleTask, metrics: list[tuple[str, str]]) -> Component:
        """Return the component of a step."""
        inputs = [
            Port(name, self.parameters[name].type if name in task.parameters else ARTIFACT, declared=True)
            for name in [*task.links, *task.parameters]
        ]
        outputs = [Port(name, ARTIFACT, declared=True) for name in task.outputs]
        logged = "".join(f"{METRICS}.log_metric({name!r}, float({name}))\n" for name, _ in metrics)
        if metrics:
            outputs.append(Port(METRICS, ArtifactType("system.Metrics"), declared=True))
        body = task.body + logged
        line = CellLine(task.step.name, tuple(inputs), tuple(outputs))
        form = CellForm(line, body, task.parts[0][1], analyse(body) if logged else task.names)
        modules = [held.module for held in task.names.imports]
        modules += [held.module for piece in task.code for held in analyse(piece.fragment.text).imports]
        own = importer(local_modules((held for held in modules if local_file(held)), form.place).values())
        captured = (*([own] if own else ()), *(piece.fragment for piece in task.code))
        image = self.settings.image(task.step)
        packages = tuple(dict.fromkeys([*self.packages, *self.needed(modules, task)]))
        made = CellStep(form, Captured(captured), image or None, packages).component()
        step = made.implementation
        assert isinstance(step, PythonStep)
        *before, last = step.source.fragments
        parts = [*task.parts, *([(logged.count("\n"), metrics[0][1])] if metrics else ())]
        return replace(made, implementation=replace(step, source=Source((*before, *_by_cell(last, parts)))))

    def needed(self, modules: Iterable[str], task: KaleTask) -> Iterator[str]:
        """Yield the distributions that provide modules."""
        for module in dict.fromkeys(modules):
            if not module or is_standard(module) or local_file(module) is not None:
                continue
            found = distribution_of(module)
            if found is not None:
                yield found.requirement(exact=False)
            else:
                self.tell(
                    f"The step {task.step.name!r} imports {module!r}, which nothing installed here provides: "
                    "its image must have it."
                )


def _parameters(kale: KaleNotebook) -> dict[str, InputSpec]:
    return {
        spec.name: spec
        for cell in kale.parameters
        for spec in assigned_parameters(cell.body, cell.place(kale.path), strict=True)
    }


def _piped(tasks: Iterable[KaleTask]) -> Iterator[str]:
    """Yield the packages that cells of steps install with pip.

    Raises:
        KaleError: A cell has another command, which only IPython understands.
    """
    for task in tasks:
        for command, place in task.commands:
            words = shlex.split(command.text.lstrip("!%"), comments=True)
            if words[:2] == ["pip", "install"] and "-r" not in words:
                yield from (word for word in words[2:] if not word.startswith("-"))
            elif not command.text.startswith("%"):
                raise KaleError(
                    f"`{command.text}` is a command of the notebook, which a step does not understand.",
                    where=place,
                    remedy="Call `subprocess.run`, or give the cell the tag `skip`.",
                )


def _by_cell(function: Fragment, parts: Iterable[tuple[int, str]]) -> Iterator[Fragment]:
    """Yield the parts of a step's function, each with the cell that it comes from."""
    lines = with_ends(function.text)
    at = 1
    parts = list(parts)
    for index, (count, place) in enumerate(parts):
        first = 0 if index == 0 else at
        last = len(lines) if index == len(parts) - 1 else at + count
        # The function's own line stands before the first of the cell.
        yield Fragment("".join(lines[first:last]), place, 0 if index == 0 else 1)
        at += count
