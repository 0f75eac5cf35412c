"""What can go wrong between here and a cluster, each with its remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfp_jupyter.engines import base
from kfp_jupyter.engines.base import EngineError


class ManifestError(EngineError):
    """A pipeline asks for something that a Workflow of Argo cannot do, or not yet."""


class ClusterError(EngineError):
    """The cluster could not be reached, or refused."""


class NoKubeconfigError(ClusterError):
    """There is no kubeconfig, and this process does not run in a cluster."""

    def __init__(self, place: str) -> None:
        """Name the place that was looked at."""
        super().__init__(
            f"There is no kubeconfig at {place}.",
            remedy="Put your cluster's kubeconfig there, or set KUBECONFIG to its path.",
        )


class KubeconfigError(ClusterError):
    """The kubeconfig cannot be used."""

    def __init__(self, reason: str) -> None:
        """Quote the client's reason."""
        said = reason if reason.startswith("The kubeconfig") else f"The kubeconfig cannot be used: {reason}"
        super().__init__(said, remedy="Mend that file until `kubectl config view` takes it.")


class NoCurrentContextError(ClusterError):
    """The kubeconfig names no current context."""

    def __init__(self, contexts: Sequence[str]) -> None:
        """List the contexts there are."""
        first = contexts[0] if contexts else "NAME"
        super().__init__(
            "The kubeconfig has no current context.",
            remedy=f"Name one, as in `--target argo:{first}`. The contexts are: {', '.join(contexts)}.",
        )


class UnknownContextError(ClusterError):
    """The kubeconfig has no context of that name."""

    def __init__(self, name: str, contexts: Sequence[str]) -> None:
        """List the contexts there are."""
        super().__init__(
            f"The kubeconfig has no context {name!r}.", remedy=f"There are: {', '.join(contexts) or 'none'}."
        )


class UnreachableError(ClusterError):
    """The API server does not answer."""

    def __init__(self, host: str, reason: str) -> None:
        """Name the host and quote the network's reason."""
        super().__init__(
            f"The cluster at {host} does not answer: {reason}.",
            remedy="See that it runs and that its network is reached (VPN, proxy): "
            "`kubectl get --raw /version` must answer.",
        )


class NotLoggedInError(ClusterError):
    """The API server does not know who is asking."""

    def __init__(self, host: str, context: str) -> None:
        """Name the host and context."""
        place = f"context {context}" if context else "this cluster"
        super().__init__(
            f"The cluster at {host} does not know you: the login of {place} is missing, expired or failed.",
            remedy="Log in again the way you do for kubectl; `kubectl auth whoami` must answer.",
        )


class ForbiddenError(ClusterError):
    """The user may not do what is needed.

    Attributes:
        verb: Such as `create`.
        resource: Such as `workflows.argoproj.io`.
    """

    def __init__(self, user: str, verb: str, resource: str, namespace: str, detail: str = "") -> None:
        """Say who may not do what, and where."""
        super().__init__(
            f"{user or 'You'} may not {verb} {resource} in namespace {namespace!r}"
            + (f": {detail}" if detail else "."),
            remedy=f"Ask for a Role in {namespace!r} that allows it, or choose another namespace with "
            "`--target argo:CONTEXT/NAMESPACE`.",
        )
        self.verb = verb
        self.resource = resource


class ArgoMissingError(ClusterError):
    """The cluster has no Argo Workflows."""

    def __init__(self, host: str) -> None:
        """Name the host."""
        super().__init__(
            f"The cluster at {host} has no Argo Workflows (no resource workflows.argoproj.io/v1alpha1).",
            remedy="Install it: https://argo-workflows.readthedocs.io/en/latest/installation/",
        )


class NamespaceMissingError(ClusterError):
    """The cluster has no such namespace."""

    def __init__(self, namespace: str) -> None:
        """Name it."""
        super().__init__(
            f"The cluster has no namespace {namespace!r}.",
            remedy="Choose another with `--target argo:CONTEXT/NAMESPACE`.",
        )


class RefusedError(ClusterError):
    """The API server refused the Workflow; nothing was created."""

    def __init__(self, message: str) -> None:
        """Quote the server."""
        super().__init__(
            f"The API server refused the workflow: {message}",
            remedy="Nothing was started. Compile the pipeline with `--target argo` to see what was sent.",
        )


class RunExistsError(ClusterError):
    """A Workflow of the run's name is there already, and it is another run's."""

    def __init__(self, location: str) -> None:
        """Name the Workflow."""
        super().__init__(
            f"There is a workflow {location} already.", remedy="Start the run again: it gets a new id."
        )


class RunGoneError(ClusterError, base.RunGoneError):
    """The Workflow of a run is not in the cluster any more."""

    def __init__(self, location: str) -> None:
        """Name the Workflow."""
        super().__init__(
            f"The workflow {location} is not in the cluster any more.",
            remedy="It was deleted there, by someone or by a time limit (ttlStrategy).",
        )


class FetchError(EngineError):
    """An artifact that cannot be brought from the cluster's store."""


class RequestError(ClusterError):
    """The API server answered with another error.

    Attributes:
        status: The HTTP status.
        reason: Kubernetes' reason, such as `Expired`; may be empty.
        message: The server's message.
        details: What the server says about the object concerned.
    """

    def __init__(self, status: int, reason: str, message: str, details: Mapping[str, Any]) -> None:
        """Quote the server."""
        super().__init__(
            f"The API server answered {status} {reason}: {message}".rstrip(": .") + ".",
            remedy="Try again in a minute." if status == 429 or status >= 500 else "",
        )
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details
