"""`%kfp`: the subcommands, each a parser and a function over the workbench.

A run is named by the beginning of its id, by its pipeline, of which it is then the newest, or by `latest`; a
pipeline by its name, in KFP's spelling or Python's.
"""

from __future__ import annotations

import argparse
import shlex
import time
from html import escape
from typing import TYPE_CHECKING, Any

from kfp_jupyter.cells.component import kebab_case
from kfp_jupyter.cells.magic_parser import MagicParser, MagicUsageError
from kfp_jupyter.cells.run_choices import add_run_choices, count, read_run_choices
from kfp_jupyter.notebook.named_pipeline import kale_notebook, named_pipeline, renewed
from kfp_jupyter.notebook.upkeep import add_gc_choices, forget, gc

if TYPE_CHECKING:
    from kfp_jupyter.run import Run

# As `Workbench.get` knows it; importing that would cost every start of a kernel.
_LATEST = "latest"
# Seconds between two looks at a log that is followed.
_LOG_PACE = 0.3
# Seconds that a list of runs waits for news of those that had not ended.
_NEWS = 1.5


def run_line(session: Any, line: str) -> None:
    """Carry out what follows `%kfp`.

    Raises:
        MagicUsageError: It cannot be read; the message is one line.
        KfpJupyterError: It cannot be done.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise MagicUsageError(f"%kfp: {error} in: {line}") from None
    if {"-h", "--help"}.intersection(words):
        words = ["help"]
    options = line_parser.parse_args(words or ["help"])
    options.carry_out(session, options)


def _run(session: Any, options: argparse.Namespace) -> None:
    from kfp_jupyter.notebook.define import argument_values
    from kfp_jupyter.notebook.magics import show_started
    from kfp_jupyter.notebook.run_arguments import run_arguments

    pipeline = named_pipeline(session, options.pipeline)
    texts = dict(_pair(text) for text in options.parameter)
    run = session.workbench.run(
        pipeline,
        argument_values(pipeline, texts),
        target=options.target or None,
        labels=session.labels,
        tell=session.say,
        **run_arguments(read_run_choices(options)),
    )
    show_started(session, run, wait=options.wait)


def _compile(session: Any, options: argparse.Namespace) -> None:
    from kfp_jupyter.dsl import PipelineFunction

    pipeline = named_pipeline(session, options.pipeline)
    path = options.output or f"{pipeline.name}.yaml"
    session.say(f"Wrote {PipelineFunction(pipeline).compile(path, options.target)}.")


def _runs(session: Any, options: argparse.Namespace) -> None:
    bench, pipeline = session.workbench, kebab_case(options.pipeline)
    going_on = [row.id for row in bench.runs(options.limit, pipeline=pipeline) if not row.state.finished]
    for run_id in going_on:
        bench.get(run_id)
    bench.followers.catch_up(going_on, _NEWS)
    rows = bench.runs(options.limit, pipeline=pipeline)
    cells = [
        (row.id, row.pipeline, row.state.value, row.target, _moment(row.created_at), _took(row))
        for row in rows
    ]
    if not cells and bench.history_problem is not None:
        raise bench.history_problem
    session.show_table(("Run", "Pipeline", "State", "Target", "Started", "Took"), cells, "No runs yet.")
    _say_problems(session)


def _show(session: Any, options: argparse.Namespace) -> None:
    known = kebab_case(options.name) in session.workbench.pipelines or options.name.endswith(".ipynb")
    if known or options.name in session.shell.user_ns:
        session.displays.show(named_pipeline(session, options.name))
        return
    run = _found(session, options.name)
    session.displays.show(run.pipeline, run.status)


def _graph(session: Any, options: argparse.Namespace) -> None:
    pipeline = named_pipeline(session, options.pipeline) if options.pipeline else kale_notebook(session)
    if pipeline is not None:
        session.displays.show(pipeline)
        return
    from kfp_jupyter.cells.data_flow import data_flow
    from kfp_jupyter.dsl.cell_pipeline import pipeline_of_cells

    made = pipeline_of_cells(data_flow(session.cells.ledger, session.shell.user_ns), session.pipeline_name)
    session.say_of_cells(made)
    session.displays.show(made.model)


def _logs(session: Any, options: argparse.Namespace) -> None:
    run = _found(session, options.run)
    if not options.follow:
        session.say(run.logs(options.task).rstrip("\n"))
        return
    tasks = [run.tasks[options.task].name] if options.task else list(run.tasks)
    cursors = dict.fromkeys(tasks, 0)
    names = run.task_names()
    while cursors:
        for task in list(cursors):
            lines, cursors[task], done = session.workbench.log_lines(run.id, task, cursors[task])
            for line in lines:
                session.say(line if options.task else f"[{names[task]}] {line}")
            if done:
                del cursors[task]
        time.sleep(_LOG_PACE if cursors else 0)


def _cancel(session: Any, options: argparse.Namespace) -> None:
    run = _found(session, options.run)
    if run.state.finished:
        session.say(f"Run {run.id} had ended already: {run.state.value}.")
        return
    run.cancel()
    session.say(f"Run {run.id} is asked to end.")


def _rerun(session: Any, options: argparse.Namespace) -> None:
    from kfp_jupyter.notebook.define import argument_values
    from kfp_jupyter.notebook.magics import show_started
    from kfp_jupyter.notebook.run_arguments import run_arguments
    from kfp_jupyter.repair.rerun import latest_run, rerun

    bench = session.workbench
    earlier = bench.get(options.run) if options.run else latest_run(bench)
    pipeline = renewed(session, earlier.pipeline)
    run = rerun(
        bench,
        earlier,
        pipeline,
        components=session.components,
        arguments=argument_values(pipeline, dict(_pair(text) for text in options.parameter)),
        target=options.target or None,
        labels=session.labels,
        tell=session.say,
        **run_arguments(read_run_choices(options)),
    )
    show_started(session, run, wait=options.wait)


def _resume(session: Any, options: argparse.Namespace) -> None:
    from kfp_jupyter.model.reuse import same_component
    from kfp_jupyter.notebook.magics import show_started

    bench = session.workbench
    run = bench.resume(options.run)
    begun = run.pipeline.components
    written = getattr(bench.pipelines.get(run.pipeline.name), "components", begun)
    now = {key: session.components.get(held.name, written.get(key, held)) for key, held in begun.items()}
    if not all(same_component(held, now[key]) for key, held in begun.items()):
        session.say("It goes on with the code that it was started with; `%kfp rerun` takes your changes.")
    show_started(session, run, wait=options.wait)


def _cache(session: Any, _options: argparse.Namespace) -> None:
    forget(session.say)


def _gc(session: Any, options: argparse.Namespace) -> None:
    gc(options, session.say)


def _debug(session: Any, options: argparse.Namespace) -> None:
    from kfp_jupyter.notebook.debugging import debug

    debug(session, options)


def _targets(session: Any, _options: argparse.Namespace) -> None:
    used = str(session.workbench.target)
    cells = [
        (place.id, place.label, "in use" if place.id == used else "") for place in session.workbench.targets()
    ]
    session.show_table(("Target", "Name", ""), cells, "There are no targets.")
    _say_problems(session)


def _say_problems(session: Any) -> None:
    for note in [*session.workbench.notes(), *session.problems]:
        session.say(note)


def _check(session: Any, _options: argparse.Namespace) -> None:
    session.findings.show_all()


def _use(session: Any, options: argparse.Namespace) -> None:
    session.say(f"Runs now go to {session.workbench.use(options.target)}.")
    session.changed()


def _help(session: Any, _options: argparse.Namespace) -> None:
    session.say(help_text())


def help_text() -> str:
    """Return a line for each subcommand: how it is used, and what it does."""
    (commands,) = (
        action for action in line_parser._actions if isinstance(action, argparse._SubParsersAction)
    )
    lines = []
    for parser in commands.choices.values():
        usage = " ".join(parser.format_usage().split()).removeprefix("usage: ")
        lines.append(f"{usage}\n    {parser.description}")
    run = "A RUN is the beginning of its id, a pipeline's name for its newest run, or `latest`"
    return "\n".join([*lines, "", f"{run}; a TASK is its name in the graph."])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise MagicUsageError(
            f"%kfp run: {text!r} is not NAME=VALUE.", remedy="Write, for example, `-p lr=0.2`."
        )
    return name, value


def _found(session: Any, text: str) -> Run:
    run: Run = session.workbench.get(text)
    return run


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _took(row: Any) -> str:
    if row.started_at is None:
        return ""
    return f"{(row.finished_at or time.time()) - row.started_at:.0f} s"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> dict[str, str]:
    """Return the MIME bundle of a table."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in [head, *rows]
    ]
    top = "".join(f'<th scope="col" style="text-align:left">{escape(text)}</th>' for text in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escape(text)}</td>' for text in row) + "</tr>"
        for row in rows
    )
    html = f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    return {"text/html": html, "text/plain": "\n".join(line.rstrip() for line in lines)}


