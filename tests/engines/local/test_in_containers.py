"""Steps in Python in containers of their images."""

from __future__ import annotations

from pathlib import Path

from kfp_jupyter.engines.base import LocalOptions
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.model.run import State
from kfp_jupyter.model.settings import TaskSettings
from tests.engines.local.bench import component, pipeline, task
from tests.engines.local.container_bench import Config


def test_steps_in_python_run_in_their_images_if_they_are_to(machine, monkeypatch):
    machine.install()
    monkeypatch.setenv("ONLY_HERE", "1")
    step = component(
        """
        def step(n: int, data: Output[Dataset]) -> str:
            open(data.path, "w").write("x" * n)
            print("here", os.environ.get("ONLY_HERE"), os.environ.get("KFP_JUPYTER_RUN"))
            return os.getcwd()
        """,
        inputs={"n": "int"},
        outputs={"data": "Dataset", "Output": "str"},
    )
    flow = pipeline({"step": step}, task("step", n=3))
    started = machine.start_local(flow, LocalOptions(in_containers=True))
    state = started.wait()
    assert state.tasks["step"].outputs == {"Output": str(machine.home / "inside")}
    assert Path(state.tasks["step"].artifacts["data"][0].path).read_text() == "xxx"
    assert started.log() == ["here None None"]
    (call,) = machine.calls("run")
    assert call[call.index("--entrypoint") + 1 :][:3] == ["python3", "python:3.11", "-u"]
    # The image's Python reads text: what is compiled is for this one.
    assert call[call.index("-u") + 1].endswith(".py")


def test_an_error_in_such_a_step_is_told_in_the_users_terms(machine):
    machine.install()
    step = component("def step():\n    raise ValueError('no data')\n")
    state = machine.start_local(
        pipeline({"step": step}, task("step")), LocalOptions(in_containers=True)
    ).wait()
    error = state.tasks["step"].error
    assert (error.type, error.message, error.file, error.line) == ("ValueError", "no data", "Cell In[2]", 3)


def test_packages_that_cannot_be_installed_in_an_image_are_named(machine):
    machine.install()
    step = component("def step():\n    pass\n", packages=("kfp-jupyter-no-such-package",))
    assert isinstance(step.implementation, PythonStep)
    flow = pipeline(
        {"step": step}, task("step", settings=TaskSettings(caching=False, env=(("PIP_NO_INDEX", "1"),)))
    )
    state = machine.start_local(flow, LocalOptions(in_containers=True)).wait()
    error = state.tasks["step"].error
    assert error.type == "PackagesNotInstalled"
    assert error.message.startswith(
        "kfp-jupyter-no-such-package could not be installed in the image python:3.11: "
    )


def test_the_task_s_own_image_is_the_one_that_is_used(machine):
    machine.install(Config(images=["own:1"]))
    settings = TaskSettings(caching=False, image="own:1")
    flow = pipeline({"step": component("def step():\n    pass\n")}, task("step", settings=settings))
    state = machine.start_local(flow, LocalOptions(in_containers=True)).wait()
    assert state.state is State.SUCCEEDED
    assert "own:1" in machine.calls("run")[0]
