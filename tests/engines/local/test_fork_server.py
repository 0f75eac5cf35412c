"""A step in a fork of a warm server is what it would be in an interpreter of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kfp_jupyter.engines.local.fork_client import SPAWN_VARIABLE, ForkServer
from kfp_jupyter.engines.local.fork_server import LENGTH_BYTES
from kfp_jupyter.engines.local.program import Programs, executor_file
from kfp_jupyter.model.pipeline import TaskSettings
from kfp_jupyter.model.run import State
from tests.engines.local.bench import component, eventually, gone, pipeline, single, task

LOOK = """
def step() -> dict:
    import __main__
    return {
        "argv": len(sys.argv),
        "cwd": os.getcwd(),
        "files": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],
        "function": step.__module__,
        "leads": os.getsid(0) == os.getpid() == os.getpgid(0),
        "main": __main__.__file__,
        "named": __main__.step is step,
        "path": sys.path,
        "signals": [signal.getsignal(number) == signal.SIG_DFL for number in (15, 1, 17)],
        "interrupt": signal.getsignal(2) is signal.default_int_handler,
        "stdin": sys.stdin.read(),
        "limit": __import__("resource").getrlimit(7),
        "unbuffered": sys.stdout.line_buffering or sys.stdout.write_through,
        "own": os.environ["OWN"],
        "gone": "OUTER" in os.environ,
        "encoding": sys.stdout.encoding,
    }
"""


def looked(bench, monkeypatch, **variables: str) -> dict:
    monkeypatch.setenv("PYTHONPATH", "/nowhere/one:/nowhere/two")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = TaskSettings(env=(("OWN", "é"), ("PYTHONPATH", "/nowhere/task:/nowhere/one")), caching=False)
    state = bench.run(single(LOOK, settings, outputs={"Output": "dict"})).state
    assert state.state is State.SUCCEEDED, state
    seen: dict = state.tasks["step"].outputs["Output"]
    return seen


def test_a_fork_is_as_a_new_interpreter(bench, monkeypatch):
    forked = looked(bench, monkeypatch)
    assert forked["files"] == [0, 1, 2]
    assert forked["leads"]
    spawned = looked(bench, monkeypatch, **{SPAWN_VARIABLE: "1"})
    assert forked.pop("main").endswith("run-1/sources/step.py")
    assert spawned.pop("main").endswith("run-2/sources/step.py")
    assert forked == spawned


def test_files_beside_the_notebook_hide_nothing_from_the_server_and_are_found(bench, tmp_path, monkeypatch):
    for name in ("select", "signal", "socket"):
        (tmp_path / f"{name}.py").write_text("mine = True\n")
    monkeypatch.chdir(tmp_path)
    body = "def step() -> bool:\n    import select, signal, socket\n    return select.mine and signal.mine\n"
    monkeypatch.setattr("tests.engines.local.bench.HEADER", "")
    state = bench.run(single(body, outputs={"Output": "bool"})).state
    assert state.tasks["step"].outputs == {"Output": True}, state


def test_a_module_written_by_one_task_can_be_imported_by_the_next(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tasks = {
        "look": component(
            "def look():\n    try:\n        import late\n    except ImportError: pass\n", "look"
        ),
        "write": component("def write():\n    open('late.py', 'w').write('answer = 42')\n", "write"),
        "use": component(
            "def use() -> int:\n    import late\n    return late.answer\n", "use", outputs={"Output": "int"}
        ),
    }
    flow = pipeline(tasks, task("look"), task("write", after=("look",)), task("use", after=("write",)))
    assert bench.run(flow).state.tasks["use"].outputs == {"Output": 42}


@pytest.mark.parametrize("way", ["spawn", "forkserver", "fork"])
def test_a_step_may_start_processes_that_import_its_source(bench, way):
    run = bench.run(
        single(
            f"""
            from kfp import dsl
            from kfp.dsl import Output, Dataset
            import kfp_jupyter

            def double(number):
                return 2 * number

            def step() -> list:
                import multiprocessing
                with multiprocessing.get_context({way!r}).Pool(2) as pool:
                    return pool.map(double, [1, 2, 3])
            """,
            outputs={"Output": "list"},
        )
    )
    assert run.state.tasks["step"].outputs == {"Output": [2, 4, 6]}, run.log()


def test_a_step_ends_as_an_interpreter_ends(bench, tmp_path):
    run = bench.run(
        single(
            f"""
            import atexit, threading
            held = open({str(tmp_path / "held")!r}, "w")

            class Last:
                def __del__(self):
                    print("let go")

            last = Last()
            last.itself = last

            def step():
                held.write("unflushed")
                atexit.register(print, "at exit")
                main = threading.main_thread()
                threading.Thread(target=lambda: (main.join(), print("thread"))).start()
                sys.stdout.write("returned ")
            """
        )
    )
    assert run.log() == ["returned thread", "at exit", "let go"]
    assert (tmp_path / "held").read_text() == "unflushed"


def test_a_variable_that_only_a_new_process_heeds_gets_one(bench):
    body = "def step() -> list:\n    return [sys.flags.hash_randomization, hash('a')]\n"
    step = component(body, "step", outputs={"Output": "list"})
    seeded = TaskSettings(env=(("PYTHONHASHSEED", "0"),), caching=False)
    flow = pipeline(
        {"step": step},
        task("one", "step", settings=seeded),
        task("other", "step", settings=seeded),
        task("third", "step"),
    )
    tasks = bench.run(flow).state.tasks
    assert tasks["one"].outputs == tasks["other"].outputs
    assert [held.outputs["Output"][0] for held in tasks.values()] == [0, 0, 1]


# Says which process started it, waits until it may go on, and leaves a trace of each time that it ran.
WAIT = """
def step(folder: str) -> int:
    with open(folder + "/ran", "a") as file:
        print(os.getppid(), os.getpid(), file=file, flush=True)
    while not os.path.exists(folder + "/go"):
        time.sleep(0.01)
    return 1
