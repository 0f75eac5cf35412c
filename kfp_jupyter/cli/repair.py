"""The subcommands for a run that failed: `debug`, `rerun` and `resume`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from kfp_jupyter.cli.commands import OK, Writing, followed, named_pipeline, run_options, say, watched


def debug(options: Namespace) -> int:
    """Write a program that runs a step of a run again, with its inputs."""
    from kfp_jupyter.repair.debug import failed_task, task_code
    from kfp_jupyter.repair.rerun import latest_run
    from kfp_jupyter.workbench import current

    bench = current()
    run = bench.get(options.run) if options.run else latest_run(bench, failed=True)
    path = run.tasks[options.task].name if options.task else failed_task(run)
    code = task_code(run, path, {}, say)
    file = options.output or Path(f"debug_{path.rpartition('/')[2].replace('-', '_')}.py")
    with Writing(file):
        file.write_text(code.text, encoding="utf-8")
    for note in code.notes:
        say(note)
    say(f"Wrote {file}; `python -m pdb {file}` steps through it.")
    return OK


def rerun(options: Namespace) -> int:
    """Run again only what was changed or failed since an earlier run, and what follows from it."""
    from kfp_jupyter.repair.rerun import latest_run
    from kfp_jupyter.repair.rerun import rerun as start
    from kfp_jupyter.workbench import current

    pipeline = named_pipeline(options)
    bench = current()
    earlier = bench.get(options.run) if options.run else latest_run(bench, pipeline=pipeline.name)
    return followed(options, start(bench, earlier, pipeline, **run_options(options, pipeline)))


def resume(options: Namespace) -> int:
    """Go on with a run that failed or was interrupted, from what had succeeded in it, with the code it had.

    What was changed in the file since is not looked at: `rerun` takes changes.
    """
    from kfp_jupyter.workbench import current

    resumed = current().resume(options.run)
    say(f"Run {resumed.id} goes on.")
    return OK if options.detach else watched(resumed)
