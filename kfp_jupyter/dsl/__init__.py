"""KFP's authoring names: components, pipelines, tasks, artifacts.

What is here means what it means in `kfp.dsl`; what KFP has and is not here yet cannot be imported.
"""

from __future__ import annotations

from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_function import PipelineFunction, pipeline
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.dsl.python_component import PythonComponent, component
from kfp_jupyter.executor.annotations import Input, InputPath, Output, OutputPath, PipelineTaskFinalStatus
from kfp_jupyter.executor.artifacts import (
    HTML,
    Artifact,
    ClassificationMetrics,
    Dataset,
    Markdown,
    Metrics,
    Model,
    SlicedClassificationMetrics,
    get_uri,
)

__all__ = [
    "HTML",
    "Artifact",
    "ClassificationMetrics",
    "Dataset",
    "Input",
    "InputPath",
    "Markdown",
    "Metrics",
    "Model",
    "Output",
    "OutputPath",
    "PipelineBuilder",
    "PipelineChannel",
    "PipelineFunction",
    "PipelineTask",
    "PipelineTaskFinalStatus",
    "PythonComponent",
    "SlicedClassificationMetrics",
    "component",
    "get_uri",
    "pipeline",
]
