"""A cell as a step: its inputs are loaded, its body is run as the module that it is, its outputs are stored.

The step's source is one function, written by `kfp_jupyter.cells.cell_source`, which hands its arguments and
the body's text to `run_cell`. The body runs among the module's own names, as it does in a notebook: functions
may use `global`, classes can be pickled, `from m import *` is allowed. Like `formats`, this is text that
stands in the step's source.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Iterable, Mapping

from kfp_jupyter.executor.formats import STORED, load, save, type_name

LOGGED = ("system.Metrics", "system.ClassificationMetrics", "system.SlicedClassificationMetrics")
"""Kinds of artifacts that are logged to; a body finds these outputs as objects."""

TEXTS = ("system.HTML", "system.Markdown")
"""Kinds of artifacts whose file is the text itself."""


def given_value(name: str, held: Any) -> Any:
    """Return the value of an argument: a parameter as it is, and what an artifact holds.

    An artifact that no cell has stored, but a function by its path, is given as the artifact.
    """
    stored = getattr(held, "metadata", {}).get(STORED) if hasattr(held, "schema_title") else None
    if not stored:
        return held
    try:
        return load(held.path, stored)
    except Exception as error:
        said = "%s: %s" % (type(error).__name__, error)
        raise TypeError("the input %r (%s) cannot be loaded: %s" % (name, stored["type"], said)) from error


def put(name: str, value: Any, artifact: Any) -> None:
    """Store a value as the artifact that it is declared to be."""
    kind = artifact.schema_title
    if value is artifact:
        return
    if kind == LOGGED[0] and isinstance(value, dict):
        for key, number in value.items():
            artifact.log_metric(key, number)
    elif kind in TEXTS and isinstance(value, str):
        with open(artifact.path, "w", encoding="utf-8") as file:
            file.write(value)
    elif kind in LOGGED:
        raise TypeError(
            "the output %r must be a dict of numbers, or logged to as it is; not %s"
            % (name, type_name(value))
        )
    else:
        artifact.metadata[STORED] = save(name, value, artifact.path)


def run_cell(
    names: dict[str, Any],
    given: Mapping[str, Any],
    outputs: Iterable[str],
    returned: Mapping[str, Any],
    body: str,
) -> tuple[Any, ...] | None:
    """Run the body of a cell as the module that its step's source is, between loading and storing.

    The body stands in the caller's source, from the line of its `def` on (where it begins with a newline), so
    that the lines of a traceback are those of the source.

    Args:
        names: The module's names, in which the body runs.
        given: The arguments of the step's function.
        outputs: The outputs that are among them: artifacts, and paths of parameters.
        returned: Makes the artifact of each output that has the name of an input; None for a parameter.
        body: The text.

    Returns:
        What the function shall return: the outputs in `returned`, or None.

    Raises:
        NameError: The body did not assign one of its outputs.
        TypeError: A value cannot be loaded or stored.
    """
    frame = sys._getframe(1).f_code
    names.setdefault("display", print)
    for name, held in given.items():
        if name not in outputs:
            names[name] = given_value(name, held)
        elif getattr(held, "schema_title", "") in LOGGED:
            names[name] = held
    code = compile("\n" * (frame.co_firstlineno - 1) + body, frame.co_filename, "exec", dont_inherit=True)
    exec(code, names)
    for name in [*outputs, *returned]:
        if name not in names:
            raise NameError("the cell did not assign its output %r" % name)
    for name in outputs:
        held = given[name]
        if hasattr(held, "schema_title"):
            put(name, names[name], held)
        else:
            write_parameter(names[name], held)
    made = []
    for name, make in returned.items():
        held = names[name]
        if make is not None:
            held = make()
            put(name, names[name], held)
        made.append(held)
    return tuple(made) or None


def write_parameter(value: Any, path: str) -> None:
    """Write a parameter as KFP reads it: a string as it is, the rest as JSON."""
    value = value.tolist() if hasattr(value, "tolist") else value
    with open(path, "w", encoding="utf-8") as file:
        file.write(value if isinstance(value, str) else json.dumps(value))
