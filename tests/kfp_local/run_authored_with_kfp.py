"""Runs the pipelines of `tests/dsl/authored`, as they are written, with the KFP SDK of its own environment.

    python run_authored_with_kfp.py AUTHORED BODIES [--processes] < asked > told

Asked is a JSON object a line: the `file`, the `pipeline`, its `arguments`, the folder for artifacts (`root`).
Told is one a line: the `tasks` that ran, each with its name and outputs (an artifact as its type, metadata
and the text of its file), the `outputs` of the pipeline, or why it `failed`.

KFP compiles, resolves, orders and executes; what is not KFP's is that its executor is called in this process
instead of in a new one for each step, which takes a hundredth of the time (`--processes` starts them), and
that its logs are not printed (KFP indents them deeper with each parallel iteration, to megabytes a line).
It and its neighbour are programs by themselves, so that an environment with only KFP can run them.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import logging
import os
import sys
import tempfile
import threading
import traceback
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from run_with_kfp import told

# Iterations of a loop run in threads, and a call of the executor changes what all of a process see.
_ONE_AT_A_TIME = threading.Lock()


def main() -> None:
    """Answer until there is no more to answer."""
    answers = os.fdopen(os.dup(1), "w")
    # What the steps print is no answer.
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    from kfp import local

    authored, bodies = Path(sys.argv[1]), Path(sys.argv[2])
    ran = _prepared(bodies, processes="--processes" in sys.argv)
    modules: dict[str, ModuleType] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=asked["root"])
        ran.clear()
        answer: dict[str, Any] = {"tasks": ran}
        try:
            if asked["file"] not in modules:
                modules[asked["file"]] = _loaded(authored / f"{asked['file']}.py")
            every = modules[asked["file"]].PIPELINES
            (pipeline,) = [held for held in every if getattr(held, "name", "") == asked["pipeline"]]
            task = pipeline(**asked["arguments"])
            answer["outputs"] = {name: told(value) for name, value in task.outputs.items()}
        except Exception as error:  # noqa: BLE001 - whatever the SDK fails with is the answer
            answer["failed"] = f"{type(error).__name__}: {error}"
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _prepared(bodies: Path, *, processes: bool) -> list[Any]:
    """Make KFP run the bodies, quietly, and note what ran; return the list for that."""
    import kfp
    from kfp import dsl
    from kfp.local import logging_utils, subprocess_task_handler
    from kfp.local.orchestrator import task_executor

    ran: list[Any] = []
    functions: dict[str, Any] = {}
    own, execute = dsl.component, task_executor.execute_single_task

    def only_noted(func: Any) -> Any:
        functions[func.__name__] = func
        return SimpleNamespace(name=func.__name__)

    def component(func: Any = None, **options: Any) -> Any:
        if func is None:
            return functools.partial(component, **options)
        options |= {"install_kfp_package": False, "packages_to_install": None}
        return own(functions.get(func.__name__, func), **options)

    def noted(**given: Any) -> Any:
        outputs, status = execute(**given)
        ran.append([given["task_name"], {name: told(value) for name, value in outputs.items()}])
        return outputs, status

    dsl.component = only_noted
    sys.modules |= {"kfp_jupyter": kfp, "kfp_jupyter.dsl": dsl}
    _loaded(bodies)
    dsl.component = component
    task_executor.execute_single_task = noted
    logging.disable()
    logging_utils.indented_print = contextlib.nullcontext
    logging_utils.print_horizontal_line = lambda: None
    if not processes:
        subprocess_task_handler.run_local_subprocess = _in_this_process
    return ran


def _in_this_process(full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
    """Do what the command of a lightweight component does, and return its exit code."""
    from kfp.dsl import executor_main

    source, *rest = full_command[full_command.index("--executor_input") - 1 :]
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ephemeral_component.py")
        file.write_text(source, encoding="utf-8")
        variables, arguments = dict(os.environ), sys.argv
        os.environ.update(env_vars or {})
        sys.argv = ["executor_main", "--component_module_path", str(file), *rest]
        try:
            executor_main.executor_main()
        except Exception:  # noqa: BLE001 - as a process would, it prints it and fails
            traceback.print_exc()
            return 1
        finally:
            sys.argv = arguments
            os.environ.clear()
            os.environ.update(variables)
    return 0


def _loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"authored_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
