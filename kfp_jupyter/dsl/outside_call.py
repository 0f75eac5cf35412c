"""What the call of a component or pipeline does where no pipeline is being written.

By itself a component of a function runs that function (`direct_call`), and other calls are refused. A floor
above may put something else here for all of them: `kfp_jupyter.local.init` puts in a run on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Pipeline, TaskSettings


@dataclass(frozen=True, slots=True)
class Called:
    """What was called.

    Attributes:
        component: It as a component.
        pipeline: The pipeline that it is, if it is one.
        settings: The settings that its tasks start with.
    """

    component: Component
    pipeline: Pipeline | None = None
    settings: TaskSettings = field(default_factory=TaskSettings)


class OutsideCall(Protocol):
    """Does what a call means."""

    def __call__(self, called: Called, positional: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        """Return what the call returns."""
        ...


_outside_call: OutsideCall | None = None


def outside_call() -> OutsideCall | None:
    """Return what calls outside of a pipeline do; None if each kind of component has its own way."""
    return _outside_call


def set_outside_call(does: OutsideCall | None) -> None:
    """Let calls outside of a pipeline do this; None gives each kind of component its own way back."""
    global _outside_call  # noqa: PLW0603 - one process has one meaning of a call
    _outside_call = does
