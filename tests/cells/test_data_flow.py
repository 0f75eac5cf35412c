"""Which cell reads what from whom: links, parameters, order, and what cannot be linked."""

from __future__ import annotations

from typing import Any

import pytest

from kfp_jupyter.cells.data_flow import DataFlow, data_flow
from kfp_jupyter.cells.errors import CellFormError, DataFlowError
from kfp_jupyter.cells.history import History, Text
from kfp_jupyter.cells.ledger import Ledger
from kfp_jupyter.cells.names import analyse
from kfp_jupyter.dsl.cell_pipeline import pipeline_of_cells
from kfp_jupyter.model.pipeline import PipelineInput, TaskOutput
from kfp_jupyter.notebook.define import define_component


class Notebook:
    """A notebook whose cells run one after the other; each has a number and, as its id, a letter."""

    def __init__(self, *, live: bool = True) -> None:
        self.names: dict[str, Any] = {}
        self.ledger = Ledger()
        self.count = 0
        self.live = live
        self.texts: list[Text] = []

    def run(self, text: str, cell_id: str = "") -> Any:
        self.count += 1
        place = f"Cell In[{self.count}]"
        if not text.startswith("%%component"):
            self.ledger.add_cell(analyse(text), place)
            self.texts.append(Text(text, place))
            if self.live:
                exec(text, self.names)
            return None
        line, _, body = text.removeprefix("%%component").partition("\n")
        history = None if self.live else History(tuple(self.texts))
        self.texts.append(Text(body, place, 2))
        return define_component(
            line, body, place, self.names, history=history, ledger=self.ledger, cell_id=cell_id, text=text
        )

    def flow(self) -> DataFlow:
        return data_flow(self.ledger, self.names)

    def links(self) -> dict[str, dict[str, str]]:
        """Return who gives each task's inputs, by component name; parameters as `:name`."""
        pipeline = pipeline_of_cells(self.flow(), "p").model
        shown = {}
        for name, task in pipeline.graph.tasks.items():
            shown[name] = {
                key: f"{held.task}.{held.output}" if isinstance(held, TaskOutput) else f":{held.name}"
                for key, held in task.arguments.items()
                if isinstance(held, (TaskOutput, PipelineInput))
            }
        return shown


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def test_outputs_feed_inputs_of_the_same_name(notebook):
    notebook.run("%%component load() -> raw\nraw = [1, 2, 3, 4]")
    notebook.run("%%component split(raw) -> train, test\ntrain, test = raw[:2], raw[2:]")
    notebook.run("%%component fit(train) -> model\nmodel = {'sum': sum(train)}")
    notebook.run("%%component score(model, test) -> error\nerror = 0.5")
    notebook.run("%%component report(error)\nprint(error)")
    assert notebook.links() == {
        "load": {},
        "split": {"raw": "load.raw"},
        "fit": {"train": "split.train"},
        "score": {"model": "fit.model", "test": "split.test"},
        "report": {"error": "score.error"},
    }


def test_tasks_that_share_no_data_wait_for_nothing_of_each_other(notebook):
    notebook.run("%%component load() -> raw\nraw = [1]")
    notebook.run("%%component one(raw) -> a\na = raw + [1]")
    notebook.run("%%component two(raw) -> b\nb = raw + [2]")
    notebook.run("%%component alone() -> c\nc = [3]")
    pipeline = pipeline_of_cells(notebook.flow(), "p").model
    tasks = pipeline.graph.tasks
    assert all(not task.after for task in tasks.values())
    assert notebook.links()["two"] == {"raw": "load.raw"}
    assert notebook.links()["alone"] == {}


def test_the_declared_order_is_honoured(notebook):
    notebook.run("%%component clean() -> a\na = [1]")
    notebook.run("%%component publish --after clean\nprint('published')")
    notebook.run("%%component last --after publish clean\nprint('done')")
    tasks = pipeline_of_cells(notebook.flow(), "p").model.graph.tasks
    assert (tasks["publish"].after, set(tasks["last"].after)) == (("clean",), {"publish", "clean"})


