"""The parser of a magic's line: what is wrong with it is said in one line, with what was probably meant."""

from __future__ import annotations

import argparse
import difflib
from typing import NoReturn

from kfp_jupyter.errors import KfpJupyterError


class MagicUsageError(KfpJupyterError):
    """A magic's line that cannot be read."""


class MagicParser(argparse.ArgumentParser):
    """Raises instead of leaving the process."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse has to say.

        Raises:
            MagicUsageError: Always.
        """
        usage = " ".join(self.format_usage().split())
        remedy = usage[0].upper() + usage[1:]
        if message.startswith("unrecognized arguments"):
            known = list(self._option_string_actions)
            words = [word for word in message.split() if word.startswith("-")]
            alike = [held for word in words for held in difflib.get_close_matches(word, known, 1)]
            meant = f"Did you mean {alike[0]}? " if alike else ""
            remedy = f"{meant}The options are: {', '.join(known)}." if words and known else remedy
        raise MagicUsageError(f"{self.prog}: {message}.", remedy=remedy)
