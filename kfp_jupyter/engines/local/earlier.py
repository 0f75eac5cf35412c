"""What a task put out earlier, so that it need not run: asked before each task.

In this order: in this run, before it was interrupted or failed (the journal says so, or a commit record that
the journal did not come to); in the run that this is a rerun of; in the cache. A result of this run counts as
long as the task gets the same; an exit task that is told of another end runs again.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from kfp_jupyter.engines.local.cache import Cache, digested
from kfp_jupyter.engines.local.exchange import Given, Product, product_in, product_of
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.place import Place, place_of
from kfp_jupyter.engines.local.plan import Plan
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.graph import Task
from kfp_jupyter.model.run import Event, RunState, State, TaskChanged
from kfp_jupyter.model.types import Json


class BusyError(Exception):
    """The task is being run just now for another run, whose result will do."""


@dataclass(frozen=True, slots=True)
class Result:
    """A result.

    Attributes:
        product: What the task put out.
        cached_from: The run that it is of; empty for this one.
        told: Whether the journal tells of it already.
    """

    product: Product
    cached_from: str = ""
    told: bool = False


class Earlier:
    """Finds earlier results, and keeps new ones for later runs.

    Args:
        plan: The plan.
        folder: The run's folder.
        before: The run as its journal has it.
    """

    def __init__(self, plan: Plan, folder: RunFolder, before: RunState | None) -> None:
        self._plan = plan
        self._folder = folder
        self._before = before.tasks if before is not None else {}
        self._cache = Cache(Path(plan.options.local.cache or Path(plan.data) / "cache"))
        self._leases: dict[str, tuple[str, int | None]] = {}

    def find(self, task: Task, component: Component, given: Given) -> Result | None:
        """Return the result that stands for a task; None if it is to run, and then call `ended` at its end.

        Args:
            task: The task under its path.
            component: What it runs.
            given: What it gets.

        Raises:
            BusyError: Ask again soon.
        """
        found = self._made_before(task, component, given)
        if found is not None and found.cached_from:
            # Says when it was used last; see `upkeep`.
            with contextlib.suppress(OSError):
                os.utime(RunFolder(self._folder.path.with_name(found.cached_from)).journal)
        return found

    def _made_before(self, task: Task, component: Component, given: Given) -> Result | None:
        found = self._of_this_run(task.name, given) or self._taken(task.name)
        if found is not None:
            return found
        # What an importer brings is looked at anew in each run.
        place = place_of(component.implementation, self._plan.options.local)
        asked = task.settings.caching and place is not Place.NONE
        if not (asked and self._plan.options.caching):
            return None
        key = self._cache.key(task, component, given, place, Path(self._plan.data))
        return self._cached(key) or self._leased(task.name, key)

    def ended(self, path: str, product: Product | None) -> None:
        """Note that a task has run: keep what it has put out, if that is anything, and let others try."""
        key, lease = self._leases.pop(path, ("", None))
        if key and product is not None:
            self._cache.keep(key, self._plan.options.run_id, product)
        if lease is not None:
            with contextlib.suppress(OSError):
                self._cache.give_back(key, lease)

    def attempts(self, path: str) -> int:
        """Return how many attempts of a task there have been."""
        with contextlib.suppress(FileNotFoundError):
            held = self._folder.task(path).iterdir()
            return max((int(entry.name) for entry in held if entry.name.isdecimal()), default=0)
        return 0

    def is_news(self, event: Event) -> bool:
        """Say whether an event of a group tells something that the journal does not."""
        known = isinstance(event, TaskChanged) and event.task in self._before
        if not (known and isinstance(event, TaskChanged)):
            return True
        return not (self._succeeded(event.task) and event.state in (State.RUNNING, State.SUCCEEDED))

    def _succeeded(self, path: str) -> bool:
        return path in self._before and self._before[path].state is State.SUCCEEDED

    def _of_this_run(self, path: str, given: Given) -> Result | None:
        if self._succeeded(path):
            before = self._before[path]
            if _same(before.inputs, given.parameters):
                return Result(self._digested(product_of(before)), before.cached_from, told=True)
            return None
        for number in range(self.attempts(path), 0, -1):
            attempt = self._folder.attempt(path, number)
            product = product_in(attempt / "output.json")
            if product is not None:
                text = (attempt / "input.json").read_text(encoding="utf-8")
                same = _same(json.loads(text)["inputs"]["parameterValues"], given.parameters)
                return Result(self._digested(product)) if same else None
        return None

    def _taken(self, path: str) -> Result | None:
        taken = self._plan.options.taken.get(path)
        return None if taken is None else Result(self._digested(product_of(taken)), taken.cached_from)

    def _digested(self, product: Product) -> Product:
        # What follows and does run is found in the cache by what it got.
        return digested(product) if self._plan.options.caching else product

    def _cached(self, key: str) -> Result | None:
        found = self._cache.find(key)
        return None if found is None else Result(found.product, found.run_id)

    def _leased(self, path: str, key: str) -> Result | None:
        try:
            lease = self._cache.lease(key)
        except OSError:
            # A cache that cannot be written to is no reason not to run.
            self._leases[path] = key, None
            return None
        if lease is None:
            raise BusyError
        self._leases[path] = key, lease
        # Who had the lease until now may have left the result.
        found = self._cached(key)
        if found is not None:
            self.ended(path, None)
        return found


def _same(one: Json, other: Json) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
