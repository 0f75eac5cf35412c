"""A connection to one cluster's API server: plain requests, errors in words.

The `kubernetes` package finds and renews the credentials, whatever kind they are, and makes the TLS pool; the
requests themselves are plain HTTP on that pool. So what goes over the wire is in our hands (timeouts,
streams, no hidden retries), and alike under every version of the package.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from kfp_jupyter.engines.argo.errors import (
    ClusterError,
    ForbiddenError,
    KubeconfigError,
    NoCurrentContextError,
    NoKubeconfigError,
    NotLoggedInError,
    RequestError,
    UnknownContextError,
    UnreachableError,
)
from kfp_jupyter.engines.kubeconfig import kubeconfig_place, read_kubeconfig
from kfp_jupyter.model.run import Target

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# How the API server words it: kubernetes/apiserver, endpoints/handlers/responsewriters/errors.go.
_FORBIDDEN = re.compile(
    r'User "([^"]*)" cannot (\w+) resource "([^"]+)"'
    r'(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?'
)
_MERGE_PATCH = "application/merge-patch+json"


def connect(target: Target) -> Cluster:
    """Return the connection that a target names; nothing is sent yet.

    An unnamed target is the kubeconfig's current context, or without one the cluster around this pod.

    Raises:
        NoKubeconfigError: There is none, and this is no pod.
        NoCurrentContextError: It names no current context.
        UnknownContextError: It has no context of the target's name.
        KubeconfigError: It cannot be used.
    """
    found = read_kubeconfig()
    place = kubeconfig_place()
    if not target.name and not found.contexts and _in_cluster():
        return Cluster("", target.namespace or _account_namespace(), "")
    if not found.contexts:
        if found.problems:
            raise KubeconfigError(" ".join(found.problems))
        raise NoKubeconfigError(place)
    name = target.name or found.current
    if not name:
        raise NoCurrentContextError(found.contexts)
    if name not in found.contexts:
        raise UnknownContextError(name, found.contexts)
    return Cluster(name, target.namespace or _context_namespace(place, name), place)


class Cluster:
    """One cluster, seen as one user in one namespace. Safe to use from several threads.

    Args:
        context: The kubeconfig's context; empty for the cluster that this process runs in.
        namespace: The namespace that runs live in.
        kubeconfig: The kubeconfig's path, or several as in `KUBECONFIG`.
    """

    def __init__(self, context: str, namespace: str, kubeconfig: str) -> None:
        self.context = context
        self.namespace = namespace
        self._kubeconfig = kubeconfig
        # Credentials are loaded again by whichever thread first meets a 401.
        self._loading = Lock()
        self._client = self._load()

    @property
    def host(self) -> str:
        """The API server's address."""
        return str(self._client.configuration.host)

    def within(self, namespace: str) -> Cluster:
        """Return the same connection for runs in another namespace."""
        if namespace == self.namespace:
            return self
        other = copy(self)
        other.namespace = namespace
        return other

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the object at a path.

        Raises:
            ClusterError: See `request`.
        """
        return self.request("GET", path, query=query)

    def request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        """Send one request and return the decoded answer.

        Args:
            method: `GET`, `POST`, `DELETE`, or `PATCH` with a merge patch.
            path: The path below the API server's address.
            query: Parameters.
            body: A JSON value.

        Raises:
            UnreachableError: No answer.
            NotLoggedInError: The credentials are not accepted.
            ForbiddenError: They are, but do not allow this.
            RequestError: Any other answer above 299, also a 403 that is about no permission (a quota).
        """
        decoded: dict[str, Any] = json.loads(self._read(self._send(method, path, query, body, READ_SECONDS)))
        return decoded

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """Return the text at a path, such as a log.

        Raises:
            ClusterError: See `request`.
        """
        return self._read(self._send("GET", path, query, None, READ_SECONDS)).decode("utf-8", "replace")

    def stream(self, path: str, query: Mapping[str, str], read_seconds: float) -> Any:
        """Return the open answer (urllib3's) of a GET whose body goes on.

        Args:
            path: The path below the API server's address.
            query: Parameters.
            read_seconds: The longest silence before reading it fails.

        Raises:
            ClusterError: As `request`.
        """
        return self._send("GET", path, query, None, read_seconds)

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Any, read_seconds: float
    ) -> Any:
        try:
            answer = self._sent(method, path, query, body, read_seconds)
        except UnreachableError:
            # A cluster that was started again may have another address; once more if the kubeconfig says so.
            before = self.host
            self._load_again()
            if self.host == before:
                raise
            answer = self._sent(method, path, query, body, read_seconds)
        if answer.status == 401:
            # The token may have run out since it was read; once more with what the kubeconfig says now.
            answer.drain_conn()
            self._load_again()
            answer = self._sent(method, path, query, body, read_seconds)
        if answer.status >= 300:
            raise self._refusal(answer.status, self._read(answer).decode("utf-8", "replace"))
        return answer

    def _load_again(self) -> None:
        with self._loading:
            self._client = self._load()

    def _read(self, answer: Any) -> bytes:
        try:
            data: bytes = answer.read()
        except Exception as error:
            raise self._unreachable(error) from error
        finally:
            answer.release_conn()
        return data

    def _sent(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Any, read_seconds: float
    ) -> Any:
        import urllib3

        client = self._client
        headers = {"Accept": "application/json, */*", "User-Agent": "kfp-jupyter"}
        headers |= {item["key"]: item["value"] for item in client.configuration.auth_settings().values()}
        if body is not None:
            headers["Content-Type"] = _MERGE_PATCH if method == "PATCH" else "application/json"
        address = client.configuration.host.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
        try:
            return client.rest_client.pool_manager.request(
                method,
                address,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
                retries=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error

    def _refusal(self, status: int, text: str) -> ClusterError:
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        if not isinstance(answer, dict):
            answer = {}
        message = str(answer.get("message") or text[:300])
        if status == 401 or (status == 403 and "system:anonymous" in message):
            return NotLoggedInError(self.host, self.context)
        found = _FORBIDDEN.search(message) if status == 403 else None
        if found:
            user, verb, resource, group, namespace = found.groups()
            name = f"{resource}.{group}" if group else resource
            return ForbiddenError(user, verb, name, namespace or self.namespace)
        details = answer.get("details")
        return RequestError(
            status, str(answer.get("reason", "")), message, details if isinstance(details, dict) else {}
        )

    def _unreachable(self, error: Exception) -> UnreachableError:
        reason = str(error)
        if "CERTIFICATE" in reason.upper():
            reason = f"its certificate is not accepted ({reason})"
        for known, said in (
            ("Connection refused", "connection refused"),
            ("timed out", "no answer in time"),
            ("Name or service not known", "its name is not known"),
            ("Failed to resolve", "its name is not known"),
            ("Temporary failure in name resolution", "its name cannot be looked up"),
        ):
            if known in reason:
                reason = said
        return UnreachableError(self.host, reason)

    def _load(self) -> Any:
        from kubernetes import client
        from kubernetes import config as typed_in_part

        config: Any = typed_in_part
        configuration = client.Configuration()
        try:
            if self.context:
                config.load_kube_config(
                    config_file=self._kubeconfig, context=self.context, client_configuration=configuration
                )
            else:
                config.load_incluster_config(client_configuration=configuration)
        except (config.ConfigException, OSError, ValueError, KeyError, TypeError) as error:
            raise KubeconfigError(str(error).splitlines()[0] if str(error) else repr(error)) from error
        return client.ApiClient(configuration)


def _in_cluster() -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (_ACCOUNT / "token").exists()


def _account_namespace() -> str:
    path = _ACCOUNT / "namespace"
    return path.read_text(encoding="utf-8").strip() if path.exists() else "default"


def _context_namespace(place: str, name: str) -> str:
    """Return the namespace that a context names; `default` if it names none."""
    import yaml

    for part in place.split(os.pathsep):
        path = Path(part).expanduser()
        if not part or not path.exists():
            continue
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for item in content.get("contexts") or []:
            if item.get("name") == name:
                return str((item.get("context") or {}).get("namespace") or "default")
    return "default"
