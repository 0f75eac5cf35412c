"""Completion of the options of our magics.

IPython completes a cell's body and a magic's name itself; what follows the name it does not know. The
matcher reads the options from the argument parsers, so there is no second list of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def option_matcher(
    parsers: Callable[[], Mapping[str, argparse.ArgumentParser]], components: Callable[[], Iterable[str]]
) -> Callable[[Any], Any]:
    """Return an IPython matcher for the options (and subcommands) of some magics.

    Args:
        parsers: Gives them by the magic with its percent signs (`%%component`), when first asked for.
        components: Gives the names of the notebook's components, which follow `--after`.
    """
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator]
    def kfp_jupyter_options(context: Any) -> dict[str, Any]:
        line = context.line_with_cursor[: context.cursor_position]
        words = list(_choices(line, parsers(), components)) if "%" in line else []
        found = [SimpleCompletion(text=word, type="param") for word in words]
        # Names of Python are of no use on a magic's line.
        return {"completions": found, "suppress": bool(found)}

    matcher: Callable[[Any], Any] = kfp_jupyter_options
    return matcher


def _choices(
    line: str, parsers: Mapping[str, argparse.ArgumentParser], components: Callable[[], Iterable[str]]
) -> Iterable[str]:
    magic, space, rest = line.lstrip().partition(" ")
    parser = parsers.get(magic)
    if parser is None or not space:
        return
    typed = rest.rsplit(" ", 1)[-1]
    commands = _commands(parser)
    first, _, after = rest.lstrip().partition(" ")
    if commands and not (after or (first and rest.endswith(" "))):
        yield from (name for name in commands if name.startswith(typed))
        return
    if commands:
        if first not in commands:
            return
        parser = commands[first]
    if typed.startswith("-"):
        yield from (option for option in _options(parser) if option.startswith(typed))
    elif _option_before(rest) == "--after":
        yield from (name for name in components() if name.startswith(typed))


def _option_before(rest: str) -> str:
    """Return the last option before the word that is being typed."""
    return next((word for word in reversed(rest.split(" ")[:-1]) if word.startswith("-")), "")


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [text for action in parser._actions for text in action.option_strings if text.startswith("--")]


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}
