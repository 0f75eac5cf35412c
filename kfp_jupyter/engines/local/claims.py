"""Claims for volumes (`kubernetes.CreatePVC`, `DeletePVC`): each a folder, `<data>/volumes/NAME`.

As on a cluster a claim is nobody's but the user's: it outlives the run that made it until it is deleted, and
there is one of a name. `<data>/claims/NAME.json` says who made it and with what. A volume that has none is a
folder, or a link to one, that the user has put there, and no run deletes that.

Both steps may be carried out again after a crash: who made a claim finds that it is his, and what he has
deleted is noted in the folder of his task before it is gone.
Reference: https://kfp-kubernetes.readthedocs.io/en/latest/source/kubernetes.html#kfp.kubernetes.CreatePVC
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from kfp_jupyter.engines.local.exchange import Given, Product
from kfp_jupyter.engines.local.plan import write_whole
from kfp_jupyter.model.component import ContainerStep, Implementation
from kfp_jupyter.model.types import Json

CREATE, DELETE = "argostub/createpvc", "argostub/deletepvc"
"""The images by which KFP's servers know these steps, which they do themselves."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class ClaimError(Exception):
    """A claim cannot be made or deleted; the message says why."""


def is_claim(step: Implementation) -> bool:
    """Say whether a step makes or deletes a claim for a volume."""
    return isinstance(step, ContainerStep) and step.image in (CREATE, DELETE)


def volume(data: Path, name: str) -> Path:
    """Return the folder of a claim's volume."""
    return data / "volumes" / name


def make_claim(data: Path, run: str, task: str, given: Given, *, again: bool) -> Product:
    """Make a claim and its volume; return its name as a product.

    Args:
        data: The folder of all runs' data.
        run: The run's id.
        task: The path of the task that makes it.
        given: What the task gets.
        again: Whether a claim that was made earlier in the same way will do: KFP's servers cache this step.

    Raises:
        ClaimError: There is another of that name, or the name is none.
        OSError: The volume could not be made.
    """
    name = _name(run, task, given)
    asked = {key: held for key, held in given.parameters.items() if held is not None}
    record, folder = _record(data, name), volume(data, name)
    if os.path.lexists(folder) and not record.exists():
        raise ClaimError(
            f"There is a volume {name!r} already, {folder}, which no run has made: "
            "mount it without `CreatePVC`, or choose another name."
        )
    if not _written(record, {"run": run, "task": task, "asked": asked}):
        before = json.loads(record.read_text(encoding="utf-8"))
        mine = (before["run"], before["task"]) == (run, task)
        if not mine and not (again and before["asked"] == asked):
            raise ClaimError(
                f"There is a claim {name!r} already, made by task {before['task']} of run {before['run']}. "
                "Delete it with `DeletePVC`, or let `pvc_name_suffix` make a name of its own in each run."
            )
    folder.mkdir(parents=True, exist_ok=True)
    return Product({"name": name})


def delete_claim(data: Path, mark: Path, given: Given) -> Product:
    """Delete a claim and all that is in its volume.

    Args:
        data: The folder of all runs' data.
        mark: A file of the task's own, which notes what it has deleted.
        given: What the task gets.

    Raises:
        ClaimError: There is none, or no run has made it.
        OSError: The volume could not be removed.
    """
    name = str(given.parameters.get("pvc_name") or "")
    record, folder = _record(data, name), volume(data, name)
    if not _NAME.fullmatch(name) or not record.exists():
        if _noted(mark) == name and not folder.exists():
            return Product()
        if _NAME.fullmatch(name) and os.path.lexists(folder):
            raise ClaimError(f"No run has made the volume {name!r}; delete {folder} yourself if it is to go.")
        raise ClaimError(f"There is no claim {name!r} on this machine.")
    mark.parent.mkdir(parents=True, exist_ok=True)
    write_whole(mark, json.dumps(name))
    if folder.exists():
        # Out of sight first, so that nobody mounts half of it.
        gone = folder.with_name(f".{name}.{os.getpid()}")
        folder.rename(gone)
        shutil.rmtree(gone)
    record.unlink()
    return Product()


def _record(data: Path, name: str) -> Path:
    return data / "claims" / f"{name}.json"


def _name(run: str, task: str, given: Given) -> str:
    chosen, suffix = (str(given.parameters.get(key) or "") for key in ("pvc_name", "pvc_name_suffix"))
    if chosen and suffix:
        raise ClaimError("It is given `pvc_name` and `pvc_name_suffix`; only one of them is possible.")
    # Tells the claims of several tasks and iterations apart; the same if it is made anew after a crash.
    own = hashlib.sha256(task.encode()).hexdigest()[:6]
    name = chosen or f"{run.lower()}-{own}{suffix}"
    if not _NAME.fullmatch(name):
        raise ClaimError(f"{name!r} is no name of a claim: lower case letters, digits, `-` and `.` make one.")
    return name


def _written(record: Path, held: Json) -> bool:
    """Write a record whole unless there is one; say whether it was written."""
    record.parent.mkdir(parents=True, exist_ok=True)
    part = record.with_name(f".{record.name}.{os.getpid()}.{held['task'].replace('/', '_')[:80]}")
    part.write_text(json.dumps(held), encoding="utf-8")
    try:
        os.link(part, record)
    except FileExistsError:
        return False
    finally:
        part.unlink()
    return True


def _noted(mark: Path) -> Json:
    with contextlib.suppress(OSError, ValueError):
        return json.loads(mark.read_text(encoding="utf-8"))
    return None
