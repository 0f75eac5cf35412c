"""What can go wrong between a pipeline and its document."""

from __future__ import annotations

from kfp_jupyter.errors import KfpJupyterError


class InterchangeError(KfpJupyterError):
    """A pipeline holds something that KFP's format cannot express."""


class DocumentError(KfpJupyterError):
    """A document is no pipeline or component; `where` is the path inside it: `root.dag.tasks.train`."""
