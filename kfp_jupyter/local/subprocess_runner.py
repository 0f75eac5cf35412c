"""KFP's `SubprocessRunner`: steps are processes of this machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class SubprocessRunner:
    """Runs Python steps as processes of this machine; container components need docker or podman still.

    Attributes:
        use_venv: Whether a step has an environment with nothing but the packages that it asks for. It is made
            once for a set of packages, then kept. Otherwise a step has the packages of this Python, and an
            environment of its own only for those that are missing.
        serialize_pip_installs: Taken for KFP's sake: an environment is never made twice at once.
        max_concurrent_pip_installs: Taken for KFP's sake, as above.
    """

    use_venv: bool = True
    serialize_pip_installs: bool = True
    max_concurrent_pip_installs: int = 1
