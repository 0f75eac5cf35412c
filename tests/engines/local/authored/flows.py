"""Components and pipelines over all kinds of groups whose steps can be run, written as people write them."""

from typing import Dict, List, NamedTuple, Optional

from kfp_jupyter import dsl, kubernetes
from kfp_jupyter.dsl import Dataset, Input, Output, PipelineTaskFinalStatus


@dsl.component
def say(text: str = "", n: int = 0) -> str:
    return f"{text}{n or ''}"


@dsl.component
def add(a: int, b: int = 1) -> int:
    return a + b


@dsl.component
def total(numbers: List[int]) -> int:
    return sum(numbers)


@dsl.component
def flat(table: list) -> List[int]:
    return [number for row in table for number in row]


@dsl.component
def upto(n: int) -> List[int]:
    return list(range(n))


@dsl.component
def rows() -> List[Dict[str, int]]:
    return [{"a": 1, "b": 10}, {"a": 2, "b": 20}]


@dsl.component
def flip(side: str = "heads") -> str:
    return side


@dsl.component
def fail(text: str = "no") -> str:
    raise ValueError(text)


@dsl.component
def write(text: str, data: Output[Dataset]) -> int:
    with open(data.path, "w") as file:
        file.write(text)
    data.metadata["text"] = text
    return len(text)


@dsl.component
def read(data: Input[Dataset]) -> str:
    with open(data.path) as file:
        return file.read()


@dsl.component
def join(parts: Input[List[Dataset]]) -> str:
    return "+".join(open(part.path).read() for part in parts)


@dsl.component
def report(status: PipelineTaskFinalStatus, where: str = "x") -> str:
    return f"{status.state} {status.pipeline_task_name} {status.error_message}"


@dsl.component
def state(status: dict) -> str:
    return status["state"]


@dsl.component
def optional(a: Optional[int] = None, data: Optional[Input[Dataset]] = None) -> str:
    return f"{a} {data and data.metadata}"


# --- Pipelines in pipelines
# --------------------------------------------------------------------------------------------------------


class Written(NamedTuple):
    data: Dataset
    length: int


@dsl.pipeline
def writing(text: str = "default") -> Written:
    wrote = write(text=text)
    return Written(wrote.outputs["data"], wrote.outputs["Output"])


@dsl.pipeline
def counted(text: str, n: int = 2) -> int:
    written = writing(text=text)
    return add(a=written.outputs["length"], b=n).output


@dsl.pipeline
def nested(text: str = "abc") -> int:
    first = counted(text=text)
    written = writing()
    read(data=written.outputs["data"])
    second = counted(text="12345", n=first.output)
    say(text="after").after(second)
    return second.output


@dsl.pipeline
def maybe(a: Optional[int] = None, data: Optional[Input[Dataset]] = None) -> str:
    return optional(a=a, data=data).output


@dsl.pipeline
def left_out():
    maybe()
    maybe(a=3, data=writing(text="x").outputs["data"])


# --- Conditions
# --------------------------------------------------------------------------------------------------------


@dsl.pipeline
def branches(side: str = "heads", n: int = 3) -> str:
    coin = flip(side=side)
    with dsl.If(coin.output == "heads"):
        chosen = say(text="H")
        with dsl.If(n > 2):
            say(text="more")
    with dsl.Elif(coin.output == "tails"):
        other = say(text="T")
    with dsl.Else():
        neither = say(text="E")
    word = dsl.OneOf(chosen.output, other.output, neither.output)
    say(text=word)
    return word


@dsl.pipeline
def skipped(n: int = 1):
    with dsl.If(n == 5, name="only five"):
        inside = say(text="five")
        say(text=inside.output)
        writing(text="never")
    say(text="anyway")


# --- Loops
# --------------------------------------------------------------------------------------------------------


@dsl.pipeline
def loops(limit: int = 4) -> List[int]:
    with dsl.ParallelFor([1, 2, 3]) as n:
        doubled = add(a=n, b=n)
    total(numbers=dsl.Collected(doubled.output))
    with dsl.ParallelFor(upto(n=limit).output, parallelism=2) as n:
        more = add(a=n)
        with dsl.If(n > 1):
            big = say(text="big", n=more.output)
            say(text=big.output)
    with dsl.ParallelFor(rows().output) as row:
        add(a=row.a, b=row.b)
    return dsl.Collected(more.output)


@dsl.pipeline
def loops_in_loops(names: List[str] = ["x", "y"]) -> str:
    with dsl.ParallelFor(names) as name:
        with dsl.ParallelFor([1, 2]) as n:
            say(text=name, n=n)
            number = add(a=n)
        total(numbers=dsl.Collected(number.output))
        made = write(text=name)
    flat(table=dsl.Collected(number.output))
    return join(parts=dsl.Collected(made.outputs["data"])).output


