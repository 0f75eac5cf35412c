"""What every engine promises, so that everything above works alike on a laptop and on a cluster.

An engine gets a checked `Pipeline` and starts it; it never keeps state of its own in this process: `RunRef`
is all that is needed to find a run again after the kernel was restarted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Stop
from typing import Protocol

from kfp_jupyter.errors import GoneError, KfpJupyterError
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import ArtifactRecord, Event, RunRef, Target, TaskRun
from kfp_jupyter.model.types import Json

__all__ = ["Engine", "EngineError", "LocalOptions", "RunGoneError", "RunOptions", "RunRef"]


class EngineError(KfpJupyterError):
    """An engine refused, or could not reach what it needs. Nothing was left half made."""


class RunGoneError(EngineError, GoneError):
    """What an engine kept of a run was deleted: the run's folder, its Workflow."""


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What a run on this machine may have otherwise than usual; what is empty is as usual.

    Attributes:
        artifacts: In which folder the run has one for its artifacts, named by its id, instead of in its own.
        workspace: The folder that its tasks share, instead of one of the run's own; it is left as it is.
        cache: The folder of earlier results, instead of the user's.
        isolated: Whether each step has an environment with nothing but the packages that it asks for.
        containers: What runs container components: `docker`, `podman`, or `host` for their commands as
            processes of this machine, without their images. Empty means whichever of the first two answers.
        in_containers: Whether steps in Python, too, run in containers, each in its image.
        container_arguments: Further words for each `docker run`, such as `("--network", "host")`.
    """

    artifacts: str = ""
    workspace: str = ""
    cache: str = ""
    isolated: bool = False
    containers: str = ""
    in_containers: bool = False
    container_arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a pipeline is run, besides its arguments.

    Attributes:
        run_id: The id to run under.
        target: Where to run.
        caching: False ignores earlier results for every task.
        jobs: The most tasks at once; 0 means the engine's default.
        labels: Facts to keep with the run, such as the notebook's path or the git commit.
        notices: What `Engine.notices` said, to keep with the run.
        taken: Results of an earlier run that stand for the tasks of these paths, each with the run that made
            it (`cached_from`); such a task succeeds at once, whatever `caching` says.
        local: What is otherwise than usual on this machine.
    """

    run_id: str
    target: Target
    caching: bool = True
    jobs: int = 0
    labels: Mapping[str, str] | None = None
    notices: tuple[str, ...] = ()
    taken: Mapping[str, TaskRun] = field(default_factory=dict)
    local: LocalOptions = LocalOptions()

    def __post_init__(self) -> None:
        if self.jobs < 0:
            raise EngineError(
                f"At most {self.jobs} tasks at once is none at all.",
                remedy="Give `jobs` a number from 1 on, or leave it out.",
            )


class Engine(Protocol):
    """Runs pipelines on one kind of target."""

    def notices(self, pipeline: Pipeline, options: RunOptions) -> tuple[str, ...]:
        """Return a sentence for each thing that is asked for and will not be done, to be read before the run.

        Asks nobody; what makes a run impossible is `submit`'s to refuse.
        """
        ...

    def submit(self, pipeline: Pipeline, arguments: Mapping[str, Json], options: RunOptions) -> RunRef:
        """Start a run. `arguments` are complete and of the right types; `RunCreated` tells its notices.

        Raises:
            EngineError: It cannot run there; nothing was started.
        """
        ...

    def events(self, ref: RunRef, stop: Stop) -> Iterator[Event]:
        """Yield what happens, from the run's first event on, until the run has ended or `stop` is set.

        Connection losses are survived inside. The first event is `RunCreated`; the last is a finished
        `RunChanged`.

        Raises:
            RunGoneError: The run is not there any more.
            EngineError: It may not be read.
        """
        ...

    def logs(self, ref: RunRef, task: str, stop: Stop, *, follow: bool = False) -> Iterator[str]:
        """Yield the lines (without newline) a task printed, all attempts; `follow` waits for its end."""
        ...

    def given(self, ref: RunRef, task: str) -> Json:
        """Return the ExecutorInput of a task's last attempt, with files of this machine; None if not known.

        Raises:
            EngineError: It cannot be read.
        """
        ...

    def fetch(
        self, ref: RunRef, records: Sequence[ArtifactRecord], image: str, tell: Callable[[str], None]
    ) -> list[Path | EngineError]:
        """Return where each artifact of a run is on this machine, brought if need be, or why it cannot be.

        Args:
            ref: The run; what is left of it may be its artifacts alone.
            records: The artifacts.
            image: An image with Python that the run has used, for an engine that has to read in a container.
            tell: Called with sentences on how far it is.
        """
        ...

    def cancel(self, ref: RunRef) -> None:
        """Ask the run to end; what runs is stopped. Does nothing if it has ended.

        Raises:
            EngineError: It could not be asked.
        """
        ...

    def resume(self, ref: RunRef) -> None:
        """Go on with a run that has ended, from what had succeeded in it, under the same reference.

        Its story goes on too: a `RunChanged` that is not finished follows that of its end.

        Raises:
            EngineError: It has not ended, or all of it succeeded, or the engine cannot do that.
        """
        ...
