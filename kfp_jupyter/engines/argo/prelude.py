"""What a step does around the executor; the text of this file travels in the Workflow and runs in the pod.

In: the description of the step, with the values that Argo filled in, becomes KFP's ExecutorInput; packages
are installed.
Out: KFP's ExecutorOutput becomes the files that Argo reads: one a parameter, and one an artifact with its
type, place and metadata, so that these reach whoever watches the run without access to the store. Those are
capped; what had to be thinned or left out is kept whole in an artifact of its own.

Stdlib only, Python 3.8 and later, no import of ours.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import Any

VALUE_LIMIT = 64000
"""Bytes of JSON that one output parameter may take."""

RECORDS_LIMIT = 16000
"""Bytes of JSON that the descriptions of a task's artifacts may take together."""

CURVES = ("confidenceMetrics", "metricCurves")
"""Keys of metadata whose lists are curves: with every second point left out they are still the same curve."""


class StepError(Exception):
    """Why a step cannot run, or its outputs cannot be passed on."""


def run(step: dict[str, Any], source: str, executor: str) -> None:
    """Run the step and end the process with its exit code.

    Args:
        step: `function`, `packages`, `index_urls`, `trusted_hosts`, and by name `parameters` (their JSON),
            `artifacts` (path, record), `outputs` (path), `output_artifacts` (path, uri, type, record), and
            `overflow` (a path).
        source: The text of the module that holds the function.
        executor: The text of the executor.
    """
    try:
        install(step)
        folder = tempfile.mkdtemp(prefix="kfp-jupyter-")
        given = executor_input(step, folder)
        code = execute(step, source, executor, given, folder)
        if code == 0:
            publish(step, given)
    except StepError as error:
        report(type(error).__name__, str(error))
        code = 1
    sys.exit(code)


def install(step: dict[str, Any]) -> None:
    """Install the step's packages with pip, if its image has not got them."""
    if all(satisfied(package) for package in step["packages"]):
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-warn-script-location"]
    for number, url in enumerate(step["index_urls"]):
        command += ["--extra-index-url" if number else "--index-url", url]
    for host in step["trusted_hosts"]:
        command += ["--trusted-host", host]
    # As variables, because an older pip refuses options that it does not know.
    settings = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_BREAK_SYSTEM_PACKAGES": "1",
    }
    if subprocess.call(command + step["packages"], env=dict(os.environ, **settings)) != 0:
        raise StepError("pip could not install " + ", ".join(step["packages"]) + "; its output is above")


def satisfied(package: str) -> bool:
    """Say whether a requirement is met already; False also where only pip can tell.

    An image that brings its packages then needs no index: the step starts at once, also without a network.
    """
    try:
        from importlib.metadata import version

        from pip._vendor.packaging.requirements import Requirement

        wanted = Requirement(package)
        if wanted.url or wanted.extras or wanted.marker:
            return False
        return wanted.specifier.contains(version(wanted.name), prereleases=True)
    except Exception:  # noqa: BLE001 (whatever it is, pip will tell)
        return False