"""


def test_a_killed_server_is_replaced_and_the_step_starts_again(bench, tmp_path):
    wait = component(WAIT, "step", {"folder": "str"}, {"Output": "int"})
    flow = pipeline({"step": wait}, task("step", folder=str(tmp_path)))
    run = bench.start(flow)
    ran = tmp_path / "ran"

    def lines() -> list[list[int]]:
        return [[int(word) for word in line.split()] for line in ran.read_text().splitlines()]

    assert eventually(lambda: ran.exists() and len(lines()) == 1)
    ((server, first),) = lines()
    os.kill(server, signal.SIGKILL)
    assert eventually(lambda: len(lines()) == 2), run.log()
    assert gone(first)
    (tmp_path / "go").touch()
    state = run.wait()
    assert (state.state, state.tasks["step"].attempt) == (State.SUCCEEDED, 1)
    assert run.log() == ["— the process that had started this step was killed; the step is started again —"]
    assert eventually(lambda: all(gone(pid) for line in lines() for pid in line))


def test_what_a_killed_server_had_finished_is_not_done_again(bench, tmp_path):
    body = """
    def step(folder: str) -> int:
        import atexit
        with open(folder + "/ran", "a") as file:
            file.write("x")
        # After the result is written, and before anybody is told.
        atexit.register(os.kill, os.getppid(), signal.SIGKILL)
        return 1
    """
    step = component(body, "step", {"folder": "str"}, {"Output": "int"})
    state = bench.run(pipeline({"step": step}, task("step", folder=str(tmp_path)))).state
    assert state.tasks["step"].outputs == {"Output": 1}
    assert (tmp_path / "ran").read_text() == "x"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_the_server_buries_its_dead_and_ends_with_the_run(bench, tmp_path):
    nothing = component("def nothing(): pass\n", "nothing")
    look = component(
        """
        def look() -> list:
            children = open(f"/proc/{os.getppid()}/task/{os.getppid()}/children").read().split()
            return [os.getppid(), *(int(child) for child in children if int(child) != os.getpid())]
        """,
        "look",
        outputs={"Output": "list"},
    )
    many = [task(f"n{number}", "nothing") for number in range(8)]
    flow = pipeline(
        {"nothing": nothing, "look": look}, *many, task("look", after=tuple(held.name for held in many))
    )
    server, *left = bench.run(flow).state.tasks["look"].outputs["Output"]
    assert left == []
    assert eventually(lambda: gone(server))


@pytest.mark.parametrize("said", [0, 2], ids=["before its text", "within its text"])
def test_the_server_ends_with_a_supervisor_that_is_killed_in_the_middle_of_a_request(tmp_path, said):
    programs = Programs(executor_file(tmp_path).parent)
    ours, theirs = socket.socketpair()
    with theirs, (tmp_path / "lock").open("w") as lock:
        passed = [theirs.fileno(), lock.fileno()]
        words = [str(programs.fork_server), *map(str, passed), f"{tmp_path}/", str(programs.definitions)]
        server = subprocess.Popen([sys.executable, *words], pass_fds=passed)
        socket.send_fds(ours, [(9).to_bytes(LENGTH_BYTES, "big")], passed)
    ours.sendall(b'{"command'[:said])
    ours.close()
    try:
        assert server.wait(60) == 0
    finally:
        server.kill()


def test_a_server_ends_what_nobody_listens_to_any_more(tmp_path):
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    programs = Programs(executor_file(tmp_path / "data").parent)
    server = ForkServer(sys.executable, programs, tmp_path, lock, dict(os.environ))
    os.close(lock)
    ours, theirs = socket.socketpair()
    with theirs:
        given = (["sleep", "600"], dict(os.environ), str(tmp_path), theirs.fileno(), theirs.fileno())
        server.start(*given, execute=True)
    with ours:
        # Looked at and not taken: what is closed with unread words in it is a connection reset.
        assert eventually(lambda: ours.recv(100, socket.MSG_PEEK).endswith(b"\n"), 60)
        pid = int(ours.recv(100, socket.MSG_PEEK).split()[1])
    assert eventually(lambda: gone(pid), 60)
    assert server.alive
    server.close()


def test_a_server_that_cannot_start_fails_the_step_and_says_why(bench, tmp_path):
    bench.run(single("def step(): pass\n"))
    (programs,) = (tmp_path / "data" / "executor").iterdir()
    (programs / "definitions").write_bytes(b"nothing")
    run = bench.run(single("def step(): pass\n"))
    failed = run.state.tasks["step"]
    assert (failed.state, failed.reason) == (State.FAILED, "CannotStart")
    assert "supervisor.log" in failed.error.message
    assert "Error" in (run.folder / "supervisor.log").read_text()