_WHICH = "its name, or FILE.ipynb; the open notebook's by Kale's tags, or the only one, if left out"

_WHICH_RUN = "an id's beginning, a pipeline for its newest run, or latest"


def _line_parser() -> argparse.ArgumentParser:
    parser = MagicParser(prog="%kfp", add_help=False, allow_abbrev=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, carry_out: Any, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, add_help=False, allow_abbrev=False)
        made.set_defaults(carry_out=carry_out)
        return made

    run = command("run", _run, "start a run and show it")
    run.add_argument("pipeline", nargs="?", default="", metavar="PIPELINE", help=_WHICH)
    run.add_argument("--target", default="", help="where to run: local, or argo:CONTEXT")
    run.add_argument("--wait", action="store_true", help="wait until it has ended")
    add_run_choices(run)
    run.add_argument(
        "-p",
        "--parameter",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="arguments",
    )
    rerun = command("rerun", _rerun, "run again only what was changed or failed, and what follows from it")
    rerun.add_argument("run", nargs="?", default="", metavar="RUN", help="the latest run if left out")
    rerun.add_argument("--target", default="", help="where the earlier run was, if left out; or `local`")
    rerun.add_argument("--wait", action="store_true", help="wait until it has ended")
    add_run_choices(rerun)
    rerun.add_argument("-p", "--parameter", nargs="+", action="extend", default=[], metavar="NAME=VALUE")
    resume = command("resume", _resume, "go on with a run that failed or was interrupted")
    resume.add_argument("run", nargs="?", default=_LATEST, metavar="RUN", help="the latest if left out")
    resume.add_argument("--wait", action="store_true", help="wait until it has ended")
    cache = command("cache", _cache, "forget the results of earlier runs on this machine")
    cache.add_argument("action", choices=["clear"], metavar="clear", help="forget all of them")
    add_gc_choices(command("gc", _gc, "remove what runs on this machine left and nobody used for long"))
    debug = command("debug", _debug, "bring a failed step and its inputs into a new cell")
    debug.add_argument("run", nargs="?", default="", metavar="RUN", help="the latest that failed if left out")
    debug.add_argument("task", nargs="?", default="", metavar="TASK", help="the one that failed if left out")
    compile_ = command("compile", _compile, "write a pipeline to a file")
    compile_.add_argument("pipeline", nargs="?", default="", metavar="PIPELINE", help=_WHICH)
    compile_.add_argument("-o", "--output", default="", metavar="FILE", help="PIPELINE.yaml if left out")
    compile_.add_argument("--target", default="kfp", metavar="FORMAT", help="kfp (the default) or argo")
    command("check", _check, "list all that checks find wrong in the notebook's components")
    runs = command("runs", _runs, "list the newest runs")
    runs.add_argument("--pipeline", default="", metavar="NAME", help="only runs of this pipeline")
    runs.add_argument("--limit", type=count, default=20, metavar="COUNT", help="how many; 20 if left out")
    show = command("show", _show, "show a run, or a pipeline's graph")
    show.add_argument(
        "name", nargs="?", default=_LATEST, metavar="RUN|PIPELINE", help="the latest run if left out"
    )
    graph = command("graph", _graph, "draw what this notebook's component cells make, or a pipeline")
    graph.add_argument(
        "pipeline",
        nargs="?",
        default="",
        metavar="PIPELINE",
        help="its name, or FILE.ipynb; all component cells, or the steps of Kale's tags, if left out",
    )
    logs = command("logs", _logs, "print what tasks printed")
    logs.add_argument("run", nargs="?", default=_LATEST, metavar="RUN", help=_WHICH_RUN)
    logs.add_argument("task", nargs="?", metavar="TASK", help="one task; all if left out")
    logs.add_argument("--follow", action="store_true", help="go on until they have ended")
    cancel = command("cancel", _cancel, "end a run before its time")
    cancel.add_argument("run", metavar="RUN", help=_WHICH_RUN)
    command("targets", _targets, "list where pipelines can run")
    use = command("use", _use, "choose where runs go from now on")
    use.add_argument("target", metavar="TARGET", help="as `%%kfp targets` lists them")
    command("help", _help, "show this")
    return parser


line_parser = _line_parser()
"""The subcommands, also for completion and help."""
