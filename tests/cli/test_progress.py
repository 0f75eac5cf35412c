from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kfp_jupyter.cli.progress import show_until_end, task_line
from kfp_jupyter.model.pipeline import TaskSettings
from kfp_jupyter.model.run import RunChanged, State, TaskChanged, TaskRun
from kfp_jupyter.run import Run
from kfp_jupyter.workbench import Workbench
from tests.fake_engine import FakeEngine, until
from tests.pipelines import churn


class Terminal(io.StringIO):
    """Keeps what is written, and what a terminal would show of it."""

    def isatty(self) -> bool:
        return True

    def screen(self) -> list[str]:
        lines, row = [""], 0
        for part in re.findall(r"\x1b\[\??\d*[a-zA-Z]|\n|[^\x1b\n]+", self.getvalue()):
            if part == "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            elif not part.startswith("\x1b"):
                lines[row] += part
            elif part.endswith("A"):
                row -= int(part[2:-1])
                assert row >= 0, "it went above its first line"
            elif part == "\x1b[2K":
                lines[row] = ""
            elif part == "\x1b[J":
                lines[row:] = [""]
        return lines


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def run(tmp_path, engine) -> Iterator[Run]:
    bench = Workbench(tmp_path, lambda target: engine)
    yield bench.run(churn())
    bench.close()


def test_a_terminal_shows_one_picture_that_changes_and_is_gone_at_the_end(run, engine, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LINES", "40")
    terminal = Terminal()
    terminal.write("$ kfp-jupyter run\n")
    shows = threading.Thread(target=show_until_end, args=(run, terminal))
    shows.start()
    engine.tell(run.id, TaskChanged(1.0, "load", State.RUNNING, attempt=1))
    until(lambda: any("load" in line and "running" in line for line in terminal.screen()))
    assert sum("train-2" in line for line in terminal.screen()) == 1
    engine.succeed(run.id)
    shows.join(60)
    assert terminal.screen() == ["$ kfp-jupyter run", ""]
    assert terminal.getvalue().endswith("\x1b[?7h"), "wrapping is on again"


def test_a_picture_higher_than_the_terminal_is_cut(run, engine, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LINES", "5")
    terminal = Terminal()
    shows = threading.Thread(target=show_until_end, args=(run, terminal))
    shows.start()
    until(lambda: "…" in terminal.screen())
    assert len(terminal.screen()) <= 5
    engine.succeed(run.id)
    shows.join(60)


def test_without_a_terminal_each_change_is_a_line(run, engine):
    out = io.StringIO()
    shows = threading.Thread(target=show_until_end, args=(run, out))
    shows.start()
    engine.tell(run.id, TaskChanged(1.0, "load", State.RUNNING, attempt=1))
    until(lambda: "load running" in out.getvalue())
    engine.tell(run.id, TaskChanged(3.0, "load", State.FAILED), RunChanged(3.0, State.FAILED))
    shows.join(60)
    assert [line.partition(" ")[2] for line in out.getvalue().splitlines()] == [
        "load running",
        "load failed in 2.0 s",
    ]


def test_a_task_is_called_as_it_is_shown(tmp_path, engine):
    pipeline = churn()
    shown = replace(pipeline.graph.tasks["train-2"], settings=TaskSettings(display_name="train boosting"))
    graph = replace(pipeline.graph, tasks={**pipeline.graph.tasks, "train-2": shown})
    bench = Workbench(tmp_path, lambda target: engine)
    run = bench.run(replace(pipeline, graph=graph))
    engine.succeed(run.id)
    out = io.StringIO()
    show_until_end(run, out)
    bench.close()
    assert [line.partition(" ")[2] for line in out.getvalue().splitlines()] == [
        "load succeeded", "train succeeded", "train boosting succeeded",
    ]  # fmt: skip


def test_a_line_tells_attempts_and_cached_results():
    assert task_line("train", TaskRun(State.RUNNING, attempt=2)).endswith("train running (attempt 2)")
    assert task_line("train", TaskRun(State.SUCCEEDED, cached_from="r0")).endswith("train cached")
