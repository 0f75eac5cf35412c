"""`kfp.local`: after `init`, calling a component or a pipeline runs it on this machine.

    from kfp_jupyter import local

    local.init(local.SubprocessRunner())
    task = train(rate=0.1)
    task.output

Without `init`, a component called outside of a pipeline runs its function at once, in this process; after it,
every such call is a run of the local engine, as `pipeline.run(…)` is: with the same steps, cache, history and
pictures. `reset` takes `init` back. Under the alias this is KFP's own `kfp.local`.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/local.html
"""

from __future__ import annotations

from kfp_jupyter.local.docker_runner import DockerRunner
from kfp_jupyter.local.session import init, reset
from kfp_jupyter.local.subprocess_runner import SubprocessRunner

__all__ = ["DockerRunner", "SubprocessRunner", "init", "reset"]