def test_an_order_after_nobody_is_an_error(notebook):
    notebook.run("%%component publish --after cleaning\nprint('published')")
    with pytest.raises(DataFlowError, match="after 'cleaning', and no component is called so") as caught:
        notebook.flow()
    assert caught.value.where == "Cell In[1], line 1"
    assert "publish" in caught.value.remedy


def test_a_name_comes_from_who_wrote_it_last_before_the_reader_ran(notebook):
    notebook.run("%%component load() -> df\ndf = [3, None]")
    notebook.run("%%component early(df)\nprint(df)")
    notebook.run("%%component clean(df) -> df\ndf = [x for x in df if x]")
    notebook.run("%%component late(df)\nprint(df)")
    assert notebook.links() == {
        "load": {},
        "early": {"df": "load.df"},
        "clean": {"df": "load.df"},
        "late": {"df": "clean.df"},
    }


def test_a_cell_that_runs_again_keeps_its_place_and_its_links(notebook):
    notebook.run("%%component load() -> df\ndf = [1]", "a")
    notebook.run("%%component clean(df) -> df\ndf = [*df, 2]", "b")
    notebook.run("%%component use(df)\nprint(df)", "c")
    before = notebook.links()
    notebook.run("%%component clean(df) -> df\ndf = [*df, 3]", "b")
    notebook.run("%%component clean(df) -> df\ndf = [*df, 4]", "b")
    assert notebook.links() == before
    assert list(notebook.ledger.steps) == ["a", "b", "c"]
    assert notebook.ledger.steps["b"].place == "Cell In[5]"


def test_a_cell_put_in_between_is_read_by_who_runs_after_it(notebook):
    notebook.run("%%component load() -> df\ndf = [1]", "a")
    notebook.run("%%component use(df)\nprint(df)", "c")
    notebook.run("%%component clean(df) -> df\ndf = [*df, 2]", "b")
    assert notebook.links()["use"] == {"df": "load.df"}
    notebook.run("%%component use(df)\nprint(df)", "c")
    assert notebook.links()["use"] == {"df": "clean.df"}
    assert list(notebook.links()) == ["load", "clean", "use"]


def test_a_renamed_component_and_a_deleted_cell_are_gone(notebook):
    notebook.run("%%component first() -> x\nx = [1]", "a")
    notebook.run("%%component renamed() -> x\nx = [1]", "a")
    notebook.run("%%component other() -> y\ny = [1]", "b")
    assert list(notebook.links()) == ["renamed", "other"]
    notebook.ledger.forget("b")
    assert list(notebook.links()) == ["renamed"]


def test_a_component_that_moved_to_another_cell_counts_once(notebook):
    notebook.run("%%component load() -> x\nx = [1]", "a")
    notebook.run("%%component load() -> x\nx = [2]", "b")
    assert [step.place for step in notebook.ledger.steps.values()] == ["Cell In[2]"]


def test_constants_of_the_notebook_become_parameters(notebook):
    notebook.run("rate = 0.1\nname = 'a'")
    notebook.run("%%component fit(rate, name: str, rounds: int = 5) -> model\nmodel = [rate, name, rounds]")
    notebook.run("%%component again(rate, model)\nprint(rate)")
    flow = notebook.flow()
    assert [(spec.name, spec.type.python_name, spec.default) for spec in flow.parameters] == [
        ("rate", "float", 0.1),
        ("name", "str", "a"),
        ("rounds", "int", 5),
    ]
    assert notebook.links()["again"] == {"rate": ":rate", "model": "fit.model"}
    assert not flow.notes


def test_defaults_that_differ_stay_with_their_cells(notebook):
    notebook.run("%%component one(seed: int = 1) -> a\na = [seed]")
    notebook.run("%%component two(seed: int = 2) -> b\nb = [seed]")
    flow = notebook.flow()
    assert flow.parameters == ()
    assert len(flow.notes) == 2
    assert "'two' keeps its own default of 'seed'" in flow.notes[1]
    assert notebook.names["b"] == [2]


