"""The command line: its parser, and how errors leave the process.

Exit codes: 0 all went well; 1 the run did not succeed; 2 it could not be done; 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from kfp_jupyter import __version__
from kfp_jupyter.cells.run_choices import add_run_choices, count
from kfp_jupyter.cli import commands, repair, upkeep
from kfp_jupyter.cli.alias import aliased
from kfp_jupyter.errors import KfpJupyterError, is_ours, without_our_frames
from kfp_jupyter.notebook.upkeep import add_gc_choices

_ERROR = 2
_WHICH_RUN = "the beginning of its id, its pipeline's name, or `latest`"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line (None: the process's own) and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shall not end the program.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    warnings.formatwarning = lambda message, *_, **__: f"kfp-jupyter: {message}\n"
    options = _parser().parse_args(arguments)
    carry_out: Callable[[argparse.Namespace], int] = options.carry_out
    try:
        with aliased(getattr(options, "file", None), getattr(options, "alias", False)):
            return carry_out(options)
    except KfpJupyterError as error:
        _tell(error)
        return _ERROR
    except KeyboardInterrupt:
        return commands.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output (`| head`) has enough. Python would complain once more when it closes
        # stdout.
        sys.stdout = None
        return commands.OK
    finally:
        _close()


def _tell(error: KfpJupyterError) -> None:
    from kfp_jupyter.notebook.source import UserCodeError

    if isinstance(error, UserCodeError) and error.__cause__ is not None:
        cause = error.__cause__
        sys.stderr.write("".join(traceback.format_exception(type(cause), cause, _users(cause))))
    sys.stderr.write(f"kfp-jupyter: {error}\n")


def _users(error: BaseException) -> TracebackType | None:
    """Return the user's part of an error's traceback; all of it if the error arose in our own code."""
    entries = []
    entry = error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    if entries and is_ours(entries[-1]):
        return error.__traceback__
    kept = without_our_frames(error.__traceback__)
    while kept is not None and kept.tb_frame.f_code.co_filename.startswith("<frozen importlib"):
        kept = kept.tb_next
    return kept


def _close() -> None:
    """End the workbench's threads, if there is one, so that what they write is written."""
    workbench = sys.modules.get("kfp_jupyter.workbench")
    if workbench is not None:
        workbench.close_current()


def _check(options: argparse.Namespace) -> int:
    """Check the components and pipelines of a file without running it (exit code 2: errors)."""
    from kfp_jupyter.cli.check import check

    return check(options)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, as in `-p lr=0.2`")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kfp-jupyter", description="Run, compile and draw pipelines written in notebooks and programs."
    )
    parser.add_argument("--version", action="version", version=f"kfp-jupyter {__version__}")
    subcommands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, carry_out: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        about = (carry_out.__doc__ or "").strip()
        made = subcommands.add_parser(name, help=about[0].lower() + about[1:].rstrip("."), description=about)
        made.set_defaults(carry_out=carry_out)
        return made

    def on_file(name: str, carry_out: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made = command(name, carry_out)
        made.add_argument("file", metavar="FILE", type=Path, help="a .py program or an .ipynb notebook")
        made.add_argument(
            "--pipeline", default="", metavar="NAME", help="which pipeline, if FILE has several"
        )
        made.add_argument(
            "--alias",
            action="store_true",
            help="let `import kfp` in FILE mean this package; as it does anyway where kfp is not installed",
        )
        made.add_argument(
            "--as-step", action="store_true", help="run the notebook from top to bottom, as one step"
        )
        return made

    def starting(
        name: str, carry_out: Callable[[argparse.Namespace], int], unsaid: str
    ) -> argparse.ArgumentParser:
        made = on_file(name, carry_out)
        made.add_argument(
            "-p",
            "--parameter",
            action="append",
            default=[],
            type=_pair,
            metavar="NAME=VALUE",
            help="an argument",
        )
        made.add_argument(
            "--target", default="", help=f"where: local, argo, argo:CONTEXT[/NAMESPACE]; {unsaid} if left out"
        )
        add_run_choices(made)
        made.add_argument("--detach", action="store_true", help="return when it has been started")
        return made

    starting("run", commands.run, "local")
    rerun = starting("rerun", repair.rerun, "where the earlier run was")
    rerun.add_argument("--run", default="", help="the earlier run; the pipeline's latest if left out")
    resume = command("resume", repair.resume)
    resume.add_argument("run", metavar="RUN", help=_WHICH_RUN)
    resume.add_argument("--detach", action="store_true", help="return when it goes on")
    debug = command("debug", repair.debug)
    debug.add_argument("run", nargs="?", default="", metavar="RUN", help="the latest failed if left out")
    debug.add_argument("task", nargs="?", default="", metavar="TASK", help="the failed one if left out")
    debug.add_argument("-o", "--output", type=Path, metavar="FILE", help="debug_TASK.py if left out")
    compile_ = on_file("compile", commands.compile_)
    compile_.add_argument("-o", "--output", type=Path, metavar="FILE", help="PIPELINE.yaml if left out")
    compile_.add_argument("--target", default="kfp", metavar="FORMAT", help="kfp (the default) or argo")
    check = command("check", _check)
    check.add_argument("file", metavar="FILE", type=Path, help="a .py program or an .ipynb notebook")
    check.add_argument("--strict", action="store_true", help="warnings too make the exit code 1")
    check.add_argument("--json", action="store_true", help="print the findings as data")
    graph = on_file("graph", commands.graph)
    graph.add_argument("-o", "--output", type=Path, metavar="FILE", help=".svg or .html; text if left out")
    runs = command("runs", commands.runs)
    runs.add_argument("--limit", type=count, default=20, metavar="COUNT", help="how many; 20 if left out")

    def on_run(name: str, carry_out: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made = command(name, carry_out)
        made.add_argument("run", metavar="RUN", help=_WHICH_RUN)
        return made

    on_run("show", commands.show)
    logs = on_run("logs", commands.logs)
    logs.add_argument("task", nargs="?", metavar="TASK", help="one task; all if left out")
    logs.add_argument("--follow", action="store_true", help="go on until the task has ended")
    on_run("cancel", commands.cancel)
    command("targets", commands.targets)
    add_gc_choices(command("gc", upkeep.gc))
    cache = command("cache", upkeep.cache)
    cache.add_argument("action", choices=["clear"], help="forget all results")
    return parser
