"""One look at one Workflow: what Argo would do about it now, and the status it would write."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from kfp_jupyter.engines.argo.names import node_id, pod_name
from tests.cluster.depends import holds, operands
from tests.cluster.faults import Faults
from tests.cluster.pods import Pod, placed
from tests.cluster.schema import problems
from tests.cluster.store import Object, Store, now
from tests.cluster.substitution import SubstitutionError, replaced, substituted

if TYPE_CHECKING:
    from tests.cluster.controller import Controller

VARIABLE_LIMIT = 131_072 - len("ARGO_TEMPLATE=")
NO_CONFIG_MAPS = (
    'configmaps is forbidden: User "system:serviceaccount:argo:argo" cannot create resource "configmaps" in '
    'API group "" in the namespace "team-a"'
)
DONE = ("Succeeded", "Failed", "Error", "Skipped", "Omitted")


class Reconciliation:
    """One look at one Workflow.

    Args:
        controller: Knows the pods.
        store: The cluster's objects.
        faults: What is broken.
        workflow: The Workflow.
        status: Its status, unpacked; changed in place.
    """

    def __init__(
        self, controller: Controller, store: Store, faults: Faults, workflow: Object, status: dict[str, Any]
    ) -> None:
        self._controller = controller
        self._store = store
        self._faults = faults
        self._workflow = workflow
        self._spec = workflow["spec"]
        self._name: str = workflow["metadata"]["name"]
        self._namespace: str = workflow["metadata"]["namespace"]
        self._status = status
        self._nodes: dict[str, dict[str, Any]] = self._status.setdefault("nodes", {})
        self._shutdown: str = self._spec.get("shutdown", "")
        self._values = {"workflow.name": self._name, "workflow.namespace": self._namespace} | {
            f"workflow.parameters.{item['name']}": item["value"]
            for item in self._spec.get("arguments", {}).get("parameters", [])
        }

    def run(self) -> dict[str, Any]:
        """Return the new status."""
        if not self._status.get("phase"):
            found = problems(self._workflow)
            self._status |= {"phase": "Running", "startedAt": now(), "progress": "0/0"}
            if found:
                return self._end("Error", f"invalid spec: {found[0]}")
        templates = {item["name"]: item for item in self._spec["templates"]}
        entry = templates[self._spec["entrypoint"]]
        root = self._node(self._name, "DAG", entry["name"], display=self._name)
        for task in entry["dag"]["tasks"]:
            self._task(task, templates[task["template"]], root, entry["dag"]["tasks"])
        nodes = [
            self._nodes[self._id(task["name"])]
            for task in entry["dag"]["tasks"]
            if self._id(task["name"]) in self._nodes
        ]
        self._status["progress"] = f"{sum(_fulfilled(node) for node in nodes)}/{len(entry['dag']['tasks'])}"
        complete = self._shutdown or len(nodes) == len(entry["dag"]["tasks"])
        if complete and all(_fulfilled(node) for node in nodes):
            phases = [node["phase"] for node in nodes]
            phase = (
                "Error"
                if "Error" in phases
                else "Failed"
                if "Failed" in phases or self._shutdown
                else "Succeeded"
            )
            self._mark(root, phase)
            message = (
                f"Stopped with strategy '{self._shutdown}'" if self._shutdown and phase != "Succeeded" else ""
            )
            return self._end(phase, message)
        return self._status

    def _end(self, phase: str, message: str) -> dict[str, Any]:
        self._status |= {"phase": phase, "finishedAt": now()} | ({"message": message} if message else {})
        return self._status

    def _task(
        self,
        task: dict[str, Any],
        template: dict[str, Any],
        root: dict[str, Any],
        tasks: list[dict[str, Any]],
    ) -> None:
        name = f"{self._name}.{task['name']}"
        node = self._nodes.get(self._id(task["name"]))
        if node is None:
            if self._shutdown:
                return
            waits_for = operands(task["depends"]) if "depends" in task else []
            before = [self._nodes.get(self._id(other)) for other in waits_for]
            if any(other is None or not _fulfilled(other) for other in before):
                return
            phases = {other: self._nodes[self._id(other)]["phase"] for other in waits_for}
            if "depends" in task and not holds(task["depends"], phases):
                self._node(
                    name,
                    "Skipped",
                    template["name"],
                    task["name"],
                    "Omitted",
                    "omitted: depends condition not met",
                )
                return
            running = sum(pod.phase in ("Pending", "Running") for pod in self._own_pods())
            if running >= int(self._spec.get("parallelism", 1_000_000)):
                return
        try:
            made = self._with_arguments(template, self._resolved(task))
        except SubstitutionError as error:
            self._node(name, "Skipped", template["name"], task["name"], "Error", str(error))
            return
        if "retryStrategy" in template:
            self._retry(name, task["name"], made)
        else:
            self._pod(name, task["name"], made)

    def _retry(self, name: str, display: str, template: dict[str, Any]) -> None:
        parent = self._node(name, "Retry", template["name"], display)
        if parent["phase"] in DONE:
            return
        strategy = template["retryStrategy"]
        children = [self._nodes[child] for child in parent.setdefault("children", [])]
        if children:
            last = self._pod(
                f"{name}({len(children) - 1})", f"{display}({len(children) - 1})", template, retried=True
            )
            if not _fulfilled(last):
                return
            if last["phase"] == "Succeeded":
                parent["outputs"] = last.get("outputs", {})
                self._mark(parent, "Succeeded")
                return
            if self._shutdown:
                self._mark(parent, last["phase"], f"Stopped with strategy '{self._shutdown}'")
                return
            if len(children) > int(strategy["limit"]):
                self._mark(parent, last["phase"], "No more retries left")
                return
            wait = float(strategy.get("backoff", {}).get("duration", "0s").rstrip("s"))
            wait *= int(strategy.get("backoff", {}).get("factor", "1")) ** (len(children) - 1)
            if time.time() < last.setdefault("_ended", time.time()) + wait:
                parent["message"] = f"Backoff for {wait:g} seconds"
                return
            parent.pop("message", None)
        number = len(children)
        parent["children"].append(node_id(self._name, f"{name}({number})"))
        self._pod(f"{name}({number})", f"{display}({number})", template, retried=True)

    def _pod(
        self, name: str, display: str, template: dict[str, Any], *, retried: bool = False
    ) -> dict[str, Any]:
        pod_id = pod_name(self._name, name, template["name"])
        known = node_id(self._name, name) in self._nodes
        node = self._node(
            name, "Pod", template["name"], display, "Pending", flags={"retried": True} if retried else {}
        )
        if _fulfilled(node):
            return node
        if self._shutdown and not known:
            return self._mark(node, "Failed", f"workflow shutdown with strategy: {self._shutdown}")
        pod = self._controller.pods.get((self._namespace, pod_id))
        if pod is None:
            try:
                full = substituted(
                    placed(template, self._controller.folder / "pods" / pod_id),
                    self._values | {"pod.name": pod_id},
                )
            except SubstitutionError as error:
                return self._mark(node, "Error", str(error))
            node["inputs"] = template.get("inputs", {})
            if len(json.dumps(full)) > VARIABLE_LIMIT:
                return self._mark(node, "Error", NO_CONFIG_MAPS)
            pod = self._controller.pod(self._namespace, pod_id, full)
            self._create_pod(pod, node)
        if self._shutdown and pod.phase in ("Pending", "Running"):
            pod.kill()
            self._mark(node, "Failed", f"workflow shutdown with strategy:  {self._shutdown}")
            if pod.started:
                # What ended it is told at first; how it ended is written over that when it has.
                node["taskResultSynced"] = False
            return node
        self._follow_pod(node, pod)
        return node

    def _follow_pod(self, node: dict[str, Any], pod: Pod) -> None:
        reason = self._faults.pending.get(node["templateName"], "")
        image = (pod.template.get("script") or pod.template["container"])["image"]
        if image in self._faults.no_images:
            pod.waits = ("ErrImagePull", f'failed to pull and unpack image "{image}": not found')
            reason = ": ".join(pod.waits)
        elif pod.waits[0]:
            pod.waits = ("", "")
        if not pod.started and reason:
            node["message"] = reason
        elif not pod.started:
            node.pop("message", None)
            pod.start()
        elif pod.phase == "Running":
            self._mark(node, "Running")
        elif pod.phase in ("Succeeded", "Failed"):
            if node.get("taskResultSynced") is not False or "shutdown" in node.get("message", ""):
                init = f"init: Error (exit code 64): {pod.init_error}" if pod.init_error else ""
                phase = "Error" if pod.output_error or init else pod.phase
                message = (
                    init or pod.output_error or pod.message or f"main: Error (exit code {pod.exit_code})"
                )
                self._mark(node, phase, "" if phase == "Succeeded" else message)
                node["taskResultSynced"] = False
            else:
                node["outputs"] = pod.outputs | {"exitCode": str(pod.exit_code)}
                node["taskResultSynced"] = True
        if _fulfilled(node):
            self._complete_pod(pod)

    def _create_pod(self, pod: Pod, node: dict[str, Any]) -> None:
        metadata = {
            "name": pod.name,
            "labels": {
                "workflows.argoproj.io/workflow": self._name,
                "workflows.argoproj.io/completed": "false",
            },
            "annotations": {
                "workflows.argoproj.io/node-id": node["id"],
                "workflows.argoproj.io/node-name": node["name"],
                "kubectl.kubernetes.io/default-container": "main",
            },
        }
        item = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {},
            "status": {"phase": "Pending"},
        }
        self._store.create("pods", self._namespace, item)

    def _complete_pod(self, pod: Pod) -> None:
        labels = {"workflows.argoproj.io/completed": "true"}
        self._store.update(
            "pods", self._namespace, pod.name, lambda item: item["metadata"]["labels"].update(labels)
        )

    def _own_pods(self) -> list[Pod]:
        return [
            pod for (_, name), pod in list(self._controller.pods.items()) if name.startswith(f"{self._name}-")
        ]

    def _resolved(self, task: dict[str, Any]) -> dict[str, Any]:
        """Return the task's arguments with other tasks' outputs and the workflow's parameters in them."""
        values = dict(self._values)
        artifacts: dict[str, dict[str, Any]] = {}
        for other in operands(task.get("depends", "")):
            outputs = self._nodes[self._id(other)].get("outputs", {})
            for item in outputs.get("parameters", []):
                values[f"tasks.{other}.outputs.parameters.{item['name']}"] = item["value"]
            for item in outputs.get("artifacts", []):
                artifacts[f"{{{{tasks.{other}.outputs.artifacts.{item['name']}}}}}"] = item
        arguments = task.get("arguments", {})
        made = replaced(
            {"parameters": arguments.get("parameters", [])}, values, strict=("tasks.", "workflow.")
        )
        made["artifacts"] = []
        for item in arguments.get("artifacts", []):
            if "s3" in item:
                made["artifacts"].append(item)
                continue
            if item["from"] not in artifacts:
                raise SubstitutionError(f"unable to resolve references: {item['from']}")
            source = artifacts[item["from"]]
            held = {key: source[key] for key in ("s3", "archive") if key in source}
            made["artifacts"].append({"name": item["name"], **held})
        return made

    def _with_arguments(self, template: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(json.dumps(template))
        given = {item["name"]: item["value"] for item in arguments["parameters"]}
        for item in made.get("inputs", {}).get("parameters", []):
            value = given.get(item["name"], item.get("value", item.get("default")))
            if value is None:
                raise SubstitutionError(f"inputs.parameters.{item['name']} was not supplied")
            item["value"] = value
        sources = {item["name"]: item for item in arguments["artifacts"]}
        for item in made.get("inputs", {}).get("artifacts", []):
            if item["name"] in sources:
                item.update(sources[item["name"]])
            elif "s3" not in item and not item.get("optional"):
                raise SubstitutionError(f"inputs.artifacts.{item['name']} was not supplied")
        return made

    def _id(self, task: str) -> str:
        return node_id(self._name, f"{self._name}.{task}")

    def _node(
        self,
        name: str,
        type_: str,
        template: str,
        display: str,
        phase: str = "Running",
        message: str = "",
        flags: Any = None,
    ) -> dict[str, Any]:
        identity = node_id(self._name, name)
        if identity not in self._nodes:
            self._nodes[identity] = {
                "id": identity,
                "name": name,
                "displayName": display,
                "type": type_,
                "templateName": template,
                "templateScope": f"local/{self._name}",
                "phase": phase,
                "startedAt": now(),
                "finishedAt": now() if phase in DONE else None,
                "progress": "0/1",
            }
            node = self._nodes[identity]
            if name != self._name:
                node["boundaryID"] = self._name
            if message:
                node["message"] = message
            if flags:
                node["nodeFlag"] = flags
        return self._nodes[identity]

    def _mark(self, node: dict[str, Any], phase: str, message: str = "") -> dict[str, Any]:
        node["phase"] = phase
        if message:
            node["message"] = message
        else:
            node.pop("message", None)
        if phase in DONE and node["finishedAt"] is None:
            node["finishedAt"] = now()
        return node


def _fulfilled(node: dict[str, Any]) -> bool:
    return node["phase"] in DONE and node.get("taskResultSynced") is not False
