"""A full disk: what runs goes on as far as it can, the end is told, and with room again all goes on."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kfp_jupyter.engines.local import journal as journal_module
from kfp_jupyter.engines.local import log as log_module
from kfp_jupyter.engines.local import mount
from kfp_jupyter.engines.local.journal import Journal, state_in
from kfp_jupyter.engines.local.log import Log
from kfp_jupyter.engines.local.reserve import SIZE, Reserve
from kfp_jupyter.engines.trouble import Trouble
from kfp_jupyter.model.component import Source
from kfp_jupyter.model.run import RunChanged, RunCreated, State, Target
from tests.engines.local.bench import eventually, single

CREATED = RunCreated(1.0, "run", "flow", Target(), {}, ("step",))

# --- The journal
# --------------------------------------------------------------------------------------------------------


@pytest.fixture
def full(tmp_path, monkeypatch):
    """A disk that is full as long as the journal's reserve is there; every write of the journal meets it."""
    write = os.write

    def write_if_room(file: int, block: bytes) -> int:
        if (tmp_path / "reserve").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, block)

    monkeypatch.setattr(journal_module, "os", SimpleNamespace(**{**vars(os), "write": write_if_room}))


def test_a_journal_has_the_room_that_was_kept_for_it(tmp_path, full):
    journal = Journal(tmp_path / "journal")
    journal.reserve.keep()
    assert (tmp_path / "reserve").stat().st_size == SIZE
    journal.append(CREATED)
    assert not (tmp_path / "reserve").exists()
    journal.append(RunChanged(2.0, State.SUCCEEDED))
    journal.close()
    assert state_in(tmp_path / "journal").state is State.SUCCEEDED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_a_journal_without_any_room_says_so_and_keeps_none(tmp_path):
    (tmp_path / "journal").symlink_to("/dev/full")
    journal = Journal(tmp_path / "journal")
    journal.reserve.keep()
    with pytest.raises(OSError, match="No space left"):
        journal.append(CREATED)
    assert not (tmp_path / "reserve").exists()


def test_only_want_of_room_frees_what_was_kept(tmp_path, monkeypatch):
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module, "os", SimpleNamespace(**{**vars(os), "write": broken}))
    journal = Journal(tmp_path / "journal")
    journal.reserve.keep()
    with pytest.raises(OSError, match="Input/output error"):
        journal.append(CREATED)
    assert (tmp_path / "reserve").exists()


def test_room_that_cannot_be_kept_is_left_to_the_run(tmp_path, monkeypatch):
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_room, raising=False)
    Reserve(tmp_path / "reserve").keep()
    assert list(tmp_path.iterdir()) == []


def test_room_is_kept_while_a_run_goes_on_and_no_longer(bench, tmp_path):
    (tmp_path / "hold").touch()
    held = f"def step():\n    while os.path.exists({str(tmp_path / 'hold')!r}): time.sleep(0.01)\n"
    run = bench.start(single(held))
    reserve = run.folder / "reserve"
    run.until(lambda state: state.tasks["step"].state is State.RUNNING)
    assert reserve.stat().st_size == SIZE
    # Whoever writes the end of a run whose supervisor was killed has that room too, and frees it.
    os.kill(json.loads((run.folder / "supervisor.json").read_text())["pid"], signal.SIGKILL)
    assert run.wait().reason == "Interrupted"
    assert not reserve.exists()
    (tmp_path / "hold").unlink()
    bench.engine.resume(run.ref)
    assert run.wait().state is State.SUCCEEDED
    assert eventually(lambda: not reserve.exists())


# --- The log
# --------------------------------------------------------------------------------------------------------


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "log.txt", Trouble(Source(()), tmp_path), lambda _: None)


def test_a_log_stops_before_the_disk_is_full_and_says_so(tmp_path, log, monkeypatch):
    free = [log_module.ROOM]
    disk = {"f_frsize": 1, "f_blocks": 100 * log_module.ROOM}
    stand_in = {**vars(os), "fstatvfs": lambda _: SimpleNamespace(**disk, f_bavail=free[0])}
    monkeypatch.setattr(log_module, "os", SimpleNamespace(**stand_in))
    block = b"x" * (log_module.LOOK_BYTES - 1) + b"\n"
    log.add(block)
    free[0] -= 1
    log.add(block)
    # What is left out is left out from there on: a log has one gap, and then its last lines.
    free[0] += 1
    log.add(block)
    log.add(b"the last line\n")
    log.close()
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [len(line) for line in lines[:1]] == [len(block) - 1]
    left_out = 2 * len(block) + len("the last line\n")
    assert lines[1].startswith(f"— the disk is nearly full, so {left_out:,} bytes are left out here")
    assert lines[-1] == log.tail[-1] == "the last line"


