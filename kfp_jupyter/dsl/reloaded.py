"""Components and pipelines of modules that `%autoreload` has loaded anew.

Autoreload gives a function that a notebook has imported the code that its module has now, in place, but it
knows no objects of other kinds: `from steps import train` would stay the component of the old text. So what
was made of a function remembers how its module was loaded (a reload gives a module another `__spec__`), and
becomes what the module has by its name now. Without autoreload nothing changes, as with functions.
Reference: https://ipython.readthedocs.io/en/stable/config/extensions/autoreload.html
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_AUTORELOAD = "IPython.extensions.autoreload"


class Reloaded:
    """Something made of a function, which goes with the function's module.

    Args:
        function: The function, or None.
    """

    def __init__(self, function: Callable[..., Any] | None) -> None:
        self._made_of = function
        self._loaded = self._home().get("__spec__")

    def catch_up(self) -> None:
        """Become what the module has by this name now, if it has been loaded anew."""
        home = self._home()
        if self._loaded is home.get("__spec__") or _AUTORELOAD not in sys.modules:
            return
        now = home.get(getattr(self._made_of, "__qualname__", ""))
        if type(now) is type(self) and now is not self:
            self.__dict__.update(now.__dict__)

    def _home(self) -> dict[str, Any]:
        return getattr(self._made_of, "__globals__", {})
