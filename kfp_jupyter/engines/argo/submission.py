"""Starting a run: everything that can be known to go wrong is asked before anything is made.

May I (an access review for each verb that a run needs), is Argo there, does the API server take this Workflow
(the same create as a dry run, with unknown fields refused): then one create. The Workflow's name is the run's
id, so a create whose answer was lost is recognised and not done twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfp_jupyter.engines.argo.connection import Cluster
from kfp_jupyter.engines.argo.errors import (
    ArgoMissingError,
    ClusterError,
    ForbiddenError,
    NamespaceMissingError,
    NotLoggedInError,
    RefusedError,
    RequestError,
    RunExistsError,
    UnreachableError,
)
from kfp_jupyter.engines.argo.record import RUN_LABEL

VERBS = ("create", "get", "list", "watch")
"""What a run needs of workflows.argoproj.io from the start; `patch` only to cancel it."""

_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_SCHEMES = {"s3": "s3", "gcs": "gs", "oss": "oss"}


def submit(cluster: Cluster, workflow: Mapping[str, Any]) -> str:
    """Create a Workflow and return `namespace/name`.

    Raises:
        ForbiddenError: The user may not do what a run needs.
        ArgoMissingError: The cluster has no Argo Workflows.
        NamespaceMissingError: It has no such namespace.
        RefusedError: The API server does not take it.
        RunExistsError: There is a Workflow of that name.
        ClusterError: The cluster cannot be reached, or the login does not hold.
    """
    check_access(cluster)
    name = workflow["metadata"]["name"]
    location = f"{cluster.namespace}/{name}"
    _create(cluster, workflow, location, {"dryRun": "All"})
    try:
        _create(cluster, workflow, location, {})
    except (UnreachableError, RunExistsError):
        # The answer may have been lost after the Workflow was made.
        if not _is_ours(cluster, workflow):
            raise
    return location


def check_access(cluster: Cluster) -> None:
    """See that the user may do what a run needs.

    Raises:
        ForbiddenError: Names the first thing that is not allowed.
        ClusterError: The cluster cannot be reached, or the login does not hold.
    """
    for verb in VERBS:
        wanted = {
            "namespace": cluster.namespace,
            "verb": verb,
            "group": "argoproj.io",
            "resource": "workflows",
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        answer = cluster.request("POST", _REVIEW, body=review)
        if not (answer.get("status") or {}).get("allowed"):
            user = _user(cluster)
            if user == "system:anonymous":
                raise NotLoggedInError(cluster.host, cluster.context)
            raise ForbiddenError(user, verb, "workflows.argoproj.io", cluster.namespace)


def artifact_root(cluster: Cluster) -> str:
    """Return the URI that keys in the namespace's artifact repository begin at; empty if that cannot be read.

    Follows https://argo-workflows.readthedocs.io/en/latest/artifact-repository-ref/
    """
    import yaml

    try:
        found = cluster.get(f"/api/v1/namespaces/{cluster.namespace}/configmaps/artifact-repositories")
    except ClusterError:
        # Most users may not read it, or the controller's own setting counts, which nobody may.
        return ""
    data = found.get("data") or {}
    annotations = found["metadata"].get("annotations") or {}
    key = annotations.get("workflows.argoproj.io/default-artifact-repository", "")
    try:
        repository = yaml.safe_load(data.get(key, "")) or {}
    except yaml.YAMLError:
        return ""
    for kind, scheme in _SCHEMES.items():
        bucket = (repository.get(kind) or {}).get("bucket")
        if bucket:
            return f"{scheme}://{bucket}"
    return ""


def _create(cluster: Cluster, workflow: Mapping[str, Any], location: str, query: dict[str, str]) -> None:
    path = f"/apis/argoproj.io/v1alpha1/namespaces/{cluster.namespace}/workflows"
    try:
        cluster.request("POST", path, query={"fieldValidation": "Strict", **query}, body=workflow)
    except RequestError as error:
        if error.status == 404 and error.details.get("kind") == "namespaces":
            raise NamespaceMissingError(cluster.namespace) from error
        if error.status == 404:
            raise ArgoMissingError(cluster.host) from error
        if error.status == 409:
            raise RunExistsError(location) from error
        raise RefusedError(error.message) from error


def _is_ours(cluster: Cluster, workflow: Mapping[str, Any]) -> bool:
    name, labels = workflow["metadata"]["name"], workflow["metadata"]["labels"]
    path = f"/apis/argoproj.io/v1alpha1/namespaces/{cluster.namespace}/workflows/{name}"
    try:
        found = cluster.get(path)
    except ClusterError:
        return False
    return bool(found["metadata"].get("labels", {}).get(RUN_LABEL) == labels[RUN_LABEL])


def _user(cluster: Cluster) -> str:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = cluster.request("POST", _WHO, body=body)
    except ClusterError:
        return ""
    return str(((answer.get("status") or {}).get("userInfo") or {}).get("username", ""))
