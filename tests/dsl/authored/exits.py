"""Exit handlers, final states of tasks, and tasks that ignore what failed before."""

from typing import List

from kfp import dsl
from kfp.dsl import PipelineTaskFinalStatus


@dsl.component
def say(text: str = "a") -> str:
    return text


@dsl.component
def report(status: PipelineTaskFinalStatus, channel: str = "x"):
    pass


@dsl.component
def state(status: dict) -> str:
    return status["state"]


@dsl.component
def clean(text: str = "default", status: PipelineTaskFinalStatus = None):
    pass


@dsl.pipeline
def plain(text: str = "b"):
    last = say(text="bye")
    with dsl.ExitHandler(last):
        first = say(text=text)
        say(text=first.output)


@dsl.pipeline
def with_status(channel: str = "general"):
    last = report(channel=channel)
    with dsl.ExitHandler(last, name="Everything"):
        say()


@dsl.pipeline
def several(text: str = "b"):
    first_exit = report()
    with dsl.ExitHandler(first_exit, name="one"):
        say(text=text)
    second_exit = report(channel="two")
    with dsl.ExitHandler(second_exit):
        say()
    say()


@dsl.pipeline
def after_a_handler():
    last = say(text="bye")
    with dsl.ExitHandler(last) as handler:
        say()
    say(text="then").after(handler)


@dsl.pipeline
def groups_in_a_handler(names: List[str], text: str = "b"):
    last = report()
    before = say()
    with dsl.ExitHandler(last):
        with dsl.ParallelFor(names) as name:
            say(text=name)
            say(text=before.output)
        with dsl.If(text == "b"):
            say(text=text)


@dsl.pipeline
def notify(status: PipelineTaskFinalStatus, channel: str = "x"):
    with dsl.If(state(status=status).output == "FAILED"):
        say(text=channel)


@dsl.pipeline
def a_pipeline_at_the_end(channel: str = "general"):
    last = notify(channel=channel)
    with dsl.ExitHandler(last):
        say()


@dsl.pipeline
def failures_ignored(text: str = "b"):
    first = say(text=text)
    clean(text=first.output).ignore_upstream_failure()
    clean(text="given").after(say()).ignore_upstream_failure()
    with dsl.If(text == "b"):
        inner = say()
        clean(text=inner.output).ignore_upstream_failure()


@dsl.component
def tidy(text: str = "default"):
    pass


@dsl.pipeline
def several_ignored(text: str = "b"):
    first, second = say(text=text), say()
    tidy(text=first.output).after(second).ignore_upstream_failure()
    tidy(text="given").ignore_upstream_failure()


PIPELINES = [
    plain,
    with_status,
    several,
    after_a_handler,
    groups_in_a_handler,
    a_pipeline_at_the_end,
    failures_ignored,
    several_ignored,
]
