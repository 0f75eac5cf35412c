"""What a task used of its machine: processor time and memory, beside what it was allowed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of one attempt used, up to now or in all.

    Attributes:
        cpu_seconds: Their processor time.
        memory_bytes: The most memory that they had at once.
        cpu_limit: How many processors the task may use, as it was declared; 0 if nothing is said.
        memory_limit: How many bytes it may have at once; 0 if nothing is said.
    """

    cpu_seconds: float
    memory_bytes: int
    cpu_limit: float = 0.0
    memory_limit: int = 0

    @property
    def over_memory(self) -> bool:
        """True if it had more memory than declared; Kubernetes ends a task that does."""
        return 0 < self.memory_limit < self.memory_bytes

    def differs(self, other: Usage, share: float) -> bool:
        """Say whether it is so different from another that somebody who sees the other should be told.

        Args:
            other: What was told.
            share: How much more counts, as a share of what was told.
        """
        more_cpu = self.cpu_seconds - other.cpu_seconds
        more_memory = self.memory_bytes - other.memory_bytes
        return more_cpu > max(_LEAST_CPU_SECONDS, share * other.cpu_seconds) or more_memory > max(
            _LEAST_MEMORY_BYTES, share * other.memory_bytes
        )


_LEAST_CPU_SECONDS = 0.1
_LEAST_MEMORY_BYTES = 1_000_000
