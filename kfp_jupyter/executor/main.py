"""The command line of the executor, and the one call it is there for.

    executor.py --executor_input JSON|@FILE --function_to_execute NAME --component_module_path FILE

The flags are those of KFP's own executor. The source is run as the module `__main__`, as notebook cells are,
so what one step pickles another step and the notebook can load. Exit code 0: the ExecutorOutput is written.
"""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType
from typing import Any, Callable

from kfp_jupyter.executor.arguments import Arguments
from kfp_jupyter.executor.artifacts import Metrics, task_root
from kfp_jupyter.executor.failure import StepError, describe, show
from kfp_jupyter.executor.report import emit, emit_metric
from kfp_jupyter.executor.results import Results, write
from kfp_jupyter.executor.stubs import Stubs


def main() -> int:
    """Run one call as the command line says and return the exit code."""
    flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    file = os.path.abspath(flags.get("--component_module_path", ""))
    try:
        executor_input = load(flags.get("--executor_input", ""))
        output = run(file, flags.get("--function_to_execute", ""), executor_input)
        write(executor_input["outputs"]["outputFile"], json.dumps(output, allow_nan=False), durable=True)
    except BaseException as error:  # noqa: BLE001 (a step may end in any way)
        record = describe(error, file)
        if isinstance(error, SystemExit):
            record["message"] = f"the step called sys.exit({error.code!r}) instead of returning"
        try:
            show(error, file)
        finally:
            # The step may have closed what it is shown on. After it, as the end of a log is what is read.
            emit({"error": record})
        return 1
    return 0


def load(given: str) -> dict[str, Any]:
    """Return the decoded ExecutorInput, given as JSON or as `@` and a file's path.

    Raises:
        StepError: It is not JSON, or does not say where to write the ExecutorOutput.
    """
    if given.startswith("@"):
        with open(given[1:], encoding="utf-8") as file:
            given = file.read()
    try:
        executor_input: dict[str, Any] = json.loads(given)
        executor_input["outputs"]["outputFile"].strip()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StepError("BadExecutorInput", f"no ExecutorInput with an outputFile: {error!r}") from None
    return executor_input


def run(file: str, name: str, executor_input: dict[str, Any]) -> dict[str, Any]:
    """Run the source, call its function and return the ExecutorOutput.

    Raises:
        StepError: The function is not there, or does not fit the ExecutorInput.
        BaseException: Whatever the source or the function raises.
    """
    Metrics.on_step = staticmethod(emit_metric)
    task_root[0] = root_of(executor_input["outputs"])
    function = function_in(run_source(file), name)
    arguments = Arguments(function, executor_input)
    returned = function(**arguments.values)
    if hasattr(returned, "cr_await"):
        import asyncio

        returned = asyncio.run(returned)
    return Results(arguments, executor_input["outputs"]).executor_output(returned)


def run_source(file: str) -> ModuleType:
    """Run the source file as the module `__main__`, beside stubs for the authoring packages; return it."""
    with open(file, encoding="utf-8") as source:
        text = source.read()
    Stubs().install()
    module = ModuleType("__main__")
    module.__file__ = file
    # The executor's own module must outlive its name.
    sys.modules["_executor"] = sys.modules["__main__"]
    sys.modules["__main__"] = module
    exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
    return module


def function_in(module: ModuleType, name: str) -> Callable[..., Any]:
    """Return the function of that name.

    Raises:
        StepError: There is none.
    """
    found: Any = module.__dict__.get(name)
    if hasattr(found, "__code__") or hasattr(found, "__wrapped__"):
        return found  # type: ignore[no-any-return]
    codes = [getattr(held, "__code__", None) for held in vars(module).values()]
    others = [code.co_name for code in codes if code and code.co_filename == module.__file__]
    raise StepError("FunctionNotFound", f"the source has no function {name!r}, only {others}")


def root_of(outputs: dict[str, Any]) -> str:
    """Return the folder or URI that the task's output artifacts lie in."""
    for held in (outputs.get("artifacts") or {}).values():
        for artifact in held.get("artifacts") or []:
            place = artifact.get("customPath") or artifact.get("uri")
            if place:
                return str(place).rpartition("/")[0]
    return str(outputs["outputFile"]).rpartition("/")[0]


if __name__ == "__main__":
    sys.exit(main())