def test_a_log_on_a_small_disk_leaves_a_part_of_it(tmp_path, monkeypatch):
    disk = SimpleNamespace(f_frsize=1024, f_blocks=8000, f_bavail=1000)
    monkeypatch.setattr(log_module, "os", SimpleNamespace(fstatvfs=lambda _: disk))
    assert log_module.has_room(0)
    disk.f_bavail -= 1
    assert not log_module.has_room(0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_a_log_that_cannot_be_written_keeps_its_last_lines(tmp_path):
    (tmp_path / "log.txt").symlink_to("/dev/full")
    log = Log(tmp_path / "log.txt", Trouble(Source(()), tmp_path), lambda _: None)
    log.add(b"one\n")
    log.add(b"two\n")
    log.close()
    assert log.tail == ("one", "two")


# --- Runs on a small disk
# --------------------------------------------------------------------------------------------------------

needs_mounts = pytest.mark.skipif(not mount.can_mount(), reason="this machine has no mount namespaces")

ON_A_SMALL_DISK = '''
import json, os
from pathlib import Path
from kfp_jupyter.engines.base import EngineError
from tests.engines.local.bench import Bench, component, pipeline, single, task

bench, data = Bench(), Path(os.environ["KFP_JUPYTER_DATA"])
said = {}

def told(name, run):
    state = run.state
    tasks = {path: [held.state.value, held.message] for path, held in state.tasks.items()}
    said[name] = [state.state.value, state.message, tasks]

good = component("def good(): pass\\n", "good")
fills = component(
    """
    def fills(data: Output[Dataset]):
        with open(data.path, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    """,
    "fills", outputs={"data": "Dataset"},
)
# More that follows from it than there is room for in what the journal has of its last block.
after = [task(f"after-{number}", "good", after=("fills",)) for number in range(60)]
run = bench.run(pipeline({"fills": fills, "good": good}, task("fills"), *after))
told("a step fills it", run)
for file in (data / "runs").glob("*/artifacts/*/*"):
    file.unlink()
told("the next", bench.run(single("def step(): pass\\n")))

talks = component(
    """
    def talks() -> int:
        for number in range(200_000):
            print("one line of many, and of some length: it takes more than a hundred characters" * 2, number)
        print("the last line")
        return 1
    """,
    "talks", outputs={"Output": "int"},
)
run = bench.run(pipeline({"talks": talks, "good": good}, task("talks"), task("good", after=("talks",))))
told("a log fills it", run)
said["its log"] = [line for line in run.log("talks") if line.startswith("—")] + run.log("talks")[-1:]
for file in (data / "runs").glob("*/tasks/*/*/log.txt"):
    file.unlink()

filler = os.open(data / "filler", os.O_CREAT | os.O_WRONLY)
try:
    while True:
        os.write(filler, bytes(4096))
except OSError:
    pass
os.close(filler)
try:
    told("none is started", bench.run(single("def step(): pass\\n")))
except EngineError as error:
    runs = sorted(path.name for path in (data / "runs").iterdir())
    said["none is started"] = [error.what, error.remedy, runs]
(data / "filler").unlink()
told("the last", bench.run(single("def step(): pass\\n")))
print(json.dumps(said))
'''


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What came of some runs on a disk of 8 MB."""
    place = tmp_path_factory.mktemp("small")
    (place / "disk").mkdir()
    small = mount.Mount("", str(place / "disk"), 8_000_000)
    done = subprocess.run(
        [*mount.launcher([small], mount.PROGRAM, place / "own"), sys.executable, "-c", ON_A_SMALL_DISK],
        env={
            **os.environ,
            "KFP_JUPYTER_DATA": str(place / "disk"),
            "PYTHONPATH": str(Path(__file__).parents[3]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_mounts
def test_a_step_that_fills_the_disk_fails_and_all_that_follows_is_told(said):
    state, message, tasks = said["a step fills it"]
    assert state == "FAILED"
    assert message.startswith("fills failed: OSError: [Errno 28] No space left on device")
    assert tasks.pop("fills")[0] == "FAILED"
    assert len(tasks) == 60
    assert all(held == ["SKIPPED", "Not run because fills failed."] for held in tasks.values()), tasks


@needs_mounts
def test_a_log_that_would_fill_the_disk_harms_no_step(said):
    state, message, _ = said["a log fills it"]
    assert (state, message) == ("SUCCEEDED", "")
    gap, last = said["its log"]
    assert gap.startswith("— the disk is nearly full, so ")
    assert last == "the last line"


@needs_mounts
def test_on_a_full_disk_no_run_is_started(said):
    what, remedy, runs = said["none is started"]
    assert what == "The run could not be prepared: No space left on device."
    assert remedy.startswith("Free some space there")
    assert runs == ["run-1", "run-2", "run-3"]


@needs_mounts
def test_with_room_again_all_goes_on(said):
    assert said["the next"][0] == said["the last"][0] == "SUCCEEDED"
