"""An attempt of a step in Python, as a process of this machine: a fork of a warm one where that will do."""

from __future__ import annotations

from kfp_jupyter.engines.local.attempt import Attempt, AttemptError
from kfp_jupyter.engines.local.environment import InstallError, why
from kfp_jupyter.engines.local.exchange import Product


class PythonAttempt(Attempt):
    """Runs a function under the executor, in an environment that is made first if it is not there."""

    def carry_out(self) -> Product | None:
        """Install what is missing, and run the function."""
        order, python = self.order, self.python
        environment = order.environment
        if environment is not None:
            try:
                self.prepared(lambda: environment.make(self._install, lambda: bool(self.stopped)))
            except InstallError as error:
                raise AttemptError("PackagesNotInstalled", why(error, self.log_tail)) from error
            python = environment.python
            self.heard.phase("", "")
        # What a fork has open already it would see as it was before.
        may_fork = self.servers.forks and not order.launcher
        forks = may_fork and self.servers.of(python, order.variables).can_fork(order.variables)
        command = [order.executor, *order.call]
        if not forks:
            command = [*order.launcher, python, "-u", *command]
        return self.committed(lambda: self.work(python, command, execute=not forks))

    def _install(self, command: list[str]) -> int:
        return self.work(self.python, command, execute=True, step=False).code
