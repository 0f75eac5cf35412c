"""Which pipeline a `%kfp` line means.

    NAME            one that this kernel knows, or that a variable of the notebook holds
    FILE.ipynb      that of a notebook, which is only read, as `kfp-jupyter` does
    (nothing)       that of the open notebook by Kale's tags, or the only one that this kernel knows

The open notebook is read as it was saved: a kernel is not told what stands in cells that it has not run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kfp_jupyter.cells.component import kebab_case
from kfp_jupyter.cells.magic_parser import MagicUsageError
from kfp_jupyter.model.pipeline import Pipeline


def named_pipeline(session: Any, name: str) -> Pipeline:
    """Return the pipeline that a line names.

    Args:
        session: What this kernel's notebook knows; see `kfp_jupyter.notebook.session.Session`.
        name: What the line says; may be empty.

    Raises:
        MagicUsageError: It says nothing, and there is no pipeline or more than one.
        UnknownPipelineError: There is none of that name.
        KfpJupyterError: The notebook that it names cannot be read, or is wrong.
    """
    from kfp_jupyter.dsl import PipelineFunction

    if not name:
        return kale_notebook(session) or _only(session)
    held = session.shell.user_ns.get(name)
    if isinstance(held, PipelineFunction):
        return held.model
    if name.endswith(".ipynb"):
        return _of_file(session, Path(name))
    if name.endswith(".py"):
        raise MagicUsageError(
            f"%kfp: {name!r} is a program.",
            remedy=f"Import its pipeline, as in `from {Path(name).stem} import NAME`, and use its name.",
        )
    found: Pipeline = session.workbench.pipeline(kebab_case(name))
    return found


def kale_notebook(session: Any) -> Pipeline | None:
    """Return the pipeline of the open notebook if it is one with Kale's tags.

    Raises:
        KfpJupyterError: Its tags or its code are wrong.
    """
    path = Path(session.notebook)
    if path.suffix != ".ipynb" or not path.is_file():
        return None
    from kfp_jupyter.cells.kale import has_kale_tags
    from kfp_jupyter.cells.notebook import load_notebook

    if not has_kale_tags(load_notebook(path)):
        return None
    session.say(f"Read from {path.name} as it was saved.")
    return _of_file(session, path)


def renewed(session: Any, pipeline: Pipeline) -> Pipeline:
    """Return the pipeline of that name as it is now, and the one that is given if there is none."""
    own = kale_notebook(session)
    if own is not None and own.name == pipeline.name:
        return own
    found: Pipeline = session.workbench.pipelines.get(pipeline.name, pipeline)
    return found


def _of_file(session: Any, path: Path) -> Pipeline:
    from kfp_jupyter.notebook.source import find_pipelines

    found = find_pipelines(path, session.say)
    for held in found.values():
        session.workbench.add_pipeline(held, str(path))
    session.changed()
    if not found:
        raise MagicUsageError(
            f"%kfp: there is no pipeline in {path}.",
            remedy="It needs a `%%pipeline` cell, a function under `@pipeline`, or Kale's `step:` tags.",
        )
    if len(found) > 1:
        raise MagicUsageError(
            f"%kfp: there are several pipelines in {path}: {', '.join(found)}.",
            remedy=f"They are known here from now on: name one, as in `%kfp graph {next(iter(found))}`.",
        )
    return next(iter(found.values()))


def _only(session: Any) -> Pipeline:
    known: dict[str, Pipeline] = dict(session.workbench.pipelines)
    if len(known) == 1:
        return next(iter(known.values()))
    if known:
        raise MagicUsageError("%kfp: which pipeline?", remedy=f"Name one of: {', '.join(known)}.")
    raise MagicUsageError(
        "%kfp: there is no pipeline yet.",
        remedy="Write a `%%pipeline` cell, or name a notebook, as in `%kfp run FILE.ipynb`.",
    )
