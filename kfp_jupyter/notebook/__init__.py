"""The notebook side: magics, comms, display. `%load_ext kfp_jupyter` comes here.

Loading registers names and nothing more: no thread, no file, no network. What is loaded is kept on the
shell itself, so that `%autoreload` or a second import of this package finds it, and no shell has two of it.
"""

from __future__ import annotations

from typing import Any

_ATTRIBUTE = "_kfp_jupyter_session"


def load_ipython_extension(shell: Any) -> None:
    """Register the magics, the displays and the comm targets in a shell. Loading twice is loading once."""
    if getattr(shell, _ATTRIBUTE, None) is not None:
        return
    from kfp_jupyter.notebook.session import Session

    session = Session(shell)
    session.start()
    setattr(shell, _ATTRIBUTE, session)


def unload_ipython_extension(shell: Any) -> None:
    """Take everything back and end the thread; runs go on."""
    session = getattr(shell, _ATTRIBUTE, None)
    if session is not None:
        setattr(shell, _ATTRIBUTE, None)
        session.stop()
