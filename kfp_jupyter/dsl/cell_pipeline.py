"""The pipeline of a notebook's component cells, as `kfp_jupyter.cells.data_flow` has linked them."""

from __future__ import annotations

from kfp_jupyter.cells.data_flow import DataFlow
from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder
from kfp_jupyter.dsl.pipeline_function import PipelineFunction
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.dsl.python_component import PythonComponent
from kfp_jupyter.model.pipeline import Pipeline


class CellPipeline(PipelineFunction):
    """A pipeline of component cells.

    Attributes:
        notes: Sentences on what is worth knowing of how they were linked.
    """

    def __init__(self, model: Pipeline, notes: tuple[str, ...]) -> None:
        super().__init__(model)
        self.notes = notes


def pipeline_of_cells(flow: DataFlow, name: str, description: str = "") -> CellPipeline:
    """Return the pipeline.

    Args:
        flow: The tasks and their links.
        name: Its name.
        description: For people.

    Raises:
        PipelineError: It cannot be a pipeline, for example for its name.
    """
    tasks: dict[str, PipelineTask] = {}
    with PipelineBuilder(name, flow.parameters, description=description) as builder:
        for cell_id, task in flow.tasks.items():
            given = {name: tasks[link.step].outputs[link.output] for name, link in task.links.items()}
            given.update({name: builder.inputs[name] for name in task.parameters})
            component = PythonComponent(task.component, None, task.cell.settings)
            tasks[cell_id] = component.add_task(**given)
            if task.after:
                tasks[cell_id].after(*(tasks[held] for held in task.after))
    return CellPipeline(builder.build(), flow.notes)
