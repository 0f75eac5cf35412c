"""Components from files: KFP 1's `component.yaml`, compiled components, and compiled pipelines.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/components.html
"""

from __future__ import annotations

from kfp_jupyter.components.yaml_component import (
    LoadError,
    YamlComponent,
    load_component_from_file,
    load_component_from_text,
    load_component_from_url,
)
from kfp_jupyter.dsl import BaseComponent, ContainerComponent, PythonComponent
from kfp_jupyter.dsl.older_names import missing_name

__getattr__ = missing_name("kfp.components")

__all__ = [
    "BaseComponent",
    "ContainerComponent",
    "LoadError",
    "PythonComponent",
    "YamlComponent",
    "load_component_from_file",
    "load_component_from_text",
    "load_component_from_url",
]
