"""Hooks our names into an IPython shell, and takes them out again: magics, completion, how our objects look.

Objects are known to IPython by the name of their class, so nothing is imported before one is shown.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from kfp_jupyter.notebook.completion import option_matcher
from kfp_jupyter.notebook.magics import Magics

_MAGICS = (("cell", "component"), ("cell", "pipeline"), ("line", "kfp"))


def register(session: Any) -> None:
    """Register magics, their completion, and displays in the session's shell."""
    from IPython.core.magic import no_var_expand

    shell, magics = session.shell, Magics(session)

    # Functions, since IPython marks what it registers, and a bound method takes no mark. Braces and dollars
    # in a line are the user's (`{"a": 1}`), not names to expand.
    @no_var_expand
    def component(line: str, cell: str) -> None:
        magics.component(line, cell)

    @no_var_expand
    def pipeline(line: str, cell: str) -> None:
        magics.pipeline(line, cell)

    @no_var_expand
    def kfp(line: str) -> None:
        magics.kfp(line)

    for (kind, name), function in zip(_MAGICS, (component, pipeline, kfp), strict=True):
        # IPython asks this method for the help text; a docstring would have to be made now.
        function.getdoc = partial(magics.help, name)  # type: ignore[attr-defined]
        shell.register_magic_function(function, kind, name)
    shell.input_transformers_cleanup.append(with_body)
    matcher = option_matcher(magics.parsers, session)
    shell.Completer.custom_matchers.append(matcher)
    session.matcher = matcher
    for formatter, module, name, show in _formatters(session):
        formatter.for_type_by_name(module, name, show)


def unregister(session: Any) -> None:
    """Take back what `register` did."""
    shell = session.shell
    for kind, name in _MAGICS:
        shell.magics_manager.magics[kind].pop(name, None)
    if with_body in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(with_body)
    if session.matcher in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(session.matcher)
    for formatter, module, name, _ in _formatters(session):
        formatter.pop(f"{module}.{name}", None)


def with_body(lines: list[str]) -> list[str]:
    """Give a `%%pipeline` cell of one line an empty second one, since IPython wants a cell magic's body."""
    if len(lines) == 1 and lines[0].startswith("%%pipeline"):
        return [lines[0].rstrip("\n") + "\n", "\n"]
    return lines


def _formatters(session: Any) -> list[tuple[Any, str, str, Any]]:
    formatters = session.shell.display_formatter
    live, still = formatters.ipython_display_formatter, formatters.mimebundle_formatter
    displays = session.displays
    return [
        (live, "kfp_jupyter.dsl.pipeline_function", "PipelineFunction", displays.show_pipeline),
        (live, "kfp_jupyter.run", "Run", displays.show_run),
        (still, "kfp_jupyter.dsl.python_component", "PythonComponent", displays.component_bundle),
    ]