@dsl.pipeline
def parts_of_items(table: list = [{"inner": [1, 2]}, {"inner": []}]) -> List[int]:
    with dsl.ParallelFor(table) as row:
        with dsl.ParallelFor(row.inner) as item:
            add(a=item)
        numbers = total(numbers=row.inner)
    return dsl.Collected(numbers.output)


@dsl.pipeline
def write_all(names: List[str]) -> List[Dataset]:
    with dsl.ParallelFor(names) as name:
        wrote = write(text=name)
    return dsl.Collected(wrote.outputs["data"])


@dsl.pipeline
def over_artifacts(names: List[str] = ["p", "q"]) -> str:
    several = write_all(names=names)
    with dsl.ParallelFor(several.output, parallelism=1) as data:
        read(data=data)
    return join(parts=several.output).output


# --- Exits
# --------------------------------------------------------------------------------------------------------


@dsl.pipeline
def handled(text: str = ""):
    last = report(where="here")
    with dsl.ExitHandler(last):
        with dsl.If(text != ""):
            failing = fail(text=text)
            say(text=failing.output)
        say(text="beside")


@dsl.pipeline
def at_the_end(status: PipelineTaskFinalStatus):
    ended = state(status=status)
    with dsl.If(ended.output == "FAILED"):
        say(text=ended.output)


@dsl.pipeline
def pipeline_at_the_end():
    last = at_the_end()
    with dsl.ExitHandler(last):
        fail(text="bad")


@dsl.pipeline
def failure_ignored():
    failing = fail(text="bad")
    say(text=failing.output, n=0).ignore_upstream_failure()
    report().after(failing).ignore_upstream_failure()
    say(text=failing.output)


@dsl.pipeline
def failures_inside(names: List[str] = ["a", "b"]):
    with dsl.ParallelFor(names) as name:
        with dsl.If(name == "b"):
            failing = fail(text=name)
            say(text=failing.output)
        said = say(text=name)
    say(text="beside")
    say(text="end").after(said)


# --- Texts
# --------------------------------------------------------------------------------------------------------


@dsl.component
def show(items: list, table: dict, text: str) -> str:
    import json

    return json.dumps([items, table, text])


@dsl.component
def variable(name: str) -> str:
    import os

    return os.environ[name]


@dsl.pipeline
def texts(name: str = "a", n: int = 1) -> str:
    made = add(a=n)
    variable(name="GREETING").set_env_variable("GREETING", f"Hi {dsl.PIPELINE_TASK_NAME_PLACEHOLDER}")
    return show(
        items=[name, made.output, [n]], table={"k": f"{name}!", "n": n}, text=f"{name}-{n}-{made.output}"
    ).output


@dsl.pipeline
def placeholders():
    show(
        items=[dsl.PIPELINE_JOB_NAME_PLACEHOLDER, dsl.PIPELINE_JOB_ID_PLACEHOLDER],
        table={"task": dsl.PIPELINE_TASK_NAME_PLACEHOLDER, "root": dsl.PIPELINE_ROOT_PLACEHOLDER},
        text=dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
    )
    say(text=dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER)


# --- What takes time
# --------------------------------------------------------------------------------------------------------


@dsl.component
def wait(folder: str, me: str = "waits") -> str:
    import pathlib
    import time

    pathlib.Path(folder, me).touch()
    deadline = time.monotonic() + 600
    while not pathlib.Path(folder, "go").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return me


@dsl.component
def second_time(folder: str, name: str) -> str:
    import pathlib

    mark = pathlib.Path(folder, f"seen-{name}")
    if not mark.exists():
        mark.touch()
        raise ValueError(f"the first time of {name}")
    return name


@dsl.pipeline
def cleaned_up(folder: str):
    last = wait(folder=folder, me="cleans")
    with dsl.ExitHandler(last):
        with dsl.ParallelFor(["a", "b"], parallelism=1) as name:
            waited = wait(folder=folder, me=name)
            say(text=waited.output)
    say(text="then")


@dsl.pipeline
def tried_again(folder: str) -> List[str]:
    with dsl.ParallelFor(["a", "b"]) as name:
        tried = second_time(folder=folder, name=name).set_retry(1)
        with dsl.If(name == "b"):
            kubernetes.set_timeout(wait(folder=folder, me=name), 1)
    return dsl.Collected(tried.output)


@dsl.pipeline(pipeline_config=dsl.PipelineConfig(active_deadline_seconds=1))
def too_long(folder: str):
    with dsl.If(folder != ""):
        wait(folder=folder)
