"""What `local.init` has chosen, for all calls that follow in this process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.outside_call import set_outside_call
from kfp_jupyter.engines.base import LocalOptions
from kfp_jupyter.local.docker_runner import DockerRunner
from kfp_jupyter.local.errors import InitError
from kfp_jupyter.local.subprocess_runner import SubprocessRunner

RUNNERS = (SubprocessRunner, DockerRunner)


@dataclass(frozen=True, slots=True)
class Session:
    """How calls are run.

    Attributes:
        runner: In what their steps run.
        raise_on_error: Whether a run that does not succeed is an error.
        caching: Whether earlier results are used.
        options: What the engine is told.
    """

    runner: SubprocessRunner | DockerRunner
    raise_on_error: bool
    caching: bool
    options: LocalOptions


def init(
    runner: SubprocessRunner | DockerRunner,
    pipeline_root: str | os.PathLike[str] = "./local_outputs",
    workspace_root: str | os.PathLike[str] | None = None,
    raise_on_error: bool = True,
    enable_caching: bool = False,
    cache_root: str | os.PathLike[str] | None = None,
) -> None:
    """Let calls of components and pipelines run on this machine, from now on and as said here.

    Args:
        runner: In what steps run: `SubprocessRunner()` or `DockerRunner()`.
        pipeline_root: The folder for artifacts: `<pipeline_root>/<run>/<task>/<output>`.
        workspace_root: The folder that the tasks of a pipeline with a workspace share; it is left as it is.
            None gives each run one of its own.
        raise_on_error: Whether a run that does not succeed is an error; otherwise it is only logged, and the
            task has no outputs.
        enable_caching: Whether earlier results are used, unless a task says otherwise.
        cache_root: Where earlier results are looked for and kept; None means where other runs of this user
            keep theirs.

    Raises:
        InitError: The runner is none, or a folder cannot be one.
    """
    from kfp_jupyter.local.call import LocalCall

    if not isinstance(runner, RUNNERS):
        raise _no_runner(runner)
    options = LocalOptions(
        artifacts=_folder("pipeline_root", pipeline_root),
        workspace=_folder("workspace_root", workspace_root),
        cache=_folder("cache_root", cache_root),
        isolated=isinstance(runner, SubprocessRunner) and runner.use_venv,
        in_containers=isinstance(runner, DockerRunner),
        container_arguments=runner.words if isinstance(runner, DockerRunner) else (),
    )
    session = Session(runner, raise_on_error, enable_caching, options)
    set_outside_call(LocalCall(session))


def reset() -> None:
    """Take `init` back: a component called outside of a pipeline runs its function in this process again."""
    set_outside_call(None)


def _no_runner(given: object) -> InitError:
    names = ", ".join(f"`local.{runner.__name__}()`" for runner in RUNNERS)
    if given in RUNNERS:
        what = f"`local.init` got the class {given.__name__}, not a runner."
        remedy = f"Call it: `local.init(local.{given.__name__}())`."
    else:
        what, remedy = f"`local.init` got {given!r}, which is no runner.", f"Runners are: {names}."
    return InitError(what, where=place_line(*caller()), remedy=remedy)


def _folder(name: str, given: object) -> str:
    """Return the path of a folder, which need not be there yet; empty if none is given."""
    if given is None:
        return ""
    where = place_line(*caller())
    if not isinstance(given, (str, os.PathLike)) or not os.fspath(given):
        raise InitError(f"`{name}` is {given!r}, which is no path.", where=where, remedy="Name a folder.")
    text = os.fspath(given)
    if urlsplit(text).scheme:
        remedy = "Runs on this machine keep what they make on it: name a folder here."
        raise InitError(f"`{name}` is {text!r}, which is not on this machine.", where=where, remedy=remedy)
    path = Path(text).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise InitError(f"`{name}` is {path}, which is a file.", where=where, remedy="Name a folder.")
    return os.path.normpath(path)
