"""Kubeflow Pipelines inside Jupyter: write pipelines in notebook cells, see them, run them anywhere."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """Make `%load_ext kfp_jupyter` work: magics, displays and the way to JupyterLab. No network is used."""
    from kfp_jupyter.notebook import load_ipython_extension as load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Make `%unload_ext kfp_jupyter` work; runs go on."""
    from kfp_jupyter.notebook import unload_ipython_extension as unload

    unload(shell)
