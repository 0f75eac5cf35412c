"""Completion of what follows the names of our magics: options, subcommands, and the names that these take.

IPython completes a cell's body and a magic's name itself; what follows the name it does not know. The
matcher reads the argument parsers, so there is no second list of options. Which names an argument takes is
told by its place in the parser: `%kfp debug` takes runs, then tasks of that run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kfp_jupyter.errors import KfpJupyterError

# Runs that are offered by their ids.
_OFFERED = 10


def option_matcher(parsers: Callable[[], Mapping[str, argparse.ArgumentParser]], session: Any) -> Any:
    """Return an IPython matcher for what follows the names of some magics.

    Args:
        parsers: Gives them by the magic with its percent signs (`%%component`), when first asked for.
        session: What this kernel's notebook knows; see `kfp_jupyter.notebook.session.Session`.
    """
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator]
    def kfp_jupyter_options(context: Any) -> dict[str, Any]:
        line = context.line_with_cursor[: context.cursor_position]
        words = list(_choices(line, parsers(), session)) if "%" in line else []
        found = [SimpleCompletion(text=word, type="param") for word in words]
        # Names of Python are of no use beside ours; a cell's line may hold types and values too.
        return {"completions": found, "suppress": bool(found)}

    return kfp_jupyter_options


def _choices(line: str, parsers: Mapping[str, argparse.ArgumentParser], session: Any) -> Iterable[str]:
    magic, space, rest = line.lstrip().partition(" ")
    parser = parsers.get(magic)
    if parser is None or not space:
        return []
    *before, typed = rest.split(" ")
    given = [word for word in before if word]
    commands = _commands(parser)
    if commands:
        if not given:
            return (name for name in commands if name.startswith(typed))
        if given[0] not in commands:
            return []
        parser = commands[given.pop(0)]
    if typed.startswith("-"):
        return (option for option in _options(parser) if option.startswith(typed))
    action, positional = _action(parser, given)
    if action is None:
        return []
    return (name for name in _names(action, positional, session) if name.startswith(typed))


def _action(
    parser: argparse.ArgumentParser, given: Sequence[str]
) -> tuple[argparse.Action | None, dict[str, str]]:
    """Return the argument that the next word would be, and the positional ones before it, by name."""
    by_option = {text: action for action in parser._actions for text in action.option_strings}
    places = [action for action in parser._actions if not action.option_strings]
    positional: dict[str, str] = {}
    pending: argparse.Action | None = None
    for word in given:
        if word in by_option:
            pending = by_option[word] if by_option[word].nargs != 0 else None
        elif pending is None:
            if len(positional) < len(places):
                positional[places[len(positional)].dest] = word
        elif pending.nargs != "+":
            pending = None
    if pending is None and len(positional) < len(places):
        pending = places[len(positional)]
    return pending, positional


def _names(action: argparse.Action, positional: Mapping[str, str], session: Any) -> list[str]:
    """Return the names that an argument takes; none where anything may stand."""
    bench = session.workbench
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    if action.metavar == "FORMAT":
        return ["kfp", "argo"]
    try:
        if action.dest == "after":
            return [step.name for step in session.cells.ledger.steps.values()]
        if action.dest == "target":
            return [place.id for place in bench.targets()]
        if action.dest == "pipeline":
            return list(bench.pipelines)
        if action.dest == "run":
            return _runs(bench)
        if action.metavar == "RUN|PIPELINE":
            return [*_runs(bench), *bench.pipelines]
        if action.dest == "task":
            return list(bench.get(positional["run"]).tasks)
        if action.dest == "parameter" and "pipeline" in positional:
            return [f"{spec.name}=" for spec in bench.pipeline(positional["pipeline"]).inputs]
    except KfpJupyterError:
        # A run or pipeline that there is not has no names; running the line will say so.
        return []
    return []


def _runs(bench: Any) -> list[str]:
    rows = bench.runs(_OFFERED)
    return ["latest", *(row.id for row in rows)] if rows else []


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [text for action in parser._actions for text in action.option_strings if text.startswith("--")]


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}
