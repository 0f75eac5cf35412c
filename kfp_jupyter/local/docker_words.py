"""Arguments of `containers.run` of Python's `docker` package as words for `docker run` and `podman run`.

Reference: https://docker-py.readthedocs.io/en/stable/containers.html,
https://docs.docker.com/reference/cli/docker/container/run/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_VALUES = {
    "blkio_weight": "--blkio-weight",
    "cgroup_parent": "--cgroup-parent",
    "cgroupns": "--cgroupns",
    "cpu_period": "--cpu-period",
    "cpu_quota": "--cpu-quota",
    "cpu_rt_period": "--cpu-rt-period",
    "cpu_rt_runtime": "--cpu-rt-runtime",
    "cpu_shares": "--cpu-shares",
    "cpuset_cpus": "--cpuset-cpus",
    "cpuset_mems": "--cpuset-mems",
    "domainname": "--domainname",
    "hostname": "--hostname",
    "ipc_mode": "--ipc",
    "isolation": "--isolation",
    "kernel_memory": "--kernel-memory",
    "mac_address": "--mac-address",
    "mem_limit": "--memory",
    "mem_reservation": "--memory-reservation",
    "mem_swappiness": "--memory-swappiness",
    "memswap_limit": "--memory-swap",
    "network": "--network",
    "network_mode": "--network",
    "oom_score_adj": "--oom-score-adj",
    "pid_mode": "--pid",
    "pids_limit": "--pids-limit",
    "platform": "--platform",
    "runtime": "--runtime",
    "shm_size": "--shm-size",
    "stop_signal": "--stop-signal",
    "user": "--user",
    "userns_mode": "--userns",
    "uts_mode": "--uts",
    "volume_driver": "--volume-driver",
    "working_dir": "--workdir",
}
"""Words with one value."""

_SWITCHES = {
    "init": ("--init",),
    "network_disabled": ("--network", "none"),
    "oom_kill_disable": ("--oom-kill-disable",),
    "privileged": ("--privileged",),
    "publish_all_ports": ("--publish-all",),
    "read_only": ("--read-only",),
    "stdin_open": ("--interactive",),
    "tty": ("--tty",),
}
"""Words that stand alone."""

_LISTS = {
    "cap_add": "--cap-add",
    "cap_drop": "--cap-drop",
    "device_cgroup_rules": "--device-cgroup-rule",
    "devices": "--device",
    "dns": "--dns",
    "dns_opt": "--dns-option",
    "dns_search": "--dns-search",
    "group_add": "--group-add",
    "security_opt": "--security-opt",
}
"""Words that are repeated for each value of a list."""

_PAIRS = {
    "environment": ("--env", "="),
    "extra_hosts": ("--add-host", ":"),
    "labels": ("--label", "="),
    "storage_opt": ("--storage-opt", "="),
    "sysctls": ("--sysctl", "="),
    "tmpfs": ("--tmpfs", ":"),
}
"""Words that are repeated for each pair of a dict, or each text of a list, with what joins a pair."""


def words(name: str, given: Any) -> Iterator[str]:
    """Yield the words of an argument.

    Args:
        name: The argument, one of `KNOWN`.
        given: Its value; None is as if it were not given.

    Raises:
        TypeError, ValueError, KeyError, AttributeError: The value has a form that has no words.
    """
    if given is None:
        return
    if name in _VALUES:
        if isinstance(given, (list, tuple, dict)):
            raise TypeError(f"{name}={given!r}")
        yield from (_VALUES[name], str(given))
    elif name in _SWITCHES:
        yield from _SWITCHES[name] if given else ()
    elif name in _LISTS:
        for held in [given] if isinstance(given, str) else given:
            yield from (_LISTS[name], str(held))
    elif name in _PAIRS:
        word, joint = _PAIRS[name]
        for held in _pairs(given, joint):
            yield from (word, held)
    else:
        yield from _OTHERS[name](given)


def _pairs(given: Any, joint: str) -> Iterator[str]:
    for held in given.items() if isinstance(given, Mapping) else given:
        if isinstance(held, str):
            yield held
            continue
        key, value = held
        yield f"{key}{joint}{value}" if value not in (None, "") or joint == "=" else str(key)


def _cpus(given: Any) -> Iterator[str]:
    yield from ("--cpus", f"{int(given) / 10**9:g}")


def _gpus(given: Any) -> Iterator[str]:
    """Yield the words for `docker.types.DeviceRequest`s, which are dicts."""
    for request in given:
        ids = request.get("DeviceIDs")
        count = request.get("Count") or 0
        yield "--gpus"
        yield f'"device={",".join(ids)}"' if ids else "all" if count < 0 else str(count)


def _mounts(given: Any) -> Iterator[str]:
    """Yield the words for `docker.types.Mount`s, which are dicts."""
    for mount in given:
        fields = [f"type={mount.get('Type', 'volume')}", f"target={mount['Target']}"]
        fields += [f"source={mount['Source']}"] if mount.get("Source") else []
        yield from ("--mount", ",".join([*fields, *(["readonly"] if mount.get("ReadOnly") else [])]))


def _ports(given: Any) -> Iterator[str]:
    for inside, outside in given.items():
        for held in outside if isinstance(outside, list) else [outside]:
            at = ":".join(map(str, held)) if isinstance(held, tuple) else "" if held is None else str(held)
            yield from ("--publish", f"{at}:{inside}" if at else str(inside))


def _ulimits(given: Any) -> Iterator[str]:
    """Yield the words for `docker.types.Ulimit`s, which are dicts."""
    for limit in given:
        soft = limit.get("Soft", limit.get("soft"))
        hard = limit.get("Hard", limit.get("hard", soft))
        yield from ("--ulimit", f"{limit.get('Name') or limit['name']}={soft}:{hard}")


_OTHERS: dict[str, Callable[[Any], Iterator[str]]] = {
    "device_requests": _gpus,
    "mounts": _mounts,
    "nano_cpus": _cpus,
    "ports": _ports,
    "ulimits": _ulimits,
}

KNOWN = frozenset({*_VALUES, *_SWITCHES, *_LISTS, *_PAIRS, *_OTHERS})
"""The arguments that have words."""