def test_a_default_gives_way_to_a_step(notebook):
    notebook.run("%%component choose() -> k\nk = 7")
    notebook.run("%%component use(k: int = 3) -> got\ngot = [k]")
    assert notebook.links()["use"] == {"k": "choose.k"}
    assert notebook.names["got"] == [7]


def test_data_of_the_notebook_is_an_error_at_its_first_use(notebook):
    notebook.run("rows = [1, 2]\ntable = rows * 2")
    notebook.run("%%component fit(table) -> model\n\nmodel = sum(table)")
    with pytest.raises(DataFlowError, match="'fit' takes 'table', which is made at Cell In") as caught:
        notebook.flow()
    assert caught.value.where == "Cell In[2], line 3"
    assert caught.value.remedy.startswith(
        "Make it one: `%%component … -> table` on the first line of Cell In[1]"
    )


def test_a_step_s_data_that_a_plain_cell_changes_is_an_error(notebook):
    notebook.run("%%component load() -> df\ndf = [1]")
    notebook.run("df.append(2)")
    notebook.run("%%component use(df)\nprint(df)")
    with pytest.raises(DataFlowError, match=r"made at Cell In\[2\], line 1, in a cell that is no component"):
        notebook.flow()


def test_what_nobody_gives_is_an_error(notebook):
    notebook.run("%%component use(frame: Dataset) --no-run\nprint(frame)")
    with pytest.raises(DataFlowError, match="'frame', which is given out by no component"):
        notebook.flow()
    with pytest.raises(CellFormError, match="'gone' of 'use' is not in the notebook") as caught:
        notebook.run("%%component use(gone)\nx = 1\nprint(gone)")
    assert caught.value.where == "Cell In[2], line 3"


def test_a_parameter_without_any_value_is_asked_for(notebook):
    notebook.run("%%component use(lr: float) --no-run\nprint(lr)")
    (parameter,) = notebook.flow().parameters
    assert (parameter.name, parameter.optional) == ("lr", False)


def test_types_that_were_not_declared_follow_the_other_side(notebook):
    notebook.run("%%component a() -> n, rows --no-run\nn = rows = [1]")
    notebook.run("%%component b(n: float, rows: Dataset) -> m --no-run\nm = n")
    notebook.run("%%component c(rows, m) --no-run\nprint(rows)")
    flow = notebook.flow()
    types = {
        task.cell.name: [spec.type.python_name for spec in (*task.component.inputs, *task.component.outputs)]
        for task in flow.tasks.values()
    }
    assert types == {
        "a": ["float", "Dataset"],
        "b": ["float", "Dataset", "Artifact"],
        "c": ["Dataset", "Artifact"],
    }
    pipeline_of_cells(flow, "p")


def test_declared_types_that_do_not_fit_name_both_cells(notebook):
    notebook.run("%%component a() -> x: Model --no-run\nx = 1")
    notebook.run("%%component b(x: float) --no-run\nprint(x)")
    with pytest.raises(
        DataFlowError, match=r"'b' takes 'x' as float, and 'a' \(Cell In\[1\]\) gives .* Model"
    ):
        notebook.flow()


def test_cells_that_wait_for_each_other_are_named(notebook):
    notebook.run("%%component one(y) -> x --no-run\nx = y")
    notebook.run("%%component two(x) -> y --no-run\ny = x")
    with pytest.raises(DataFlowError, match="'one' reads from 'two' reads from 'one'"):
        notebook.flow()


def test_a_cell_that_runs_again_does_not_read_what_was_made_of_it(notebook):
    notebook.run("start = 0")
    first = "%%component one(start, k: int = 4) -> start, k\nstart += 1\nk += 1"
    notebook.run(first, "a")
    notebook.run("%%component two(start, k) -> start, k\nstart *= 2\nk *= 2", "b")
    before = notebook.links()
    assert before["one"] == {"start": ":start", "k": ":k"}
    notebook.run(first, "a")
    assert notebook.links() == before
    assert notebook.names["k"] == 5


