"""What is said of a name that cannot be brought along: undefined, data, a secret, the notebook's own."""

from __future__ import annotations

import builtins
import difflib
import re
from collections.abc import Iterable
from typing import Any

from kfp_jupyter.cells.finding import ERROR, Finding, Where
from kfp_jupyter.cells.provenance import is_importable
from kfp_jupyter.cells.surroundings import Surroundings

_CONVENTIONS = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
    "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns",
    "tf": "import tensorflow as tf",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "xgb": "import xgboost as xgb",
    "lgb": "import lightgbm as lgb",
    "jnp": "import jax.numpy as jnp",
}
"""How everybody imports what is known by a short name."""


def undefined(name: str, where: Where, around: Surroundings, known: Iterable[str]) -> Finding:
    """Return what is said of a name that nothing defines."""
    what = f"The name {name!r} is not defined."
    earlier = next(around.history.bindings(name), None)
    if earlier is not None:
        line = earlier.text.first_line + earlier.binding.line - 1
        what = f"The name {name!r} is not defined; {earlier.text.file}, line {line} would define it."
        return Finding(
            ERROR, "undefined-name", what, where, f"Run {earlier.text.file} again, then this cell."
        )
    if name in _CONVENTIONS:
        return Finding(ERROR, "undefined-name", what, where, f"Write `{_CONVENTIONS[name]}`, here or above.")
    candidates = {*known, *(held for held in around.namespace if not held.startswith("_"))} - {name}
    alike = difflib.get_close_matches(name, sorted(candidates), n=1, cutoff=0.7)
    alike = alike or difflib.get_close_matches(name, dir(builtins), n=1, cutoff=0.85)
    if alike:
        return Finding(ERROR, "undefined-name", what, where, f"Did you mean {alike[0]!r}?")
    if is_importable(name):
        return Finding(ERROR, "undefined-name", what, where, f"Write `import {name}`, here or above.")
    remedy = "Define or import it in this cell or an earlier one, or make it an input."
    return Finding(ERROR, "undefined-name", what, where, remedy)


def data_finding(name: str, value: Any, where: Where, why: str = "") -> Finding:
    """Return what is said of a name whose value is notebook data."""
    kind = type(value).__name__
    what = f"{name!r} is notebook data ({_described(value)}), which a step does not have"
    what += f": {why}." if (why and kind in why) or "characters" in why else "."
    return Finding(ERROR, "notebook-data", what, where, f"Make it an input: `{name}: {_hint(value)}`.")


def unknown_data(name: str, where: Where, place: str, why: str) -> Finding:
    """Return what is said of a name whose value is only known when the notebook runs."""
    what = f"{name!r} is notebook data ({why}, in {place}), which a step does not have."
    remedy = f"Make it an input, as in `{name}: float` or `{name}: Input[Dataset]`."
    return Finding(ERROR, "notebook-data", what, where, remedy)


def secret_finding(name: str, where: Where) -> Finding:
    """Return what is said of a value that looks like a secret."""
    return Finding(
        ERROR,
        "secret",
        f"{name!r} looks like a secret, and would stand readable in the pipeline's manifest.",
        where,
        "Read it from the environment in the step (`os.environ`), and set that from a Kubernetes secret "
        "(`kubernetes.use_secret_as_env`).",
    )


def bound_anew(made: str, name: str, where: Where) -> Finding:
    """Return what is said of a name that was bound anew after something was made with what it was."""
    what = f"{made!r} was made with another {name!r} than there is now, and that cannot be brought along."
    remedy = f"Run the cell that defines {made!r} again, then this one; or give the two {name!r} two names."
    return Finding(ERROR, "bound-anew", what, where, remedy)


def notebook_only(name: str, where: Where, line: str) -> Finding:
    """Return what is said of a name that only a notebook has."""
    code, what, remedy = "notebook-only", f"A step has no {name!r}: it belongs to the notebook.", ""
    if name == "get_ipython":
        code = "magic"
        command = re.search(r"get_ipython\(\)\.(system|getoutput)\((.*)\)", line)
        magic = re.search(r"get_ipython\(\)\.run_line_magic\('(\w+)',\s*'(.*)'\)", line)
        if command:
            what = f"A step cannot run a line with `!` ({command[2]})."
            remedy = "Use `subprocess.run(…, shell=True, check=True)`; `--packages` installs packages."
        elif magic:
            what = f"A step cannot run the magic `%{magic[1]} {magic[2]}`."
            remedy = "Take it out of the function; `--packages` installs packages."
    elif name == "display":
        remedy = "Print it, or write it to an `Output[HTML]` or `Output[Markdown]`."
    return Finding(ERROR, code, what, where, remedy or "Take it out of the component, or make it an input.")


def no_text(name: str, value: Any, where: Where) -> Finding:
    """Return what is said of a function or class whose text is not known."""
    kind = "class" if isinstance(value, type) else "function"
    return Finding(
        ERROR,
        "source-not-found",
        f"The text of the {kind} {name!r} was not kept, so it cannot be sent to a step.",
        where,
        "Define it with `def` or `class` in a cell or in a file.",
    )


def _described(value: Any) -> str:
    kind = type(value)
    text = f"of type {kind.__name__}"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(size, int) for size in shape):
        return f"{text}, {' by '.join(map(str, shape)) or 'a single value'}"
    if isinstance(value, (list, tuple, set, dict, str, bytes)):
        unit = "characters" if isinstance(value, str) else "bytes" if isinstance(value, bytes) else "items"
        return f"{text}, {len(value):,} {unit}"
    return text


def _hint(value: Any) -> str:
    """Return the type hint that an input for such a value would have."""
    for kind in (bool, int, float, str, list, dict):
        if type(value) is kind:
            return kind.__name__
    if isinstance(value, tuple):
        return "list"
    methods = {"predict", "fit", "forward", "state_dict", "predict_proba"}
    return (
        "Input[Model]" if any(callable(getattr(value, name, None)) for name in methods) else "Input[Dataset]"
    )
