"""KFP's authoring names: components, pipelines, control flow, tasks, artifacts.

What is here means what it means in `kfp.dsl`; what KFP has and is not here yet cannot be imported.
"""

from __future__ import annotations

from kfp_jupyter.cells.special_inputs import EmbeddedInput, TaskConfig
from kfp_jupyter.dsl.base_component import BaseComponent
from kfp_jupyter.dsl.component_decorator import component
from kfp_jupyter.dsl.container_component import ContainerComponent, ContainerSpec, container_component
from kfp_jupyter.dsl.for_loop import Collected
from kfp_jupyter.dsl.importer import importer
from kfp_jupyter.dsl.notebook_component import notebook_component, run_notebook
from kfp_jupyter.dsl.notebook_step import notebook_step
from kfp_jupyter.dsl.older_names import missing_name
from kfp_jupyter.dsl.one_of import OneOf
from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_config import KubernetesWorkspaceConfig, PipelineConfig, WorkspaceConfig
from kfp_jupyter.dsl.pipeline_function import PipelineFunction, pipeline
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.dsl.placeholders import (
    PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER,
    PIPELINE_JOB_ID_PLACEHOLDER,
    PIPELINE_JOB_NAME_PLACEHOLDER,
    PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER,
    PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER,
    PIPELINE_ROOT_PLACEHOLDER,
    PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER,
    PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
    PIPELINE_TASK_ID_PLACEHOLDER,
    PIPELINE_TASK_NAME_PLACEHOLDER,
    WORKSPACE_PATH_PLACEHOLDER,
    ConcatPlaceholder,
    IfPresentPlaceholder,
)
from kfp_jupyter.dsl.python_component import PythonComponent
from kfp_jupyter.dsl.task_config import TaskConfigField, TaskConfigPassthrough
from kfp_jupyter.dsl.tasks_group import Condition, Elif, Else, ExitHandler, If, ParallelFor
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

__getattr__ = missing_name("kfp.dsl")

__all__ = [
    "HTML",
    "PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER",
    "PIPELINE_JOB_ID_PLACEHOLDER",
    "PIPELINE_JOB_NAME_PLACEHOLDER",
    "PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER",
    "PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER",
    "PIPELINE_ROOT_PLACEHOLDER",
    "PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER",
    "PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER",
    "PIPELINE_TASK_ID_PLACEHOLDER",
    "PIPELINE_TASK_NAME_PLACEHOLDER",
    "WORKSPACE_PATH_PLACEHOLDER",
    "Artifact",
    "BaseComponent",
    "ClassificationMetrics",
    "Collected",
    "ConcatPlaceholder",
    "Condition",
    "ContainerComponent",
    "ContainerSpec",
    "Dataset",
    "Elif",
    "Else",
    "EmbeddedInput",
    "ExitHandler",
    "If",
    "IfPresentPlaceholder",
    "Input",
    "InputPath",
    "KubernetesWorkspaceConfig",
    "Markdown",
    "Metrics",
    "Model",
    "OneOf",
    "Output",
    "OutputPath",
    "ParallelFor",
    "PipelineBuilder",
    "PipelineChannel",
    "PipelineConfig",
    "PipelineFunction",
    "PipelineTask",
    "PipelineTaskFinalStatus",
    "PythonComponent",
    "SlicedClassificationMetrics",
    "TaskConfig",
    "TaskConfigField",
    "TaskConfigPassthrough",
    "WorkspaceConfig",
    "component",
    "container_component",
    "get_uri",
    "importer",
    "notebook_component",
    "notebook_step",
    "pipeline",
    "run_notebook",
]