def executor_input(step: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return KFP's ExecutorInput. An input whose text is empty or whose file is missing was not given."""
    values = {name: loaded(text) for name, text in step["parameters"].items() if text != ""}
    artifacts = {}
    for name, given in step["artifacts"].items():
        if os.path.exists(given["path"]):
            record = loaded(given["record"] or "{}")
            place = located(record.get("uri", ""), given["path"])
            artifacts[name] = {"artifacts": [dict(record, name=record.get("name") or name, **place)]}
    outputs = {
        name: {
            "artifacts": [dict(located(made["uri"], made["path"]), name=name, type=made["type"], metadata={})]
        }
        for name, made in step["output_artifacts"].items()
    }
    for made in step["output_artifacts"].values():
        os.makedirs(os.path.dirname(made["path"]), exist_ok=True)
    return {
        "inputs": {"parameterValues": values, "artifacts": artifacts},
        "outputs": {
            "parameters": {
                name: {"outputFile": os.path.join(folder, "outputs", name)} for name in step["outputs"]
            },
            "artifacts": outputs,
            "outputFile": os.path.join(folder, "executor_output.json"),
        },
    }


def located(uri: str, path: str) -> dict[str, str]:
    """Return the places of an artifact: its URI, or its path as well where only a key of it is known."""
    return {"uri": uri if "://" in uri else path, "customPath": path}


def loaded(text: str) -> Any:
    """Return the value of a parameter's text; what is no JSON (a container's output) is taken as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def execute(step: dict[str, Any], source: str, executor: str, given: dict[str, Any], folder: str) -> int:
    """Run the executor as a process of its own and return its exit code."""
    texts = {"executor.py": executor, "component.py": source, "executor_input.json": json.dumps(given)}
    for name, text in texts.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    command = [sys.executable, "-u", os.path.join(folder, "executor.py")]
    command += ["--executor_input", "@" + os.path.join(folder, "executor_input.json")]
    command += ["--function_to_execute", step["function"]]
    command += ["--component_module_path", os.path.join(folder, "component.py")]
    sys.stdout.flush()
    child = subprocess.Popen(command)
    # Argo and Kubernetes ask a step to end with this signal, and ask this process, the pod's first.
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
    code = child.wait()
    return code if code >= 0 else 128 - code


def publish(step: dict[str, Any], given: dict[str, Any]) -> None:
    """Write the files that Argo takes a step's outputs from."""
    with open(given["outputs"]["outputFile"], encoding="utf-8") as file:
        output = json.load(file)
    for name, path in step["outputs"].items():
        text = encoded(output["parameterValues"][name])
        if len(text) > VALUE_LIMIT:
            raise StepError(
                "the output parameter '%s' takes %d bytes; on Argo it may take %d. Make it an artifact."
                % (name, len(text), VALUE_LIMIT)
            )
        write(path, text)
    publish_artifacts(step, output)


def publish_artifacts(step: dict[str, Any], output: dict[str, Any]) -> None:
    """Write the description of each output artifact, and see that each artifact is there to be stored."""
    records = {}
    for name, made in step["output_artifacts"].items():
        found = (output.get("artifacts", {}).get(name, {}).get("artifacts") or [{}])[0]
        uri = found.get("uri") or made["path"]
        records[name] = {
            "name": found.get("name") or name,
            "uri": made["uri"] if uri in (made["path"], made["uri"]) else uri,
            "type": found.get("type") or made["type"],
            "metadata": found.get("metadata", {}),
        }
        if not os.path.exists(made["path"]):
            # Argo fails a step without it; metrics are all metadata and have no file.
            write(made["path"], "")
    whole = json.dumps(output)
    if shorten(list(records.values())):
        write(step["overflow"], whole)
    for name, record in records.items():
        write(step["output_artifacts"][name]["record"], encoded(record))


def shorten(records: list[dict[str, Any]]) -> bool:
    """Thin curves or drop metadata, largest piece first, down to `RECORDS_LIMIT`; say if it had to."""
    shortened = False
    while sum(len(encoded(record)) for record in records) > RECORDS_LIMIT:
        pieces = [
            (len(encoded(held)), record, key)
            for record in records
            for key, held in record["metadata"].items()
        ]
        if not pieces:
            break
        size, record, key = max(pieces, key=lambda piece: piece[0])
        curve = max(curves({key: record["metadata"][key]}), key=len, default=[])
        if len(curve) > 20:
            del curve[1:-1:2]
        else:
            del record["metadata"][key]
            print(
                "kfp-jupyter: the metadata '%s' of '%s' (%d bytes) is too large for a status; it is in the "
                "artifact 'executor-output'" % (key, record["name"], size),
                flush=True,
            )
        shortened = True
    return shortened


def curves(value: Any) -> list[list[Any]]:
    """Return the lists under the keys in `CURVES`; under `metricCurves` there is a list for each metric."""
    found: list[list[Any]] = []
    if isinstance(value, dict):
        for key, held in value.items():
            if key in CURVES and isinstance(held, list):
                found.append(held)
            elif key in CURVES and isinstance(held, dict):
                found += [curve for curve in held.values() if isinstance(curve, list)]
            else:
                found += curves(held)
    elif isinstance(value, list):
        for held in value:
            found += curves(held)
    return found


def encoded(value: Any) -> str:
    """Return JSON without what Argo's substitution or a quoted literal could trip over."""
    return json.dumps(value, separators=(",", ":")).replace("{{", "{\\u007b").replace("'", "\\u0027")


def write(path: str, text: str) -> None:
    """Write a text file, with its folder."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def report(type_: str, message: str) -> None:
    """Print an error as the marker line that engines look for, and for people."""
    print("\n::kfp-jupyter:: " + json.dumps({"error": {"type": type_, "message": message}}), flush=True)
    print(message, file=sys.stderr, flush=True)
