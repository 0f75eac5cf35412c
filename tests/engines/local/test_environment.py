from __future__ import annotations

import importlib.util
import os
import signal
import sys
import zipfile

import pytest

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local.requirements import missing
from kfp_jupyter.model.run import State
from tests.engines.local.bench import component, eventually, pipeline, single, task

needs_pip = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="needs pip")


@pytest.fixture
def wheel(tmp_path):
    """A wheel of a package that nobody has."""
    path = tmp_path / "kfp_jupyter_probe-1.0-py3-none-any.whl"
    info = "kfp_jupyter_probe-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("kfp_jupyter_probe.py", "answer = 42\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: kfp-jupyter-probe\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    return path


def test_what_is_installed_satisfies_a_requirement():
    assert missing(["pytest", "pytest>=8", "PyTest>=8,<100", "pytest; python_version>'3'"]) == []
    assert missing(["pytest>=900", "no-such-package-anywhere", "./here.whl", "pytest @ file:///x.whl"]) == [
        "pytest>=900",
        "no-such-package-anywhere",
        "./here.whl",
        "pytest @ file:///x.whl",
    ]
    assert missing(["no-such-package-anywhere; python_version<'3'"]) == []


def test_a_requirements_extras_count(tmp_path, monkeypatch):
    info = tmp_path / "extras_probe-1.0.dist-info"
    info.mkdir()
    needs = "Requires-Dist: pytest; extra == 'here'\nRequires-Dist: no-such-package; extra == 'not-here'\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: extras-probe\nVersion: 1.0\n{needs}")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert missing(["extras-probe", "extras-probe[here]"]) == []
    assert missing(["extras-probe[not-here]"]) == ["extras-probe[not-here]"]


@needs_pip
def test_missing_packages_are_installed_once_beside_what_is_there(bench, wheel, tmp_path):
    body = """
    def step() -> int:
        import pytest, kfp_jupyter_probe
        return kfp_jupyter_probe.answer
    """
    one = component(body, outputs={"Output": "int"}, packages=(f"kfp-jupyter-probe @ file://{wheel}",))
    # Two tasks that want it at the same time, and a run that comes later.
    flow = pipeline({"step": one}, task("a", "step"), task("b", "step"))
    run = bench.run(flow)
    state = run.state
    told = [event.message for event in run.events if getattr(event, "reason", "") == "Installing"]
    assert told[0] == f"Installing kfp-jupyter-probe @ file://{wheel}."
    assert [held.outputs for held in state.tasks.values()] == [{"Output": 42}] * 2
    (made,) = (tmp_path / "data" / "environments").rglob("kfp_jupyter_probe.py")
    before = made.stat().st_mtime_ns
    assert bench.run(flow).state.state is State.SUCCEEDED
    assert made.stat().st_mtime_ns == before


@needs_pip
def test_a_package_that_cannot_be_had_fails_the_task_clearly(bench, tmp_path):
    (tmp_path / "index").mkdir()
    run = bench.run(single("def step(): pass\n", packages=(f"probe @ file://{tmp_path}/none.whl",)))
    failed = run.state.tasks["step"]
    assert (failed.state, failed.reason) == (State.FAILED, "PackagesNotInstalled")
    assert "none.whl could not be installed: ERROR" in failed.error.message
    assert any("none.whl" in line for line in run.log())


def test_without_an_installer_the_run_does_not_start(bench, monkeypatch, tmp_path):
    monkeypatch.setattr("kfp_jupyter.engines.local.preflight.installer", lambda python: [])
    with pytest.raises(EngineError, match=r"component step: It needs no-such-package, .* neither pip nor uv"):
        bench.start(single("def step(): pass\n", packages=("pytest", "no-such-package")))
    assert not (tmp_path / "data").exists()


@needs_pip
def test_an_index_that_cannot_be_reached_is_told_apart(bench, monkeypatch):
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    failed = bench.run(single("def step(): pass\n", packages=("kfp-jupyter-probe>=3",))).state.tasks["step"]
    assert failed.reason == "PackagesNotInstalled"
    assert failed.error.message.startswith(
        "kfp-jupyter-probe>=3 could not be installed: no package index could be reached."
    )


@needs_pip
def test_a_requirement_that_cannot_be_met_is_named(bench, monkeypatch, wheel):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    failed = bench.run(single("def step(): pass\n", packages=("kfp-jupyter-probe>=3",))).state.tasks["step"]
    assert "Could not find a version that satisfies the requirement" in failed.error.message
    assert "from versions: 1.0" in failed.error.message


def test_uv_is_preferred_where_there_is_one(bench, monkeypatch, tmp_path, wheel):
    tools = tmp_path / "tools"
    tools.mkdir()
    uv = tools / "uv"
    uv.write_text(
        f'#!/bin/sh\necho "uv was asked: $*"\ntest "$1 $2 $3" = "pip install --python" || exit 3\n'
        f'shift 3; python=$1; shift\nexec {sys.executable} -m pip --python "$python" install "$@"\n'
    )
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    body = "def step() -> int:\n    import kfp_jupyter_probe\n    return kfp_jupyter_probe.answer\n"
    packages = (f"kfp-jupyter-probe @ file://{wheel}",)
    run = bench.run(single(body, outputs={"Output": "int"}, packages=packages))
    assert run.state.tasks["step"].outputs == {"Output": 42}
    assert run.log()[0].startswith("uv was asked: pip install --python ")


@needs_pip
def test_runs_that_need_the_same_packages_at_once_install_them_once(bench, wheel, tmp_path):
    body = "def step() -> int:\n    import kfp_jupyter_probe\n    return kfp_jupyter_probe.answer\n"
    flow = single(body, outputs={"Output": "int"}, packages=(f"kfp-jupyter-probe @ file://{wheel}",))
    runs = [bench.start(flow) for _ in range(3)]
    assert [run.wait().tasks["step"].outputs for run in runs] == [{"Output": 42}] * 3
    installed = [line for run in runs for line in run.log() if "Successfully installed" in line]
    assert len(installed) == 1


@needs_pip
def test_an_installation_that_was_killed_with_its_server_is_made_again(bench, monkeypatch, tmp_path, wheel):
    tools, ran = tmp_path / "tools", tmp_path / "ran"
    tools.mkdir()
    # Says which process started it, and waits until it may go on.
    (tools / "uv").write_text(
        f"#!/bin/sh\nshift 3; python=$1; shift\necho $PPID >> {ran}\n"
        f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done\n"
        f'exec {sys.executable} -m pip --python "$python" install "$@"\n'
    )
    (tools / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    body = "def step() -> int:\n    import kfp_jupyter_probe\n    return kfp_jupyter_probe.answer\n"
    packages = (f"kfp-jupyter-probe @ file://{wheel}",)
    run = bench.start(single(body, outputs={"Output": "int"}, packages=packages))
    assert eventually(lambda: ran.exists() and len(ran.read_text().split()) == 1)
    os.kill(int(ran.read_text()), signal.SIGKILL)
    assert eventually(lambda: len(ran.read_text().split()) == 2), run.log()
    (tmp_path / "go").touch()
    held = run.wait().tasks["step"]
    assert (held.state, held.attempt, held.outputs) == (State.SUCCEEDED, 1, {"Output": 42})
    assert "— what prepares this step was killed; it is prepared again —" in run.log()
