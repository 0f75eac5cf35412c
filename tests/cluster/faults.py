"""What tests can break: read by the server and the kubelet at each request and each step."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Faults:
    """The faults that are on; each is off at first.

    Attributes:
        refusal: The API server answers creates with 422 and this message.
        forbidden: `(verb, resource)` pairs answered with 403, such as `("create", "workflows")`.
        anonymous: Nobody is known: 403 for `system:anonymous`.
        expired_token: 401 for every request.
        no_argo: The Workflow resource is not installed.
        silent: Watches stay open and tell nothing.
        unavailable: Every request is answered 503.
        busy: Every request is answered 429.
        controller_stopped: No controller picks Workflows up.
        requeue_seconds: How long the controller leaves a Workflow that it has looked at; Argo's own is 10.
        pending: By template, why its pods do not start, such as `Unschedulable: 0/3 nodes are available`.
        no_images: Images that cannot be pulled.
        log_holes: Numbers of lines; each answer with a log leaves out the line of one, which is then used up.
        log_cuts: Numbers of lines; each answer with a log breaks off before one, which is then used up.
        packing: Where the controller puts nodes: `plain`, `gzip` or `offloaded`.
    """

    refusal: str = ""
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    anonymous: bool = False
    expired_token: bool = False
    no_argo: bool = False
    silent: bool = False
    unavailable: bool = False
    busy: bool = False
    controller_stopped: bool = False
    requeue_seconds: float = 0.0
    pending: dict[str, str] = field(default_factory=dict)
    no_images: set[str] = field(default_factory=set)
    log_holes: list[int] = field(default_factory=list)
    log_cuts: list[int] = field(default_factory=list)
    packing: str = "plain"
