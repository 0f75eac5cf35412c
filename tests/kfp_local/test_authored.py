"""Every pipeline of `tests/dsl/authored` that KFP's own runner can run gives what it gives there, each task.

KFP compiles and runs the files as they are written (`run_authored_with_kfp.py`), we run what we make of them.
What each task put out is compared, how often each ran, and what the pipeline gave out.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rivals import existing_kfp
from kfp_jupyter.model.check import bind_arguments
from kfp_jupyter.model.run import ArtifactRecord, RunState, State
from kfp_jupyter.model.types import ArtifactType
from tests.engines.local.authored import bodies, loading
from tests.engines.local.bench import Bench

HERE = Path(__file__).parent
AT_ONCE = 6
"""How many runs are under way at once."""

CONTAINERS = "RuntimeError: The SubprocessRunner only supports running Lightweight Python Components."
NO_VALUE = "ValueError: Unknown value type"
FRACTIONS = "RuntimeError: Pipeline .* finished with status .*FAILURE"

_IMPORTED = (
    '["importer-2", {"artifact": {"metadata": {"a": 1, "facts": "%s", "list": [1, "x", "me"], "owner": "me", '
    '"text": "by me"}, "text": null, "type": "%s"}}]'
)

NOT_BY_KFP = {
    # They need containers; or a setting takes an output, and KFP runs its task before the one that gives it.
    "containers/run-containers": rf"{CONTAINERS}|TypeError: int\(\) argument must be .* not 'NoneType'",
    "kubernetes_settings/volumes": CONTAINERS,
    # An input that may be left out, and is.
    "interfaces/many-things": NO_VALUE,
    "interfaces/optional-inputs": NO_VALUE,
    "nesting/passed-on": NO_VALUE,
    # Whole numbers in lists come as fractions, and what takes or gives `int` and `str` refuses these.
    "loops/written-items": FRACTIONS,
    "loops/parameters-and-outputs": FRACTIONS,
    "loops/collected": FRACTIONS,
    "loops/collected-twice": FRACTIONS,
    "loops/collected-in-groups": FRACTIONS,
    # A loop over a list in the items of another loop.
    "loops/nested": "RuntimeError: Pipeline .*nested.* finished with status .*FAILURE",
    # An artifact that is chosen from branches.
    "conditions/chosen-artifacts": "ValueError: Expected 1 artifact in ArtifactSelectorSpec. Got: 2",
    # Placeholders that stand in values which are no arguments of the command.
    "texts/placeholders": "IndexError: list index out of range",
    "containers/pass-artifacts": "IndexError: list index out of range",
}
"""What KFP's own runner cannot run of them: how it fails."""

SOMETIMES_BY_KFP = {
    # A setting takes an output, and KFP may run its task before the one that gives it.
    "texts/settings-of-the-run"
}
"""What KFP's own runner runs or not, by chance."""

KFP_IS_WRONG = {
    # A condition with `double(…)` counts as false.
    "conditions/operators": ([], ['["say-11", {"Output": ""}]']),
    # So does one on a part of an item, or on an output that is not called `Output`.
    "loops/with-conditions": ([], ['["double-2", {"Output": 2}]']),
    "loops/parts-of-items": ([], ['["say", {"Output": "1"}]', '["say-2", {"Output": "2"}]']),
    "texts/in-groups": ([], ['["say", {"Output": "a w"}]', '["say-2", {"Output": ""}]']),
    # A whole number in a text is a fraction; KFP's server writes it as it is.
    "texts/in-texts": (
        ['["say-2", {"Output": "a and a, 1.0"}]', '["say-3", {"Output": "a-1.0-a"}]'],
        ['["say-2", {"Output": "a and a, 1"}]', '["say-3", {"Output": "a-1-a"}]'],
    ),
    # A dict in metadata is not written as KFP's server does, and a class of one's own is forgotten.
    "containers/imports": (
        [_IMPORTED % (r"{\"a\": 1.0}", "system.Artifact")],
        [_IMPORTED % (r"{\"a\":1}", "google.Custom")],
    ),
}
"""The tasks that are different, with KFP and here, since KFP's runner does not do what its server does."""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What KFP answers, by file and pipeline."""
    folder = tmp_path_factory.mktemp("kfp")
    asked = []
    with loading.authored() as made:
        for file, pipelines in made.items():
            for pipeline in pipelines:
                question = {
                    "file": file,
                    "pipeline": pipeline.name,
                    "root": str(folder / f"root-{len(asked)}"),
                }
                asked.append({**question, "arguments": loading.arguments(pipeline)})
    for name in ("a", "b"):
        (folder / name).write_text(name)
    program = [existing_kfp(), HERE / "run_authored_with_kfp.py", loading.AUTHORED, bodies.__file__]
    done = subprocess.run(
        program,
        input="".join(json.dumps(each) + "\n" for each in asked),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        # KFP runs what may run at once in the order of a set.
        env={**os.environ, "PYTHONHASHSEED": "0"},
        text=True,
        check=True,
    )
    names = [f"{each['file']}/{each['pipeline']}" for each in asked]
    return dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What our engine gives, by file and pipeline, told as `run_authored_with_kfp.py` tells it."""
    folder = tmp_path_factory.mktemp("ours")
    told = {}
    with pytest.MonkeyPatch.context() as patch, loading.authored() as made:
        loading.prepare(folder, patch)
        listed = [(f"{file}/{held.name}", held) for file, pipelines in made.items() for held in pipelines]
        left_out = {*NOT_BY_KFP, *SOMETIMES_BY_KFP}
        listed = [(name, held) for name, held in listed if name not in left_out]
        bench = Bench()
        for first in range(0, len(listed), AT_ONCE):
            batch = listed[first : first + AT_ONCE]
            runs = [
                bench.start(held, caching=False, **bind_arguments(held, loading.arguments(held)))
                for _, held in batch
            ]
            for (name, pipeline), run in zip(batch, runs, strict=True):
                told[name] = _told(run.wait(300), pipeline)
    return told


