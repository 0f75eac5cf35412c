"""Objects by kind, namespace and name, versions of every write, and the history that watches replay."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from threading import Condition
from typing import Any

Object = dict[str, Any]


class Conflict(Exception):  # noqa: N818 (the field's name)
    """An object of that name is there already."""


class Expired(Exception):  # noqa: N818 (the field's name)
    """The resourceVersion is older than the history that is kept."""


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """All objects. `changed` is notified of every write; it also guards them."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.version = 1000
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._history: list[tuple[int, str, str, Object]] = []
        self._oldest = self.version

    def create(self, plural: str, namespace: str, item: Object, *, dry_run: bool = False) -> Object:
        with self.changed:
            item = copy.deepcopy(item)
            metadata = item["metadata"]
            if "name" not in metadata:
                metadata["name"] = metadata.pop("generateName") + uuid.uuid4().hex[:5]
            key = (plural, namespace, metadata["name"])
            if key in self._objects:
                raise Conflict(metadata["name"])
            metadata |= {
                "namespace": namespace,
                "uid": str(uuid.uuid4()),
                "creationTimestamp": now(),
                "generation": 1,
            }
            return item if dry_run else self._write("ADDED", key, item)

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        with self.changed:
            return copy.deepcopy(self._objects.get((plural, namespace, name)))

    def list(self, plural: str, namespace: str = "") -> list[Object]:
        with self.changed:
            return [
                copy.deepcopy(item)
                for (kind, place, _), item in self._objects.items()
                if kind == plural and namespace in ("", place)
            ]

    def update(
        self, plural: str, namespace: str, name: str, change: Callable[[Object], None]
    ) -> Object | None:
        """Change an object in place; nothing is written if that changed nothing. None if it is gone."""
        with self.changed:
            key = (plural, namespace, name)
            if key not in self._objects:
                return None
            item = copy.deepcopy(self._objects[key])
            change(item)
            if item == self._objects[key]:
                return item
            return self._write("MODIFIED", key, item)

    def delete(self, plural: str, namespace: str, name: str) -> bool:
        with self.changed:
            key = (plural, namespace, name)
            if key not in self._objects:
                return False
            self._write("DELETED", key, self._objects[key])
            del self._objects[key]
            return True

    def expire(self) -> None:
        """Forget the history, as etcd's compaction does."""
        with self.changed:
            self.version += 10
            self._oldest = self.version
            self._history.clear()

    def events(
        self, plural: str, namespace: str, after: int, seconds: float
    ) -> Iterator[tuple[int, str, Object] | None]:
        """Yield `(version, type, object)` of each write after a version, and None while nothing happens.

        Raises:
            Expired: The version is older than the history.
        """
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            with self.changed:
                if after < self._oldest:
                    raise Expired
                found = [
                    event
                    for event in self._history
                    if event[0] > after and event[1].startswith(f"{plural}/{namespace}/")
                ]
                if not found:
                    self.changed.wait(min(0.2, max(0.0, ends - time.monotonic())))
            for version, key, type_, item in found:
                after = version
                yield version, type_, copy.deepcopy(item) | {"_key": key}
            if not found:
                yield None

    def _write(self, type_: str, key: tuple[str, str, str], item: Object) -> Object:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self._objects[key] = item
        self._history.append((self.version, "/".join(key), type_, copy.deepcopy(item)))
        self.changed.notify_all()
        return copy.deepcopy(item)
