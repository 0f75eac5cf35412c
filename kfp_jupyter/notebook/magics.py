"""`%%component`, `%%pipeline` and `%kfp`: each reads its line and cell, has the work done, and shows it.

Errors: a line that cannot be read is IPython's one-line UsageError. Any other error of ours is raised as it
is; it renders itself without our frames and stops "Run all" and nbclient alike. What the user's own code
raised keeps the user's part of its traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from kfp_jupyter.notebook.failures import hide_our_frames

if TYPE_CHECKING:
    import argparse

    from kfp_jupyter.model.component import Component
    from kfp_jupyter.run import Run


class Magics:
    """The magics of one shell.

    Args:
        session: What this kernel's notebook knows; see `kfp_jupyter.notebook.session.Session`.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._shell = session.shell

    def component(self, line: str, body: str) -> None:
        """Make the cell, or the function in it, a component: a step that pipelines are made of."""
        from kfp_jupyter.cells.origin import place_name
        from kfp_jupyter.notebook.define import define_component

        with self._cell("%%component", line, body) as file:
            cells = self._session.cells
            ledger = cells.ledger
            made = define_component(
                line, body, file, self._shell.user_ns, ledger=ledger, cell_id=cells.id, text=cells.text
            )
        bench = self._session.workbench
        bench.add_component(made.name, made.model, place_name(file))
        self._session.displays.show_component(made)
        # A pipeline holds its components as they were when it was traced; a run of it would use those.
        for pipeline in list(bench.pipelines.values()):
            if any(_differs(held, made.model) for held in pipeline.components.values()):
                self._session.say(
                    f"The pipeline {pipeline.name!r} still has the earlier {made.name!r}: "
                    "run its cell again to use this one."
                )

    def pipeline(self, line: str, body: str) -> None:
        """Make the cell a pipeline, check and draw it; run it if the line says so."""
        from kfp_jupyter.cells.origin import place_name
        from kfp_jupyter.cells.run_choices import RunChoices
        from kfp_jupyter.notebook.define import argument_values, define_pipeline
        from kfp_jupyter.notebook.run_arguments import run_arguments

        default_name = self._session.pipeline_name
        with self._cell("%%pipeline", line, body) as file:
            ledger = self._session.cells.ledger
            made, options = define_pipeline(line, body, file, self._shell.user_ns, default_name, ledger)
            model = made.model
            values = argument_values(model, options.arguments)
        if not options.run and (options.target or values or options.choices != RunChoices()):
            raise _usage(
                "%%pipeline: `--target`, `-p`, `--no-cache` and the like say how to run it; add `--run`."
            )
        self._session.workbench.add_pipeline(model, place_name(file))
        self._session.changed()
        if options.auto:
            self._session.say_of_cells(made)
        # Drawn before it is run: if it cannot be run, the picture is there all the same.
        display_id = self._session.displays.show(model)
        if not self._session.displays.is_told(made):
            self._session.findings.show(made.findings)
        if options.run:
            run = self._session.workbench.run(
                model,
                values,
                target=options.target or None,
                labels=self._session.labels,
                tell=self._session.say,
                **run_arguments(options.choices),
            )
            show_started(self._session, run, display_id, wait=options.wait)

    def kfp(self, line: str) -> None:
        """Look after the pipelines and runs of this notebook."""
        from kfp_jupyter.cells.magic_parser import MagicUsageError
        from kfp_jupyter.notebook.line import run_line

        try:
            run_line(self._session, line)
        except MagicUsageError as error:
            raise _usage(str(error)) from None

    def parsers(self) -> Mapping[str, argparse.ArgumentParser]:
        """The argument parsers by magic, for completion and help."""
        from kfp_jupyter.cells.signature import component_parser, pipeline_parser
        from kfp_jupyter.notebook.line import line_parser

        return {"%%component": component_parser, "%%pipeline": pipeline_parser, "%kfp": line_parser}

    def help(self, name: str) -> str:
        """Return the text that `%%component?` shows."""
        from kfp_jupyter.notebook.line import help_text

        summary = next(text for text in (getattr(type(self), name).__doc__,) if text)
        if name == "kfp":
            return f"{summary}\n\n{help_text()}"
        from kfp_jupyter.notebook.examples import EXAMPLES

        return f"{summary}\n\n{EXAMPLES[name]}\n{self.parsers()[f'%%{name}'].format_help()}"

    @contextmanager
    def _cell(self, magic: str, line: str, body: str) -> Iterator[str]:
        """Give a file name to compile the cell under, which IPython knows as `Cell In[n]`."""
        from kfp_jupyter.cells.magic_parser import MagicUsageError

        # IPython shows these lines in tracebacks, and has to be able to parse them.
        shown = f"# {magic} {line}\n{body}"
        raw = f"{magic} {line}\n{body}"
        file = self._shell.compile.cache(shown, self._cell_number(), raw_code=raw)
        try:
            yield file
        except MagicUsageError as error:
            raise _usage(str(error)) from None
        except Exception as error:
            hide_our_frames(error, file, self._shell)
            raise

    def _cell_number(self) -> int:
        """Return the number of the running cell; the shell's own count is ahead of it in some versions."""
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            label = self._shell.compile.format_code_name(frame.f_code.co_filename)
            if label:
                return int("".join(filter(str.isdecimal, label[1])) or 0)
            frame = frame.f_back
        number: int = self._shell.execution_count
        return number


def show_started(session: Any, run: Run, display_id: str = "", *, wait: bool = False) -> None:
    """Show a run that has just been started; with `wait` until it has ended.

    An interrupt ends the waiting only.

    Raises:
        RunFailedError: It was waited for and did not succeed.
    """
    if not wait:
        session.displays.show(run.pipeline, run.status, display_id)
        return
    try:
        display_id = session.displays.show(run.pipeline, run.status, display_id)
        run.wait()
    except KeyboardInterrupt:
        session.say(f"Not waiting any longer. Run {run.id} goes on; `%kfp show {run.id}` shows it.")
        return
    session.displays.show(run.pipeline, run.status, display_id)
    run.wait(raise_on_failure=True)


def _differs(held: Component, new: Component) -> bool:
    """Return whether one component is another version of the other; the cells they stand in do not count."""
    from dataclasses import replace

    from kfp_jupyter.model.component import PythonStep, Source

    def content(component: Component) -> tuple[Any, ...]:
        step = component.implementation
        if not isinstance(step, PythonStep):
            return (component.inputs, component.outputs, step)
        settings = replace(step, source=Source(()))
        return (component.inputs, component.outputs, step.source.text, settings)

    return held.name == new.name and content(held) != content(new)


def _usage(message: str) -> Exception:
    from IPython.core.error import UsageError

    error: Exception = UsageError(message)
    return error
