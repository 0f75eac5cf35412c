"""Pipelines whose steps mount something."""

from typing import List

from kfp_jupyter import dsl, kubernetes
from tests.engines.local.authored.flows import say

ONCE = ["ReadWriteOnce"]


@dsl.component
def put(path: str, text: str) -> str:
    from pathlib import Path

    with Path(path).open("a") as file:
        file.write(text)
    return Path(path).read_text()


@dsl.component
def look(path: str) -> str:
    from pathlib import Path

    place = Path(path)
    return " ".join(sorted(entry.name for entry in place.iterdir())) if place.is_dir() else place.read_text()


@dsl.component
def fill(folder: str, marks: str) -> int:
    """Leave a file behind, and fail the first time."""
    from pathlib import Path

    found = len(list(Path(folder).iterdir()))
    Path(folder, "left").touch()
    mark = Path(marks, "tried")
    if not mark.exists():
        mark.touch()
        raise ValueError("the first time")
    return found


@dsl.component
def about(paths: List[str]) -> dict:
    import os
    import subprocess
    import sys
    from pathlib import Path

    script = "import os; print(os.getuid(), sorted(os.listdir('/kfp-volume')))"
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {
        "user": os.getuid(),
        "directory": str(Path.cwd()),
        "writable": {path: os.access(path, os.W_OK) for path in paths},
        "child": child.stdout.strip(),
    }


@dsl.pipeline
def claimed(size: str = "1Gi") -> str:
    claim = kubernetes.CreatePVC(pvc_name_suffix="-data", access_modes=ONCE, size=size)
    name = claim.outputs["name"]
    first = put(path="/kfp-volume/deep/x.txt", text="a")
    kubernetes.mount_pvc(first, name, "/kfp-volume/deep")
    second = put(path="/mnt/x.txt", text="b").after(first)
    kubernetes.mount_pvc(second, name, "/mnt")
    kubernetes.DeletePVC(pvc_name=name).after(second)
    return second.output


@dsl.pipeline
def kept(text: str = "a") -> str:
    claim = kubernetes.CreatePVC(pvc_name="kept", access_modes=ONCE, size="1Gi")
    written = put(path="/kfp-volume/x.txt", text=text).after(claim)
    kubernetes.mount_pvc(written, "kept", "/kfp-volume")
    written.set_caching_options(False)
    return written.output


@dsl.pipeline
def cached(text: str = "a") -> str:
    claim = kubernetes.CreatePVC(pvc_name_suffix="-c", access_modes=ONCE, size="1Gi")
    written = put(path="/kfp-volume/x.txt", text=text)
    kubernetes.mount_pvc(written, claim.outputs["name"], "/kfp-volume")
    return written.output


@dsl.pipeline
def claims_of_a_loop():
    with dsl.ParallelFor(["a", "b"]) as text:
        claim = kubernetes.CreatePVC(pvc_name_suffix="-loop", access_modes=ONCE, size="1Gi")
        written = put(path="/kfp-volume/x.txt", text=text)
        kubernetes.mount_pvc(written, claim.outputs["name"], "/kfp-volume")


@dsl.pipeline
def own_data(name: str = "own", part: str = "x.txt") -> str:
    task = look(path="/kfp-volume")
    kubernetes.mount_pvc(task, "own", "/kfp-volume", sub_path="part/of")
    told = about(paths=["/", "/kfp-volume"])
    kubernetes.mount_pvc(told, "own", "/kfp-volume")
    return task.output


@dsl.pipeline
def flowing(name: str) -> str:
    task = look(path="/kfp-volume")
    kubernetes.mount_pvc(task, name, "/kfp-volume")
    return task.output


@dsl.pipeline
def deleted():
    kubernetes.DeletePVC(pvc_name="own")


@dsl.pipeline
def twice_made():
    kubernetes.CreatePVC(pvc_name="one", access_modes=ONCE, size="1Gi").set_caching_options(False)


@dsl.pipeline
def files() -> str:
    task = look(path="/kfp-secret/password")
    kubernetes.use_secret_as_volume(task, "database", "/kfp-secret")
    other = look(path="/kfp-config")
    kubernetes.use_config_map_as_volume(other, say(text="settings").output, "/kfp-config")
    none = look(path="/kfp-none")
    kubernetes.use_secret_as_volume(none, "missing", "/kfp-none", optional=True)
    return task.output


@dsl.pipeline
def empty(marks: str) -> int:
    task = fill(folder="/kfp-scratch", marks=marks).set_retry(1)
    kubernetes.empty_dir_mount(task, "scratch", "/kfp-scratch", size_limit="1Gi")
    other = put(path="/kfp-memory/x.txt", text="m")
    kubernetes.empty_dir_mount(other, "memory", "/kfp-memory", medium="Memory", size_limit="1Mi")
    last = put(path="/kfp-fast/x.txt", text="f")
    kubernetes.add_ephemeral_volume(last, "fast", "/kfp-fast", ONCE, "1Gi")
    return task.output


@dsl.pipeline
def too_much():
    task = put(path="/kfp-memory/x.txt", text="m" * 3_000_000)
    kubernetes.empty_dir_mount(task, "memory", "/kfp-memory", medium="Memory", size_limit="1Mi")


@dsl.pipeline
def shared_memory():
    task = look(path="/dev/shm")
    kubernetes.empty_dir_mount(task, "dshm", "/dev/shm", medium="Memory")
