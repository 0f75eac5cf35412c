from __future__ import annotations

import importlib.util
import zipfile

import pytest

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local.requirements import missing
from kfp_jupyter.model.run import State
from tests.engines.local.bench import component, pipeline, single, task

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
    (made,) = (tmp_path / "data" / "environments").glob("*/ready")
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
