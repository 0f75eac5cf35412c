"""Kubeflow Pipelines inside Jupyter: write pipelines in notebook cells, see them, run them anywhere."""

from __future__ import annotations

__version__ = "0.1.0"
