"""KFP's `DockerRunner`: every step runs in a container of its image, as on a cluster.

KFP hands its arguments to the `docker` package of Python. Here docker's or podman's own program is called,
and they become words of its command line (`docker_words`); the package is not needed.
Reference: https://docker-py.readthedocs.io/en/stable/containers.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.local.docker_words import KNOWN, words
from kfp_jupyter.local.errors import InitError
from kfp_jupyter.model.check import unknown_name

OF_CONTAINERS = ("auto_remove", "detach", "name", "remove", "stderr", "stdout", "stream")
OURS = frozenset({"command", "image", "volumes", *OF_CONTAINERS})
"""What each step decides, or what the runner needs to follow it."""


class DockerRunner:
    """Runs every step in a container of its image.

    Args:
        max_concurrent_pip_installs: Taken for KFP's sake; containers install apart from each other.
        **container_run_args: What `containers.run` of the `docker` package takes, such as `network_mode`,
            `environment`, `mem_limit` or `user`; not `image`, `command` and `volumes`, which are the steps'.

    Attributes:
        container_run_args: As given.
        words: The same as words of a command line.

    Raises:
        InitError: An argument is unknown, not to be chosen here, or of a form that has no words.
    """

    DOCKER_CONTAINER_RUN_ARGS: ClassVar[frozenset[str]] = frozenset({*KNOWN, *OURS})

    def __init__(self, max_concurrent_pip_installs: int = 1, **container_run_args: Any) -> None:
        where = place_line(*caller())
        for name in container_run_args:
            if name in OURS:
                raise InitError(
                    f"`DockerRunner` got {name!r}, which is not to be chosen: the step decides it.",
                    where=where,
                    remedy="Take it away.",
                )
            if name not in KNOWN:
                remedy = unknown_name("arguments", name, sorted(KNOWN))
                raise InitError(f"`DockerRunner` has no argument {name!r}.", where=where, remedy=remedy)
        try:
            self.words = tuple(
                word for name, given in container_run_args.items() for word in words(name, given)
            )
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise InitError(
                f"`DockerRunner` got an argument in a form that `docker run` has no words for: {error}.",
                where=where,
                remedy="See https://docker-py.readthedocs.io/en/stable/containers.html.",
            ) from None
        self.max_concurrent_pip_installs = max_concurrent_pip_installs
        self.container_run_args = container_run_args

    def __repr__(self) -> str:
        """Return how it was made."""
        given = ", ".join(f"{name}={value!r}" for name, value in self.container_run_args.items())
        return f"DockerRunner({given})"
