"""What was chosen for a run, as the workbench's functions that start one take it."""

from __future__ import annotations

from typing import Any

from kfp_jupyter.cells.run_choices import RunChoices


def run_arguments(choices: RunChoices) -> dict[str, Any]:
    """Return arguments of `Workbench.run` and of `kfp_jupyter.repair.rerun.rerun`."""
    from kfp_jupyter.engines.base import LocalOptions

    local = LocalOptions(
        containers="host" if choices.host_containers else "", in_containers=choices.in_containers
    )
    return {"caching": choices.caching, "jobs": choices.jobs, "local": local}
