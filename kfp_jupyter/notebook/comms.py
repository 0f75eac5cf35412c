"""The two comm targets that front ends open, and the hello that asks them to (docs/architecture.md, "Comms").

    kfp_jupyter.runs       front opens; from then on the publisher's thread speaks, the front end listens
    kfp_jupyter.commands   front opens and asks; each answer is sent inside the handler of its question
    kfp_jupyter.hello      the kernel opens and closes it once when the extension is loaded: "connect now"

Why two: ipykernel 7.4 sends what a front end says on a comm to the main shell as soon as anything but a
handler has spoken on that comm, and a button press would then wait for the running cell. The commands comm is
spoken on by its handlers only, so ipykernel keeps answering it on a subshell, also while a cell runs. (On
ipykernel 6 there are no subshells: it waits.)

Nothing tells a kernel that a page has gone: a comm of a closed tab looks alive for ever. So each target keeps
only its newest comms and closes the older ones; a front end that is still there sees the close and may open
anew.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kfp_jupyter.model.types import Json
from kfp_jupyter.notebook.commands import Commands

if TYPE_CHECKING:
    from kfp_jupyter.notebook.publisher import Publisher

RUNS = "kfp_jupyter.runs"
COMMANDS = "kfp_jupyter.commands"
HELLO = "kfp_jupyter.hello"
PROTOCOL = 1
"""Grows when a front end of before could not understand the messages any more."""

_LOG = logging.getLogger(__name__)
# Comms kept per target: several pages, browsers and colleagues at once, and some reloads of each.
_KEPT = 24


class CommScreen:
    """One open `kfp_jupyter.runs` comm."""

    def __init__(self, comm: Any) -> None:
        self.comm = comm

    def send(self, message: dict[str, Json]) -> None:
        """Deliver a message."""
        self.comm.send(message)


class Comms:
    """Registers the targets, and knows who is connected.

    Args:
        manager: The kernel's comm manager.
        publisher: Gives the publisher; asked when the first front end connects.
        commands: What answers.
    """

    def __init__(self, manager: Any, publisher: Callable[[], Publisher], commands: Commands) -> None:
        self._manager = manager
        self._publisher = publisher
        self._commands = commands
        # Newest last. Changed on whichever thread handles comm messages; list operations are atomic, and a
        # comm too many or too few for a moment does no harm.
        self._screens: list[CommScreen] = []
        self._askers: list[Any] = []

    @property
    def connected(self) -> bool:
        """True if a front end with our JupyterLab extension is (or lately was) there."""
        return bool(self._screens)

    def start(self) -> None:
        """Register the targets and tell front ends that they can connect."""
        self._manager.register_target(RUNS, self._open_runs)
        self._manager.register_target(COMMANDS, self._open_commands)
        self._greet()

    def stop(self) -> None:
        """Take the targets back and close every comm."""
        for name, callback in ((RUNS, self._open_runs), (COMMANDS, self._open_commands)):
            if self._manager.targets.get(name) == callback:
                self._manager.unregister_target(name, callback)
        for screen in self._screens[:]:
            _close(screen.comm)
        for comm in self._askers[:]:
            _close(comm)
        self._screens.clear()
        self._askers.clear()

    def _greet(self) -> None:
        from comm import create_comm

        # A front end that does not know the target (VS Code) logs that and closes; that is all right.
        create_comm(target_name=HELLO, data={"protocol": PROTOCOL}).close()

    def _open_runs(self, comm: Any, _message: Any) -> None:
        screen = CommScreen(comm)

        def gone(_closing: Any) -> None:
            self._publisher().leave(screen)
            if screen in self._screens:
                self._screens.remove(screen)

        comm.on_close(gone)
        self._screens.append(screen)
        while len(self._screens) > _KEPT:
            oldest = self._screens.pop(0)
            self._publisher().leave(oldest)
            _close(oldest.comm)
        self._publisher().join(screen)

    def _open_commands(self, comm: Any, _message: Any) -> None:
        def gone(_closing: Any) -> None:
            if comm in self._askers:
                self._askers.remove(comm)

        def asked(message: Any) -> None:
            comm.send(self._commands.answer(message["content"]["data"]))

        comm.on_close(gone)
        comm.on_msg(asked)
        self._askers.append(comm)
        while len(self._askers) > _KEPT:
            _close(self._askers.pop(0))


def _close(comm: Any) -> None:
    # A kernel that is shutting down has no socket left to say goodbye on.
    with contextlib.suppress(Exception):
        comm.close()
