"""A task that is run by itself: what `flow` finds ready, and `execution` makes attempts of."""

from __future__ import annotations

from dataclasses import dataclass

from kfp_jupyter.engines.local.exchange import Given
from kfp_jupyter.engines.local.given import given_to
from kfp_jupyter.engines.local.loop import with_item
from kfp_jupyter.engines.local.scope import Group, Scope
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.graph import Task


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A task that is no group, about to run.

    Attributes:
        path: Its path.
        task: The task.
        component: Its component.
        scope: The scope that it stands in.
        spared: Whether it runs to its end when the run is canceled.
        group: The loop of which it is an iteration by itself, or None.
        index: Which iteration.
    """

    path: str
    task: Task
    component: Component
    scope: Scope
    spared: bool
    group: Group | None = None
    index: int = 0

    def given(self) -> Given:
        """Return what it gets.

        Raises:
            GivenError: It cannot get it.
        """
        given = given_to(self.task, self.path, self.component, self.scope)
        return given if self.group is None else with_item(given, self.group, self.index)
