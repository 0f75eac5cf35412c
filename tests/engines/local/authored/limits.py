"""Pipelines in pipelines that are tried again, or may only take some time."""

from kfp_jupyter import dsl
from tests.engines.local.authored.flows import report, say, second_time, wait


@dsl.component
def counted(folder: str, name: str) -> str:
    import pathlib

    marks = pathlib.Path(folder, f"{name}.txt")
    marks.write_text((marks.read_text() if marks.exists() else "") + "x")
    raise ValueError(name)


@dsl.pipeline
def deepest(folder: str):
    second_time(folder=folder, name="deepest")
    with dsl.ParallelFor(["a", "b"]) as name:
        second_time(folder=folder, name=name)


@dsl.pipeline
def deep(folder: str):
    deepest(folder=folder)
    counted(folder=folder, name="own").set_retry(1)
    counted(folder=folder, name="never").set_retry(0)
    counted(folder=folder, name="inherited")


@dsl.pipeline
def inherited(folder: str):
    deep(folder=folder).set_retry(2, backoff_duration="0s")
    counted(folder=folder, name="beside")


@dsl.pipeline
def slow(folder: str):
    first = wait(folder=folder, me="first")
    say(text="later").after(first)
    with dsl.ParallelFor(["a", "b", "c"], parallelism=1) as name:
        counted(folder=folder, name=name).set_retry(100, backoff_duration="600s")


@dsl.pipeline
def limited(folder: str):
    with dsl.ExitHandler(report()):
        slow(folder=folder).set_timeout(5)
    say(text="beside")


@dsl.pipeline
def handled(folder: str):
    last = second_time(folder=folder, name="cleans")
    with dsl.ExitHandler(last):
        wait(folder=folder, me="handled")


@dsl.pipeline
def limited_handler(folder: str):
    handled(folder=folder).set_timeout(1).set_retry(1)


@dsl.pipeline
def in_time(folder: str):
    fast_enough = handled(folder=folder).set_timeout(600)
    say(text="after").after(fast_enough)
