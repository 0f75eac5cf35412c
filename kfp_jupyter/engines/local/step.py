"""A task that is run by itself: what `flow` finds ready, and `execution` makes attempts of."""

from __future__ import annotations

from dataclasses import dataclass

from kfp_jupyter.engines.local.exchange import Given
from kfp_jupyter.engines.local.given import given_to
from kfp_jupyter.engines.local.loop import with_item
from kfp_jupyter.engines.local.scope import Group, Scope
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.graph import Task
from kfp_jupyter.model.settings import Retry


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

    @property
    def retry(self) -> Retry | None:
        """How it is tried again: as it says itself, or else a group around it."""
        own = self.task.settings.retry
        return self.scope.retry if own is None else own

    def is_in(self, group: Group) -> bool:
        """Say whether it runs for a group, however deep inside."""
        return group is self.group or group in self.scope.groups_around()

    @property
    def is_late(self) -> bool:
        """Whether a group that it runs for took too long and it is to end with it."""
        groups = [*filter(None, [self.group]), *self.scope.groups_around()]
        return any(group.late and not self.is_spared_by(group) for group in groups)

    def is_spared_by(self, group: Group) -> bool:
        """Say whether it runs to its end when a group that it runs for took too long."""
        return self.spared and not group.spared

    def given(self) -> Given:
        """Return what it gets.

        Raises:
            GivenError: It cannot get it.
        """
        given = given_to(self.task, self.path, self.component, self.scope)
        return given if self.group is None else with_item(given, self.group, self.index)