def _told(state: RunState, pipeline: Any) -> dict[str, Any]:
    failed = {path: task.message for path, task in state.tasks.items() if task.state is State.FAILED}
    assert state.state is State.SUCCEEDED, f"{pipeline.name}: {failed}"
    tasks = [
        [path.rpartition("/")[2], _outputs(task.outputs, task.artifacts)]
        for path, task in state.tasks.items()
        # Groups make no attempts; what an iteration is by itself is called as its loop.
        if task.attempt and task.state is State.SUCCEEDED
    ]
    outputs = {}
    for spec in pipeline.outputs:
        source = pipeline.graph.outputs[spec.name]
        held = state.tasks[source.task]
        if isinstance(spec.type, ArtifactType):
            records = [_artifact(record) for record in held.artifacts[source.output]]
            outputs[spec.name] = records if spec.type.is_list else records[0]
        else:
            outputs[spec.name] = held.outputs[source.output]
    return {"tasks": tasks, "outputs": outputs}


def _outputs(
    parameters: Mapping[str, Any], artifacts: Mapping[str, tuple[ArtifactRecord, ...]]
) -> dict[str, Any]:
    # No step gives out a list of artifacts.
    return {**parameters, **{name: _artifact(records[0]) for name, records in artifacts.items()}}


def _artifact(record: ArtifactRecord) -> dict[str, Any]:
    # What lies in a store, KFP's local runner does not bring.
    path = Path(record.path) if record.path and "://" not in record.uri else None
    text = path.read_text(encoding="utf-8") if path is not None and path.is_file() else None
    return {"type": record.type, "metadata": dict(record.metadata), "text": text}


_PLACES = re.compile(
    r"(?P<artifacts>/\S+/runs/run-\d+/artifacts/|/\S+/root-\d+/[^/]+/)|/\S+/(kfp-workspace-\w+|runs/run-\d+/workspace)"
)
"""Where a run keeps its artifacts and its workspace, here and with KFP."""


def _plain(value: Any) -> Any:
    """Return a value with whole numbers as such, which KFP makes fractions, and without the run's places."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return _PLACES.sub(lambda found: f"<{'artifacts' if found['artifacts'] else 'workspace'}>", value)
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    return [_plain(held) for held in value] if isinstance(value, list) else value


def _counted(tasks: list[Any]) -> Counter[str]:
    return Counter(json.dumps(_plain(task), sort_keys=True) for task in tasks)


def test_kfp_and_our_engine_give_the_same_task_by_task(
    theirs: dict[str, dict[str, Any]], ours: dict[str, dict[str, Any]]
) -> None:
    different = []
    for name, mine in ours.items():
        kfp = theirs[name]
        assert "failed" not in kfp, f"{name}: {kfp['failed']}"
        missing = _counted(kfp["tasks"]) - _counted(mine["tasks"])
        more = _counted(mine["tasks"]) - _counted(kfp["tasks"])
        if [sorted(missing.elements()), sorted(more.elements())] != [*KFP_IS_WRONG.get(name, ([], []))]:
            different += [f"{name}: only with KFP: {task}" for task in missing.elements()]
            different += [f"{name}: only here: {task}" for task in more.elements()]
        if _plain(kfp["outputs"]) != _plain(mine["outputs"]):
            different.append(f"{name}: gives out {kfp['outputs']} with KFP, {mine['outputs']} here")
    assert not different, "\n".join(different)
    assert sum(len(mine["tasks"]) for mine in ours.values()) > 150
    assert len(ours) + len(NOT_BY_KFP) + len(SOMETIMES_BY_KFP) == len(theirs)


@pytest.mark.parametrize("name", NOT_BY_KFP)
def test_what_kfp_cannot_run_is_known(name: str, theirs: dict[str, dict[str, Any]]) -> None:
    assert re.match(NOT_BY_KFP[name], theirs[name].get("failed", ""))
