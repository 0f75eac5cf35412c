"""One line on the state of a task, for terminals and printed output."""

from __future__ import annotations

from kfp_jupyter.model.run import TaskRun
from kfp_jupyter.view.document import task_document
from kfp_jupyter.view.look import STATES
from kfp_jupyter.view.wording import duration, look_key, plain


def task_line(label: str, task: TaskRun) -> str:
    """Return one line on the state of the task that is shown as `label`: `✔ train succeeded in 1.2 s`."""
    look = STATES[look_key(task_document(task))]
    words = [str(look["mark"]), label, str(look["text"])]
    if task.attempt > 1:
        words.append(f"(attempt {task.attempt})")
    if task.state.finished and task.started_at is not None and task.finished_at is not None:
        words.append(f"in {duration(task.finished_at - task.started_at)}")
    return plain(" ".join(words))
