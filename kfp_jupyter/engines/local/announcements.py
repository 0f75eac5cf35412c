"""What is told of groups and of tasks that never ran: what follows from how steps ended.

It follows from what is in the journal already, so it need not be durable; a resumed run tells it anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from kfp_jupyter.engines.local.exchange import Product
from kfp_jupyter.engines.local.scope import End, Group, Scope
from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import GROUP_FAILED, Event, IterationsAdded, State, TaskChanged, TaskError


class Announcements:
    """Tells of them.

    Args:
        pipeline: The pipeline.
        tell: Called with each event.
    """

    def __init__(self, pipeline: Pipeline, tell: Callable[[Event], None]) -> None:
        self._pipeline = pipeline
        self._tell = tell
        self._bodies: dict[str, tuple[str, ...]] = {}

    def never_ran(self, path: str, end: End) -> None:
        """Tell that a task was skipped or canceled before it ran."""
        self._tell(TaskChanged(time.time(), path, end.state, reason=end.reason, message=end.message))

    def never_opened(self, scope: Scope, name: str, end: End) -> None:
        """Tell the same of the tasks inside a group; a loop's are not known yet."""
        task = scope.graph.tasks[name]
        body = self._pipeline.component_of(task).implementation
        if isinstance(body, Graph) and task.loop is None:
            for path in self._paths_in(task.component, body):
                self.never_ran(f"{scope.path_of(name)}/{path}", end)

    def never_begun(self, group: Group, index: int, end: End) -> None:
        """Tell the same of the tasks of an iteration."""
        for path in self._inside(group):
            self.never_ran(f"{group.path_of(index)}/{path}" if path else group.path_of(index), end)

    def failed(self, path: str, error: TaskError) -> None:
        """Tell that a task has failed for a reason of its own, without a process."""
        failed = TaskChanged(time.time(), path, State.FAILED, reason=error.type, message=error.message)
        self._tell(replace(failed, error=error))

    def opened(self, group: Group) -> None:
        """Tell that a group has begun, with which items."""
        inputs = dict(group.given.parameters)
        loop = group.task.loop
        if loop is not None and not loop.artifacts:
            inputs[loop.items_input or loop.item_input] = group.items
        self._tell(TaskChanged(time.time(), group.path, State.RUNNING, inputs=inputs))
        if group.items is not None:
            self._tell(IterationsAdded(time.time(), group.path, group.count, self._inside(group)))

    def canceling(self, group: Group) -> None:
        """Tell that a group was asked to end."""
        self._tell(TaskChanged(time.time(), group.path, State.CANCELING))

    def finished(self, group: Group, end: End, product: Product) -> None:
        """Tell how a group has ended, and what it puts out."""
        changed = TaskChanged(time.time(), group.path, end.state)
        if end.state is State.FAILED and end.blame == group.path:
            self.failed(group.path, TaskError(end.reason, end.message))
        elif end.state is State.FAILED:
            message = f"{end.blame} failed: {end.message}"
            self._tell(replace(changed, reason=GROUP_FAILED, message=message))
        elif end.state is State.CANCELED:
            self._tell(replace(changed, reason=end.reason, message="It was canceled while it ran."))
        else:
            self._tell(replace(changed, outputs=dict(product.parameters), artifacts=product.records()))

    def _inside(self, group: Group) -> tuple[str, ...]:
        body = group.component.implementation
        return self._paths_in(group.task.component, body) if isinstance(body, Graph) else ("",)

    def _paths_in(self, key: str, body: Graph) -> tuple[str, ...]:
        if key not in self._bodies:
            self._bodies[key] = self._pipeline.paths(body)
        return self._bodies[key]
