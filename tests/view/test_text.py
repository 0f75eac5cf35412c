"""A run as plain text."""

from __future__ import annotations

import copy
import unicodedata
from dataclasses import replace

from kfp_jupyter.model.pipeline import Graph, TaskOutput
from kfp_jupyter.view.document import document
from kfp_jupyter.view.text import metrics_table, text
from kfp_jupyter.view.wording import duration, number, size, usage
from tests.view import examples

NOW = examples.START + 4.7
DOCUMENTS = examples.documents()


def test_the_graph_is_a_tree_in_which_only_forks_indent() -> None:
    assert text(DOCUMENTS["pipeline"]).splitlines()[2:] == [
        "○ load",
        "○ split                    ← load",
        "├─ ○ train-forest",
        "│  ○ evaluate              ← train-forest, split",
        "└─ ○ train-logistic",
        "   ○ evaluate-2            ← train-logistic, split",
        "   ○ choose                ← evaluate, evaluate-2",
        "   ○ Publish the winner    ← choose, train-forest",
    ]


def test_states_stand_in_a_column() -> None:
    shown = text(DOCUMENTS["running"], now=NOW)
    assert shown.startswith("Cancer classifier · ▶ running · 4 s · on argo:kind-lab/team-a · run run-0010\n")
    assert "≡ load                   cached\n" in shown
    assert "├─ ▶ train-forest        try 2 · 3 s    CPU 3.5 s (117 %) · memory 240 MB\n" in shown
    assert "└─ ○ train-logistic      Unschedulable\n" in shown
    assert "loss · train-forest  █▇▅▄▄▃▂▂▂▁▁▁  0.1908 at step 11" in shown


def test_what_a_task_used_is_told_beside_what_it_was_allowed() -> None:
    tasks = {**DOCUMENTS["succeeded"]["run"]["tasks"], **DOCUMENTS["failed"]["run"]["tasks"]}
    over = tasks["train-logistic"]
    assert usage(over, NOW) == "CPU 2.7 s (100 %) · memory 2.3 GB, over its limit of 2 GB"
    within = DOCUMENTS["succeeded"]["run"]["tasks"]["train-forest"]
    assert usage(within, NOW) == "CPU 7.4 s (180 %, limit 200 %) · memory 1.2 GB of 4 GB"
    assert usage(DOCUMENTS["succeeded"]["run"]["tasks"]["choose"], NOW) == "CPU 92 ms · memory 24 MB"
    assert usage({key: held for key, held in over.items() if key != "usage"}, NOW) == "", "of older versions"
    assert [size(count) for count in (0, 999_499_999, 999_500_000, 2_340_000_000)] == [
        *("0 MB", "999 MB", "1 GB", "2.3 GB")
    ]


def test_a_failure_is_told_with_place_and_log() -> None:
    shown = text(DOCUMENTS["failed"], now=NOW)
    assert (
        "✗ train-forest: ValueError: could not convert string to float: '<n/a>' (Cell In[4], line 7)" in shown
    )
    assert "    427 rows, 31 columns" in shown


def test_metrics_stand_in_aligned_columns() -> None:
    assert metrics_table(DOCUMENTS["succeeded"]).splitlines() == [
        "metric     evaluate  evaluate-2",
        "─────────  ────────  ──────────",
        "accuracy      0.972       0.944",
        "f1             0.96       0.932",
        "test_rows       143         143",
    ]
    assert metrics_table(DOCUMENTS["pipeline"]) == metrics_table(DOCUMENTS["open"]) == ""


def test_many_tasks_with_few_metrics_are_rows() -> None:
    found = copy.deepcopy(DOCUMENTS["succeeded"])
    for task in found["run"]["tasks"].values():
        metadata = {"loss": float("0.123456789")}
        task["artifacts"] = {"m": [{"type": "system.Metrics", "uri": "", "path": "", "metadata": metadata}]}
    lines = metrics_table(found).splitlines()
    assert lines[0].split() == ["task", "loss"]
    assert len(lines) == 2 + 8
    assert lines[-1].endswith("0.12346")


def test_wide_characters_keep_the_columns() -> None:
    tasks = {
        "a": examples.task("a", "load", display_name="학습"),
        "b": examples.task("b", "split", data=TaskOutput("a", "data")),
    }
    run = examples.folded(examples.created("r"), examples.ran("a", 1, 2), examples.ran("b", 2, 3))
    shown = text(document(replace(examples.classifier(), graph=Graph(tasks)), run))
    rows = [line for line in shown.splitlines() if "  1.0 s" in line]
    before = [line[: line.index("1.0 s")] for line in rows]
    wide = [
        sum(2 if unicodedata.east_asian_width(letter) == "W" else 1 for letter in line) for line in before
    ]
    assert len(rows) == 2
    assert wide[0] == wide[1]


def test_what_users_write_cannot_steer_a_terminal() -> None:
    found = copy.deepcopy(DOCUMENTS["failed"])
    found["pipeline"]["display_name"] = "evil\x1b[2J\x1b]0;title\x07\x9b31m"
    found["run"]["message"] = "\x1b[31mred\x1b[0m"
    found["run"]["tasks"]["train-forest"]["log_tail"] = ["\x1b[1mbold\x1b[0m\r\x08"]
    shown = text(found)
    assert not [letter for letter in shown if unicodedata.category(letter) == "Cc" and letter != "\n"]
    assert "\nred\n" in shown
    assert "    bold" in shown


def test_the_text_of_a_huge_run_is_cut() -> None:
    graph = Graph({f"t{index}": examples.task(f"t{index}", "load") for index in range(1000)})
    shown = text(document(replace(examples.classifier(), graph=graph), None))
    assert "… and 800 tasks more" in shown


def test_durations_and_numbers_are_short() -> None:
    assert [duration(s) for s in (0, 0.0123, 0.44, 9.94, 9.96, 59.4, 59.6, 3599, 3600, 5400)] == [
        "0 ms", "12 ms", "0.4 s", "9.9 s", "10 s", "59 s", "1:00 min", "59:59 min", "1:00 h", "1:30 h",
    ]  # fmt: skip
    assert [number(n) for n in (3, 3.0, 0.1234567, 1e-9, 1e20, "NaN", True)] == [
        "3", "3", "0.12346", "1e-09", "1e+20", "NaN", "True",
    ]  # fmt: skip
