"""The table of KFP's names in the documentation is true, and old names say what replaced them."""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.rivals import existing_kfp
from kfp_jupyter import compat, dsl
from kfp_jupyter.dsl.older_names import OlderNameError
from tests.names.table import Row, _compared, _row, table

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs" / "kfp_names.md"


@pytest.fixture
def alias() -> Iterator[None]:
    compat.install()
    yield
    compat.uninstall()


@pytest.mark.golden
def test_the_table_says_what_the_code_says(request: pytest.FixtureRequest) -> None:
    made = table()
    if request.config.getoption("--update-goldens"):
        TABLE.write_text(made, encoding="utf-8")
    assert made == TABLE.read_text(encoding="utf-8"), "`make goldens` makes the table again"


def test_the_names_are_those_that_kfp_has(tmp_path: Path) -> None:
    subprocess.run([existing_kfp(), HERE / "kfp_surface.py", tmp_path / "names.json"], check=True)
    names = (HERE / "kfp-2.17.0.json").read_text(encoding="utf-8")
    assert (tmp_path / "names.json").read_text(encoding="utf-8") == names


def test_nothing_that_pipelines_are_written_with_is_missing_or_refused() -> None:
    lines = [
        line.split("|")
        for line in TABLE.read_text(encoding="utf-8").split("## Names of KFP 1")[0].splitlines()
    ]
    lacking = {
        line[1].strip(" `") for line in lines if len(line) > 3 and line[2].strip() in ("not here", "refused")
    }
    # What only KFP's own compiler calls is no part of writing pipelines.
    inner = (
        "remove_task_recursive",
        "to_proto",
        "register_pipeline_channels",
        "set_pipeline_spec",
        "platform_spec",
    )
    inner += ("pipeline_spec", "execute", "task")
    part = TABLE.read_text(encoding="utf-8").split("## `kfp.compiler`")[1].split("## `kfp.local`")[0]
    assert not [name for name in lacking if f"| `{name}` |" in part and not name.endswith(inner)]


def test_a_difference_of_signatures_is_told(alias: None) -> None:
    theirs = [["POSITIONAL_OR_KEYWORD", "a", ""], ["POSITIONAL_OR_KEYWORD", "b", "1"]]
    assert _compared(theirs, theirs) == ("same", "")
    assert _compared(theirs, theirs[:1]) == ("differs", "without `b`")
    assert _compared(theirs, theirs[::-1]) == ("differs", "in another order")
    assert _compared(theirs, [theirs[0], ["POSITIONAL_OR_KEYWORD", "b", "2"]])[0] == "differs"
    assert _compared(theirs, [theirs[0], ["KEYWORD_ONLY", "b", "1"]]) == ("differs", "`b` is keyword only")
    assert _compared(theirs, [*theirs, ["KEYWORD_ONLY", "c", "1"]]) == ("more", "`c`")
    assert _compared(theirs[1:], theirs) == ("differs", "needs `a`")
    assert _row("kfp.dsl.no_such_name") == Row("kfp.dsl.no_such_name", "missing")


def test_a_name_of_kfp_1_says_what_to_write_instead(alias: None) -> None:
    with pytest.raises(OlderNameError, match=r"func_to_container_op.*Write `@dsl.component` above"):
        exec("from kfp.components import func_to_container_op")
    with pytest.raises(OlderNameError, match="container_component"):
        exec("from kfp import dsl; dsl.ContainerOp")
    with pytest.raises(ImportError, match=r"'kfp.onprem' is of KFP 1.*mount_pvc"):
        importlib.import_module("kfp.onprem")
    assert not hasattr(dsl, "no_such_name")


def test_a_workspace_is_set_as_in_kfp() -> None:
    workspace = dsl.WorkspaceConfig(size="1Gi")
    workspace.set_size("2Gi")
    kubernetes = dsl.KubernetesWorkspaceConfig()
    kubernetes.set_pvcSpecPatch({"storageClassName": "fast"})
    workspace.set_kubernetes_config(kubernetes)
    patch = {"pvcSpecPatch": {"storageClassName": "fast"}}
    assert workspace.get_workspace() == {"size": "2Gi", "kubernetes": patch}
    with pytest.raises(Exception, match="size of a workspace"):
        workspace.set_size("much")
