"""What can go wrong with calls that run on this machine; also by the types that KFP raises."""

from __future__ import annotations

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.pipeline import PipelineError
from kfp_jupyter.run import RunFailedError


class InitError(KfpJupyterError, ValueError):
    """`local.init`, or a runner, was given something that it cannot take."""


class LocalRunError(RunFailedError, RuntimeError):
    """A call could not be run, or its run did not succeed."""


class FinalTaskError(PipelineError):
    """A task that has run already was to be changed, or asked for what only a task to come has."""
