"""A component as the pipeline of a single task of it, which is how KFP's files hold components."""

from __future__ import annotations

from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Graph, Pipeline, PipelineInput, Task, TaskOutput, TaskSettings


def pipeline_of(component: Component, settings: TaskSettings | None = None) -> Pipeline:
    """Return the pipeline that is a single task of a component, and has its inputs and outputs.

    Args:
        component: The component.
        settings: The settings of the task.
    """
    arguments = {spec.name: PipelineInput(spec.name) for spec in component.inputs}
    outputs = {spec.name: TaskOutput(component.name, spec.name) for spec in component.outputs}
    key = f"comp-{component.name}"
    task = Task(component.name, key, arguments, settings=settings or TaskSettings())
    return Pipeline(
        component.name,
        component.inputs,
        component.outputs,
        {key: component},
        Graph({component.name: task}, outputs),
        passthroughs=component.passthroughs,
    )
