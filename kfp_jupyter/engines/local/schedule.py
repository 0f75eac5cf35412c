"""Which tasks of a graph are due: pure bookkeeping, no processes.

A task is due when all that it waits for has ended; if it runs only after successes, as most do, it is also
due as soon as one of them has not succeeded, to be skipped.
"""

from __future__ import annotations

from collections.abc import Iterator

from kfp_jupyter.model.pipeline import Graph, TriggerStrategy


class Links:
    """What never changes of a graph, shared by all runs of it: a loop of a thousand items has it once.

    Args:
        graph: The graph; free of cycles.

    Attributes:
        waits: How many tasks each task waits for.
        followers: The tasks that wait for each.
        first: The tasks that wait for none.
    """

    def __init__(self, graph: Graph) -> None:
        self.waits = {name: len(task.dependencies) for name, task in graph.tasks.items()}
        self.followers: dict[str, list[str]] = {name: [] for name in graph.tasks}
        for name, task in graph.tasks.items():
            for dependency in task.dependencies:
                self.followers[dependency].append(name)
        self.first = tuple(name for name, count in self.waits.items() if count == 0)
        self.patient = frozenset(
            name for name, task in graph.tasks.items() if task.trigger.strategy is TriggerStrategy.COMPLETED
        )


class Schedule:
    """Tells what is due as tasks end.

    Args:
        links: The graph's.

    Attributes:
        open: How many tasks have not ended.
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        self._waits = dict(links.waits)
        self.open = len(self._waits)

    def ended(self, name: str, *, succeeded: bool) -> Iterator[str]:
        """Note that a task has ended; yield what is due for it, each task once."""
        self.open -= 1
        for follower in self._links.followers[name]:
            left = self._waits.get(follower, 0)
            if left and not succeeded and follower not in self._links.patient:
                left = 1
            if left:
                self._waits[follower] = left - 1
                if left == 1:
                    yield follower
