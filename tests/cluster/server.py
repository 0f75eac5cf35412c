"""The API server over HTTP: the verbs and paths that an engine for Argo uses, and how they fail."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cluster.controller import Controller
from tests.cluster.faults import Faults
from tests.cluster.schema import unknown_fields
from tests.cluster.store import Conflict, Expired, Object, Store

USER = "test-user"
_WORKFLOWS = re.compile(r"/apis/argoproj\.io/v1alpha1/namespaces/([^/]+)/workflows(?:/([^/]+))?")
_PODS = re.compile(r"/api/v1/namespaces/([^/]+)/pods(?:/([^/]+)(/log)?)?")
_CONFIG_MAPS = re.compile(r"/api/v1/namespaces/([^/]+)/configmaps/([^/]+)")
_BOOKMARK_EVERY = 10
REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "AlreadyExists",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}


class Refused(Exception):  # noqa: N818 (an answer, not a fault of this program)
    """Answered with a Status."""

    def __init__(self, code: int, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": REASONS[code],
            "message": message,
            "details": details or {},
        }


class ApiServer(ThreadingHTTPServer):
    """Serves one store.

    Args:
        port: 0 takes a free one.
        namespaces: The namespaces there are.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, store: Store, faults: Faults, controller: Controller, token: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.store = store
        self.faults = faults
        self.controller = controller
        self.token = token
        self.namespaces = {"default", "team-a"}
        self.requests: list[str] = []
        self._connections: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients go away in the middle of answers, by design of the tests."""

    def drop_connections(self) -> None:
        """Cut every connection, in the middle of whatever it was told."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ApiServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Print nothing."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        address = urlsplit(self.path)
        self.query = {key: values[-1] for key, values in parse_qs(address.query).items()}
        self.server.requests.append(f"{method} {self.path}")
        length = int(self.headers.get("Content-Length") or 0)
        self.body = json.loads(self.rfile.read(length)) if length else {}
        self._begun = False
        try:
            self._authenticate()
            self._route(method, address.path)
        except Refused as refused:
            if not self._begun:
                self._send(refused.status["code"], refused.status)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _authenticate(self) -> None:
        faults = self.server.faults
        if faults.unavailable:
            raise Refused(503, "the server is currently unable to handle the request")
        if faults.busy:
            raise Refused(429, "too many requests, please try again later")
        given = self.headers.get("Authorization", "")
        if faults.expired_token or (given and given != f"Bearer {self.server.token}"):
            raise Refused(401, "Unauthorized")
        self.user = "system:anonymous" if faults.anonymous or not given else USER

    def _route(self, method: str, path: str) -> None:
        workflows, pods, maps = (
            _WORKFLOWS.fullmatch(path),
            _PODS.fullmatch(path),
            _CONFIG_MAPS.fullmatch(path),
        )
        if path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
            self._access_review()
        elif path == "/apis/authentication.k8s.io/v1/selfsubjectreviews":
            self._send(201, self.body | {"status": {"userInfo": {"username": self.user}}})
        elif workflows and not self.server.faults.no_argo:
            self._workflows(method, *workflows.groups())
        elif pods:
            self._pods(*pods.groups())
        elif maps:
            self._config_map(*maps.groups())
        else:
            raise Refused(404, "the server could not find the requested resource")

    def _access_review(self) -> None:
        wanted = self.body["spec"]["resourceAttributes"]
        self._allow("create", "selfsubjectaccessreviews", "authorization.k8s.io", wanted["namespace"])
        allowed = (wanted["verb"], wanted["resource"]) not in self.server.faults.forbidden
        self._send(201, self.body | {"status": {"allowed": allowed}})

    def _allow(self, verb: str, resource: str, group: str, namespace: str) -> None:
        if self.user == "system:anonymous" or (verb, resource) in self.server.faults.forbidden:
            place = f'in API group "{group}" in the namespace "{namespace}"'
            what = f'User "{self.user}" cannot {verb} resource "{resource}" {place}'
            raise Refused(403, f"{resource}.{group} is forbidden: {what}".replace(". is", " is"))

    def _workflows(self, method: str, namespace: str, name: str | None) -> None:
        watch = self.query.get("watch") in ("true", "True", "1")
        reading = "watch" if watch else "get" if name else "list"
        verb = {"GET": reading, "POST": "create", "PATCH": "patch", "DELETE": "delete"}[method]
        self._allow(verb, "workflows", "argoproj.io", namespace)
        store = self.server.store
        if verb == "create":
            self._create(namespace)
        elif verb == "watch":
            self._watch(namespace)
        elif verb == "list":
            items = [item for item in store.list("workflows", namespace) if self._selected(item)]
            version = {"resourceVersion": str(store.version)}
            self._send(
                200,
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "WorkflowList",
                    "metadata": version,
                    "items": items,
                },
            )
        else:
            assert name is not None
            change: Callable[[Object], None] = lambda item: _merge(item, self.body)  # noqa: E731 (typed)
            found = (
                store.update("workflows", namespace, name, change)
                if verb == "patch"
                else store.get("workflows", namespace, name)
            )
            if found is None:
                raise Refused(
                    404, f'workflows.argoproj.io "{name}" not found', {"kind": "workflows", "name": name}
                )
            if verb == "delete":
                store.delete("workflows", namespace, name)
                self.server.controller.remove(namespace, name)
            self._send(200, found)

    def _create(self, namespace: str) -> None:
        if namespace not in self.server.namespaces:
            raise Refused(
                404, f'namespaces "{namespace}" not found', {"kind": "namespaces", "name": namespace}
            )
        unknown = unknown_fields(self.body)
        if unknown and self.query.get("fieldValidation") == "Strict":
            raise Refused(400, f"strict decoding error: {', '.join(unknown)}")
        if self.server.faults.refusal:
            raise Refused(422, self.server.faults.refusal)
        try:
            made = self.server.store.create(
                "workflows", namespace, self.body, dry_run=self.query.get("dryRun") == "All"
            )
        except Conflict as conflict:
            raise Refused(409, f'workflows.argoproj.io "{conflict}" already exists') from conflict
        self._send(201, made)

    def _watch(self, namespace: str) -> None:
        self._begin_stream("application/json")
        after = int(self.query.get("resourceVersion") or 0)
        seconds = float(self.query.get("timeoutSeconds") or 300)
        idle = 0
        try:
            for event in self.server.store.events("workflows", namespace, after, seconds):
                if self.server.faults.silent:
                    continue
                idle = idle + 1 if event is None else 0
                if event is not None:
                    after = event[0]
                    event[2].pop("_key")
                    if self._selected(event[2]):
                        self._chunk(json.dumps({"type": event[1], "object": event[2]}) + "\n")
                elif self.query.get("allowWatchBookmarks") == "true" and idle % _BOOKMARK_EVERY == 0:
                    version = {"resourceVersion": str(self.server.store.version), "creationTimestamp": None}
                    self._chunk(
                        json.dumps({"type": "BOOKMARK", "object": {"kind": "Workflow", "metadata": version}})
                        + "\n"
                    )
        except Expired:
            status = Refused(410, f"too old resource version: {after}").status
            self._chunk(json.dumps({"type": "ERROR", "object": status}) + "\n")
        self._chunk("")

    def _selected(self, item: Object) -> bool:
        field = self.query.get("fieldSelector", "")
        if field == "status.phase!=Pending" and item["status"]["phase"] == "Pending":
            return False
        if field.startswith("metadata.name=") and item["metadata"]["name"] != field.partition("=")[2]:
            return False
        labels = item["metadata"].get("labels", {})
        wanted = [part.partition("=") for part in self.query.get("labelSelector", "").split(",") if part]
        return all(labels.get(key) == value for key, _, value in wanted)

    def _pods(self, namespace: str, name: str | None, log: str | None) -> None:
        if name is None:
            self._allow("list", "pods", "", namespace)
            items = [item for item in self.server.store.list("pods", namespace) if self._selected(item)]
            self._send(200, {"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": items})
            return
        self._allow("get", "pods/log" if log else "pods", "", namespace)
        item = self.server.store.get("pods", namespace, name)
        if item is None:
            raise Refused(404, f'pods "{name}" not found', {"kind": "pods", "name": name})
        if not log:
            self._send(200, item)
            return
        pod = self.server.controller.pods[(namespace, name)]
        if pod.phase == "Pending" or pod.init_error:
            raise Refused(400, f'container "main" in pod "{name}" is waiting to start: ContainerCreating')
        self._begin_stream("text/plain")
        sent = self._first_line(pod.log.lines)
        holes, cuts = self.server.faults.log_holes, self.server.faults.log_cuts
        hole = holes.pop(0) if holes else -1
        cut = cuts.pop(0) if cuts else -1
        while True:
            with pod.log.changed:
                if sent >= len(pod.log.lines) and not pod.log.closed and self.query.get("follow") == "true":
                    pod.log.changed.wait(0.5)
                lines, closed = pod.log.lines[sent:], pod.log.closed
            for number, (stamp, line) in enumerate(lines, start=sent):
                if number == cut:
                    raise ConnectionResetError
                if number == hole:
                    continue
                self._chunk(f"{stamp} {line}\n" if self.query.get("timestamps") == "true" else f"{line}\n")
            sent += len(lines)
            if closed or self.query.get("follow") != "true":
                break
        self._chunk("")

    def _first_line(self, lines: list[tuple[str, str]]) -> int:
        if "tailLines" in self.query:
            return max(0, len(lines) - int(self.query["tailLines"]))
        # To the second, as the kubelet takes it.
        since = self.query.get("sinceTime", "")[:19]
        return (
            next((n for n, (stamp, _) in enumerate(lines) if stamp[:19] >= since), len(lines)) if since else 0
        )

    def _config_map(self, namespace: str, name: str) -> None:
        self._allow("get", "configmaps", "", namespace)
        item = self.server.store.get("configmaps", namespace, name)
        if item is None:
            raise Refused(404, f'configmaps "{name}" not found', {"kind": "configmaps", "name": name})
        self._send(200, item)

    def _send(self, code: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _begin_stream(self, kind: str) -> None:
        self._begun = True
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


def _merge(item: dict[str, Any], patch: dict[str, Any]) -> None:
    """Merge as RFC 7386 says."""
    for key, value in patch.items():
        if value is None:
            item.pop(key, None)
        elif isinstance(value, dict):
            _merge(item.setdefault(key, {}), value)
        else:
            item[key] = value
