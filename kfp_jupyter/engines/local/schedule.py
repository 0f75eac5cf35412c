"""Which tasks may start: pure bookkeeping over the graph, no processes."""

from __future__ import annotations

from collections import deque

from kfp_jupyter.model.pipeline import Graph


class Schedule:
    """Tells what may start as tasks end.

    Args:
        graph: The tasks; free of cycles.

    Attributes:
        ready: Tasks that may start, those that became ready first in front; whoever starts one takes it out.
    """

    def __init__(self, graph: Graph) -> None:
        self._waits = {name: len(task.dependencies) for name, task in graph.tasks.items()}
        self._followers: dict[str, list[str]] = {name: [] for name in graph.tasks}
        for name, task in graph.tasks.items():
            for dependency in task.dependencies:
                self._followers[dependency].append(name)
        self.ready = deque(name for name, count in self._waits.items() if count == 0)

    def succeeded(self, name: str) -> None:
        """Note that a task has succeeded."""
        for follower in self._followers[name]:
            if follower in self._waits:
                self._waits[follower] -= 1
                if self._waits[follower] == 0:
                    self.ready.append(follower)

    def failed(self, name: str) -> list[str]:
        """Note that a task has not succeeded; return those that will never start for it, nearest first."""
        lost: list[str] = []
        queue = deque(self._followers[name])
        while queue:
            follower = queue.popleft()
            if self._waits.pop(follower, None) is not None:
                lost.append(follower)
                queue.extend(self._followers[follower])
        return lost
