"""An attempt of a container component without its container: the command is a process of this machine.

It runs where the notebook's own steps do, with their environment variables. The files that it is given and
puts out are the same as in a container; the image is not used, so the program has to be on this machine.
"""

from __future__ import annotations

import shutil

from kfp_jupyter.engines.local.attempt import Attempt, AttemptError
from kfp_jupyter.engines.local.collection import CollectionError, commit
from kfp_jupyter.engines.local.exchange import RECORD, Product
from kfp_jupyter.engines.local.worker import Ended
from kfp_jupyter.engines.trouble import command_ended


class CommandAttempt(Attempt):
    """Runs a command and collects what it has put out."""

    def carry_out(self) -> Product | None:
        """Run the command."""
        words = self.order.command
        if not words or shutil.which(words[0], path=self.order.variables.get("PATH")) is None:
            named = f"the program {words[0]!r}, which is not" if words else "no command that could be run"
            raise AttemptError(
                "NoSuchCommand",
                f"The step asks for {named} on this machine. Install it, or run the step in its container: "
                "leave out `--host-containers`, with docker or podman installed.",
            )
        return self.committed(self._run_command)

    def _run_command(self) -> Ended:
        ended = self.work(self.python, [*self.order.launcher, *self.order.command], execute=True)
        if ended.code:
            self.error = command_ended(ended.code)
        elif not self.stopped:
            # One that was asked to end and did so has not done its work.
            self.collect()
        return ended

    def collect(self) -> None:
        """Make what the command has put out the attempt's commit record, or say what is wrong with it."""
        try:
            commit(self.order.component, self.order.executor_input, self.order.folder / RECORD)
        except CollectionError as error:
            raise AttemptError(error.type, str(error)) from error
