"""Mistakes that users make, and what each is to be answered with: the tables of `test_bad_input`."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.cluster import TestCluster

LOAD = "def load(rows: int, share: float = 0.2) -> int:\n    return rows\n"
TRAIN = "def train(data: int, rate: float = 0.1) -> float:\n    return data * rate\n"
CALLS = "rounds = load(rows=rows)\ntrain(data=rounds.output)\n"

PROGRAM = f"from kfp_jupyter import component, pipeline\n\n@component\n{LOAD}\n@component\n{TRAIN}\n"


@dataclass(frozen=True)
class Mistake:
    """A mistake in the code of a component or pipeline.

    Attributes:
        error: The class of the error.
        line: The line of the code, from 1, that is to be named.
        what: What the message says.
        remedy: What it says to do.
        task: The task that is to be named; empty for none.
        calls: The body of a pipeline.
        function: The function of a component.
    """

    error: str
    line: int
    what: str
    remedy: str
    task: str = ""
    calls: str = ""
    function: str = ""

    @property
    def cell(self) -> str:
        """The code as a cell, whose first line is the magic."""
        return f"%%component\n{self.function}" if self.function else f"%%pipeline wrong\n{self.calls}"

    @property
    def program(self) -> str:
        """The code as a program."""
        if self.function:
            return f"from kfp_jupyter import component\n\n@component\n{self.function}"
        return f"{PROGRAM}@pipeline\ndef wrong():\n{textwrap.indent(self.calls, '    ')}"

    @property
    def program_line(self) -> int:
        """The line of the program that is to be named."""
        code = self.function or textwrap.indent(self.calls, "    ")
        return self.program[: -len(code)].count("\n") + self.line


MISTAKES = {
    "an undefined task output": Mistake(
        calls='first = load(rows=3)\ntrain(data=first.outputs["nope"])\n',
        error="OutputError",
        line=2,
        task="load",
        what="Task 'load' has no output 'nope'.",
        remedy="The outputs are: Output.",
    ),
    "an output taken for an attribute": Mistake(
        calls="first = load(rows=3)\ntrain(data=first.result)\n",
        error="TaskAttributeError",
        line=2,
        task="load",
        what="Task 'load' has no attribute 'result'.",
        remedy="Its output is `.output`.",
    ),
    "a wrong argument name": Mistake(
        calls="load(rows=3)\nload(rosw=3)\n",
        error="ArgumentError",
        line=2,
        task="load-2",
        what="Component 'load' has no argument 'rosw'.",
        remedy="Did you mean 'rows'? The arguments are: rows, share.",
    ),
    "a wrong argument type": Mistake(
        calls="\nload(rows='3')\n",
        error="ArgumentError",
        line=2,
        task="load",
        what="The argument 'rows' got '3' of type str, not int.",
        remedy="Give a value of type int.",
    ),
    "an output of another type": Mistake(
        calls="first = train(data=1)\ntrain(data=first.output)\n",
        error="ArgumentError",
        line=2,
        task="train-2",
        what="'data' of task 'train-2' is of type int, but output 'Output' of task 'train' is of type float.",
        remedy="Connect an output of that type, or change one of the two type hints.",
    ),
    "a missing argument": Mistake(
        calls="load()\n",
        error="ArgumentError",
        line=1,
        task="load",
        what="Component 'load' lacks its argument 'rows'.",
        remedy="Give `rows=…` (int).",
    ),
    "a cycle through after": Mistake(
        calls="first = load(rows=1)\nsecond = load(rows=2)\nfirst.after(second)\nsecond.after(first)\n",
        error="CircleError",
        line=4,
        task="load-2",
        what="The tasks wait for each other in a circle: load → load-2 → load.",
        remedy="Take this `.after` away",
    ),
    "a cycle through after and data": Mistake(
        calls="first = load(rows=1)\nsecond = train(data=first.output)\nfirst.after(second)\n",
        error="CircleError",
        line=3,
        task="load",
        what="The tasks wait for each other in a circle: load → train → load.",
        remedy="Take this `.after` away",
    ),
    "a component without type hints": Mistake(
        function="def step(rows):\n    return rows\n",
        error="MissingHintError",
        line=1,
        what="The argument 'rows' of component 'step' has no type hint.",
        remedy="Write its type, as in `rows: int`",
    ),
    "a component without a type hint for what it returns": Mistake(
        function="\ndef step(rows: int):\n    return rows\n",
        error="MissingHintError",
        line=2,
        what="The function 'step' returns a value, but has no return type hint.",
        remedy="Write the type, as in `def step(…) -> int:`.",
    ),
    "a default of another type": Mistake(
        function="def step(\n    rows: int,\n    share: float = 'a',\n):\n    pass\n",
        error="DefaultError",
        line=3,
        what="The default of argument 'share' of component 'step' is not of its type: got 'a' of type str",
        remedy="Write a default of type float, or change the hint.",
    ),
    "a component with a syntax error": Mistake(
        function="def step(rows: int) -> int:\n    much = (rows +\n    return much\n",
        error="ComponentSyntaxError",
        line=2,
        what="'(' was never closed",
        remedy="Correct this line and run the cell again.",
    ),
}


@contextmanager
def without_current_context(cluster: TestCluster) -> Iterator[None]:
    cluster.write_kubeconfig(current=False)
    try:
        yield
    finally:
        cluster.write_kubeconfig()


@contextmanager
def unreachable(cluster: TestCluster) -> Iterator[None]:
    cluster.go_down()
    try:
        yield
    finally:
        cluster.come_back()


@contextmanager
def faulty(cluster: TestCluster, name: str, value: Any) -> Iterator[None]:
    before = getattr(cluster.faults, name)
    setattr(cluster.faults, name, value)
    try:
        yield
    finally:
        setattr(cluster.faults, name, before)


@contextmanager
def all_well(_cluster: TestCluster) -> Iterator[None]:
    yield


@dataclass(frozen=True)
class Refusal:
    """A run that cannot be started.

    Attributes:
        error: The class of the error.
        where: The place, besides the cell.
        what: A regular expression for what the message says.
        remedy: What it says to do.
        arguments: The arguments of the run.
        target: Where it is to run.
        trouble: What is broken meanwhile.
    """

    error: str
    where: str
    what: str
    remedy: str
    arguments: dict[str, str] = field(default_factory=lambda: {"rows": "3"})
    target: str = "local"
    trouble: Callable[[TestCluster], Any] = all_well


NAMED = f"argo:{TestCluster.context}"
ON_CLUSTER = f"pipeline good, target {NAMED}"

REFUSALS = {
    "a missing argument of the run": Refusal(
        arguments={},
        error="ArgumentError",
        where="pipeline good",
        what="The parameter 'rows' has no value.",
        remedy="Give `rows=…` (int).",
    ),
    "a wrong argument name of the run": Refusal(
        arguments={"rosw": "3"},
        error="ArgumentError",
        where="pipeline good",
        what="The pipeline has no parameter 'rosw'.",
        remedy="Did you mean 'rows'? The parameters are: rows.",
    ),
    "a wrong argument type of the run": Refusal(
        arguments={"rows": "abc"},
        error="ArgumentError",
        where="pipeline good",
        what="The parameter 'rows' (cannot be 'abc'|got 'abc' of type str, not int).",
        remedy="Give a value of type int.",
    ),
    "an unknown context": Refusal(
        target="argo:test-clutser",
        error="TargetError",
        where="",
        what="'argo:test-clutser' is no target: the kubeconfig has no context 'test-clutser'.",
        remedy=f"Did you mean '{NAMED}'? The targets are: local, {NAMED}.",
    ),
    "a kubeconfig without a current context": Refusal(
        target="argo",
        trouble=without_current_context,
        error="NoCurrentContextError",
        where="pipeline good, target argo",
        what="The kubeconfig has no current context.",
        remedy=f"Name one, as in `--target {NAMED}`.",
    ),
    "an unreachable cluster": Refusal(
        target="argo",
        trouble=unreachable,
        error="UnreachableError",
        where=ON_CLUSTER,
        what=r"The cluster at http://127\.0\.0\.1:\d+ does not answer: connection refused.",
        remedy="`kubectl get --raw /version` must answer.",
    ),
    "a login that does not hold": Refusal(
        target=NAMED,
        trouble=partial(faulty, name="expired_token", value=True),
        error="NotLoggedInError",
        where=ON_CLUSTER,
        what="does not know you: the login of context test-cluster is missing, expired or failed.",
        remedy="Log in again the way you do for kubectl",
    ),
    "a user without the right": Refusal(
        target=NAMED,
        trouble=partial(faulty, name="forbidden", value={("create", "workflows")}),
        error="ForbiddenError",
        where=ON_CLUSTER,
        what=r"test-user may not create workflows.argoproj.io in namespace 'team-a'.",
        remedy="Ask for a Role in 'team-a' that allows it",
    ),
    "a cluster without Argo": Refusal(
        target=NAMED,
        trouble=partial(faulty, name="no_argo", value=True),
        error="ArgoMissingError",
        where=ON_CLUSTER,
        what="has no Argo Workflows",
        remedy="Install it: https://argo-workflows.readthedocs.io/",
    ),
    "a workflow refused by the API server": Refusal(
        target=NAMED,
        trouble=partial(faulty, name="refusal", value="spec.templates: too many"),
        error="RefusedError",
        where=ON_CLUSTER,
        what="The API server refused the workflow: spec.templates: too many",
        remedy="Nothing was started. Compile the pipeline with `--target argo` to see what was sent.",
    ),
    "an API server that is overloaded": Refusal(
        target=NAMED,
        trouble=partial(faulty, name="unavailable", value=True),
        error="RequestError",
        where=ON_CLUSTER,
        what="The API server answered 503 ServiceUnavailable",
        remedy="Try again in a minute.",
    ),
}