def test_an_output_that_is_not_given_any_more_is_an_error(notebook):
    notebook.run("%%component one() -> x, y\nx = y = [1]", "a")
    notebook.run("%%component two(y)\nprint(y)", "b")
    notebook.run("%%component one() -> x\nx = [1]", "a")
    with pytest.raises(DataFlowError, match=r"'two' reads 'y', which 'one' \(Cell In\[3\]\) gives no longer"):
        notebook.flow()


def test_functions_take_part_by_the_names_of_their_arguments_and_outputs(notebook):
    notebook.run("%%component load() -> raw\nraw = [1]")
    notebook.run("%%component\ndef fit(raw: Input[Artifact], model: Output[Model], k: int = 2):\n    pass")
    notebook.run("%%component use(model: Model) --no-run\nprint(model)")
    assert notebook.links() == {
        "load": {},
        "fit": {"raw": "load.raw", "k": ":k"},
        "use": {"model": "fit.model"},
    }


def test_the_interface_of_a_cell_without_one_is_inferred(notebook):
    notebook.run("import math\nfactor = 2")
    notebook.run("%%component\n# Load\nrows = list(range(3))\nunused = {}")
    notebook.run("%%component\n# Scale\nscaled = [math.floor(row * factor) for row in rows]\nrows.append(9)")
    notebook.run("%%component total\nresult = sum(scaled) + len(rows)")
    assert notebook.links() == {
        "load": {},
        "scale": {"factor": ":factor", "rows": "load.rows"},
        "total": {"scaled": "scale.scaled", "rows": "scale.rows"},
    }
    tasks = {task.cell.name: task for task in notebook.flow().tasks.values()}
    assert [spec.name for spec in tasks["load"].component.outputs] == ["rows"]
    assert tasks["total"].component.outputs == ()


def test_an_inferred_cell_keeps_its_name_when_it_runs_again(notebook):
    notebook.run("%%component\nrows = list(range(3))", "a")
    notebook.run("%%component\ntotal = sum(rows)", "b")
    notebook.run("%%component\nrows = list(range(4))", "a")
    assert list(notebook.links()) == ["step-1", "step-2"]
    assert notebook.links()["step-2"] == {"rows": "step-1.rows"}


def test_a_notebook_that_is_only_read_is_linked_the_same():
    cells = [
        "import math\nfactor = 2",
        "%%component load() -> rows\nrows = [1, 2, 3]",
        "%%component\n# Scale\nscaled = [math.floor(row * factor) for row in rows]\nrows.append(9)",
        "%%component total(scaled, rows) -> result\nresult = sum(scaled) + len(rows)",
    ]
    shown = []
    for live in (True, False):
        notebook = Notebook(live=live)
        for cell in cells:
            notebook.run(cell)
        shown.append(notebook.links())
    assert shown[0] == shown[1]
    assert "rows" not in notebook.names


def test_an_output_called_like_another_component_is_an_error_either_way(notebook):
    notebook.run("%%component train() -> model\nmodel = [1]")
    with pytest.raises(CellFormError, match="'train' of component 'other' is called like a component"):
        notebook.run("%%component other() -> train\ntrain = [1]")
    with pytest.raises(CellFormError, match="'model' is called like an output of 'train'"):
        notebook.run("%%component model() -> other\nother = [1]")


def test_an_edited_cell_is_stale(notebook):
    notebook.run("%%component load() -> x\nx = [1]", "a")
    assert notebook.ledger.stale({"a": "%%component load() -> x\nx = [1]"}) == []
    (stale,) = notebook.ledger.stale({"a": "%%component load() -> x\nx = [2]", "z": ""})
    assert stale.name == "load"


def test_a_notebook_without_components_says_how_to_make_one(notebook):
    with pytest.raises(DataFlowError, match=r"no component cell to link.*%%component NAME"):
        notebook.flow()
