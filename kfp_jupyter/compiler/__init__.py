"""`Compiler().compile(pipeline, "p.yaml")`, as in `kfp.compiler`: pipelines and components to KFP's YAML.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/compiler.html
"""

from __future__ import annotations

from kfp_jupyter.compiler.compiler import Compiler, CompilerError, write
from kfp_jupyter.compiler.kubernetes_manifest import KubernetesManifestOptions

__all__ = ["Compiler", "CompilerError", "KubernetesManifestOptions", "write"]
