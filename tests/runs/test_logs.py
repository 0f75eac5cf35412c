from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from queue import Queue
from threading import Event as Stop

import pytest

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.model.run import RunRef, Target
from kfp_jupyter.runs.logs import LINES_KEPT, LogBook
from tests.fake_engine import until

REF = RunRef("r1", Target(), "")


def read_all(book: LogBook, task: str = "train") -> list[str]:
    lines: list[str] = []
    cursor, done = 0, False
    deadline = time.monotonic() + 60.0
    while not done:
        assert time.monotonic() < deadline
        new, cursor, done = book.read(REF, task, cursor)
        lines += new
    return lines


class Printing:
    """A task that prints what the test puts in; a None ends it."""

    def __init__(self) -> None:
        self.lines: Queue[str | None] = Queue()
        self.follows: list[tuple[str, Stop]] = []
        self.book = LogBook(self.follow)

    def follow(self, ref: RunRef, task: str, stop: Stop) -> Iterator[str]:
        self.follows.append((task, stop))
        while not stop.is_set():
            if not self.lines.empty():
                line = self.lines.get()
                if line is None:
                    return
                yield line
            stop.wait(0.002)


@pytest.fixture
def printing() -> Iterator[Printing]:
    task = Printing()
    yield task
    task.book.close()


def test_a_reader_gets_each_line_once_and_learns_of_the_end(printing):
    printing.lines.put("epoch 1")
    until(lambda: printing.book.read(REF, "train", 0)[0] == ["epoch 1"])
    assert printing.book.read(REF, "train", 1) == ([], 1, False)
    printing.lines.put("epoch 2")
    until(lambda: printing.book.read(REF, "train", 1) == (["epoch 2"], 2, False))
    printing.lines.put(None)
    until(lambda: printing.book.read(REF, "train", 2) == ([], 2, True))
    assert printing.book.read(REF, "train", 0) == (["epoch 1", "epoch 2"], 2, True)
    assert len(printing.follows) == 1


def test_the_first_question_already_has_the_lines_that_are_there(monkeypatch):
    # However long a busy machine takes to let the log's thread run.
    monkeypatch.setattr("kfp_jupyter.runs.logs._FIRST_LINES", 60.0)
    book = LogBook(lambda ref, task, stop: iter(["a", "b"]))
    assert book.read(REF, "train", 0)[0] != []


def test_what_the_executor_says_to_the_engine_is_not_shown():
    told = [
        "a",
        '::kfp-jupyter:: {"metric": {"name": "loss", "step": 1, "value": 0.5}}',
        "b::kfp-jupyter:: {}",
        "c",
    ]
    assert read_all(LogBook(lambda ref, task, stop: iter(told))) == ["a", "b", "c"]


def test_a_long_log_keeps_its_end_and_says_what_is_missing():
    book = LogBook(lambda ref, task, stop: (str(number) for number in range(LINES_KEPT + 1234)))
    until(lambda: book.read(REF, "train", LINES_KEPT + 1234)[2])
    lines, cursor, _ = book.read(REF, "train", 0)
    assert lines[0] == "— 1,234 earlier lines are not kept here —"
    assert (lines[1], lines[-1]) == ("1234", str(LINES_KEPT + 1233))
    assert cursor == LINES_KEPT + 1234
    assert book.read(REF, "train", cursor - 1)[0] == [str(LINES_KEPT + 1233)]


def test_a_log_that_cannot_be_read_says_why_and_ends():
    def fail(ref: RunRef, task: str, stop: Stop) -> Iterator[str]:
        yield "before"
        raise EngineError("The pod is gone.")

    assert read_all(LogBook(fail)) == ["before", "— the log could not be read further: The pod is gone. —"]


def test_a_log_nobody_asks_for_is_not_followed_any_longer_and_can_be_taken_up_again():
    printed = ["first"]
    follows: list[Stop] = []

    def follow(ref: RunRef, task: str, stop: Stop) -> Iterator[str]:
        follows.append(stop)
        told = 0
        while not stop.wait(0.002):
            yield from printed[told:]
            told = len(printed)

    book = LogBook(follow, idle_seconds=0.05)
    until(lambda: book.read(REF, "train", 0)[0] == ["first"])
    before = len(follows)
    until(lambda: all(stop.is_set() for stop in follows))
    printed.append("second")
    # Asked too seldom on a busy machine, it may be left and taken up more than once.
    until(lambda: book.read(REF, "train", 1)[0] == ["second"])
    assert len(follows) > before
    book.close()
    until(lambda: all(stop.is_set() for stop in follows))


def test_of_too_many_logs_the_one_asked_for_longest_ago_goes(printing):
    printing.book = LogBook(printing.follow, logs_kept=2)
    for task in ("a", "b", "a", "c"):
        printing.book.read(REF, task, 0)
    left = {"a": False, "b": True, "c": False}
    until(lambda: {task: stop.is_set() for task, stop in printing.follows} == left)
    assert len(printing.follows) == len(left)


def test_closing_ends_the_threads(printing):
    printing.book.read(REF, "train", 0)
    printing.book.close()
    until(
        lambda: not [thread for thread in threading.enumerate() if thread.name == "kfp-jupyter log r1/train"]
    )


def test_a_task_that_runs_again_after_the_end_of_its_log_is_followed_again():
    printed = [["one"], ["one", "two"]]
    book = LogBook(lambda ref, task, stop: iter(printed.pop(0)))
    until(lambda: book.read(REF, "train", 0, 1)[2])
    assert book.read(REF, "train", 0, 1) == (["one"], 1, True)
    until(lambda: book.read(REF, "train", 1, 2)[2])
    assert book.read(REF, "train", 1, 2) == (["two"], 2, True)
    book.close()
