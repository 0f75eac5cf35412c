"""The class of what a function returns, whose fields are its outputs: its text goes with the function's.

A NamedTuple, dataclass or TypedDict is mostly written beside the function, and a step needs it to run.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from kfp_jupyter.cells.origin import place_name, whole_lines
from kfp_jupyter.executor.annotations import evaluated, fields_of, without_none
from kfp_jupyter.model.component import PREAMBLE, Fragment

_IMPORTS = "import dataclasses\nfrom dataclasses import dataclass, field\n"


def returned_class(function: Callable[..., Any]) -> tuple[Fragment, ...]:
    """Return the text of the class that a function returns, after those it is made of; none if it needs none.

    Only classes of the function's own module are brought along, and only if their text was kept.
    """
    hint = getattr(function, "__annotations__", {}).get("return")
    try:
        held = without_none(evaluated(hint, getattr(function, "__globals__", {})))[0]
    except Exception:  # noqa: BLE001 - a hint that cannot be evaluated is refused where the interface is read
        return ()
    if not isinstance(held, type) or not fields_of(held):
        return ()
    own = [base for base in reversed(held.__mro__) if base.__module__ == function.__module__]
    try:
        texts = [_fragment(base) for base in own]
    except (OSError, TypeError):
        return ()
    return (Fragment(_IMPORTS, PREAMBLE), *texts)


def _fragment(class_: type) -> Fragment:
    lines, first = inspect.getsourcelines(class_)
    file = place_name(inspect.getsourcefile(class_) or "")
    return Fragment(whole_lines(textwrap.dedent("".join(lines))), file, max(first, 1))
