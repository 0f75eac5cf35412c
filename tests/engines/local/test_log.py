from __future__ import annotations

import threading

from kfp_jupyter.model.pipeline import Retry, TaskSettings
from tests.engines.local.bench import eventually, single


def test_lines_of_both_streams_keep_their_order(bench):
    run = bench.run(
        single(
            """
            def step():
                for number in range(250):
                    print("out", number)
                    print("err", number, file=sys.stderr)
            """
        )
    )
    assert run.log() == [f"{stream} {number}" for number in range(250) for stream in ("out", "err")]
    assert run.state.tasks["step"].log_tail == tuple(run.log()[-20:])


def test_lines_can_be_followed_while_the_step_runs(bench, tmp_path):
    go = tmp_path / "go"
    run = bench.start(
        single(
            f"""
            def step():
                print("first")
                while not os.path.exists({str(go)!r}):
                    time.sleep(0.01)
                print("last")
            """
        )
    )
    lines: list[str] = []

    def follow() -> None:
        for line in run.engine.logs(run.ref, "step", threading.Event(), follow=True):
            lines.append(line)  # noqa: PERF402 (each is to be seen as it comes)

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    assert eventually(lambda: lines == ["first"])
    go.touch()
    follower.join(30)
    assert lines == ["first", "last"]


def test_all_attempts_are_in_the_log(bench):
    settings = TaskSettings(retry=Retry(2), caching=False)
    run = bench.run(single("def step():\n    print('trying')\n    sys.exit(1)\n", settings))
    assert [line for line in run.log(follow=True) if line == "trying"] == ["trying"] * 3


def test_a_progress_bar_leaves_its_last_picture(bench):
    run = bench.run(
        single(
            r"""
            def step():
                for percent in range(101):
                    sys.stderr.write(f"\r{percent:3d} %")
                sys.stderr.write("\n")
                print("carriage\r")
                sys.stdout.write("no newline")
            """
        )
    )
    assert run.log() == ["100 %", "carriage", "no newline"]


def test_a_warning_names_the_line_of_the_cell(bench):
    run = bench.run(
        single(
            """
            def step():
                import warnings
                warnings.warn("careful")
            """
        )
    )
    assert run.log()[0] == "Cell In[2]:4: UserWarning: careful"


def test_lines_that_are_no_text_and_very_long_ones_do_no_harm(bench):
    run = bench.run(
        single(
            r"""
            def step():
                sys.stdout.buffer.write(b"\xff\xfe\n" + b"x" * 3_000_000 + b"\n::kfp-jupyter:: {\n")
            """
        )
    )
    first, *long, last = run.log()
    assert first == "\ufffd\ufffd"
    assert "".join(long) == "x" * 3_000_000
    assert last == "::kfp-jupyter:: {"
    assert all(len(line) <= 500 for line in run.state.tasks["step"].log_tail)


def test_a_task_that_never_ran_has_no_log(bench):
    assert bench.run(single("def step(): pass\n")).log("unknown") == []
