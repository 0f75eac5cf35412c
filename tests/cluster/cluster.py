"""The test cluster as tests hold it: started, broken and stopped by a context manager."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from tests.cluster.controller import Controller
from tests.cluster.faults import Faults
from tests.cluster.server import ApiServer
from tests.cluster.store import Store

TOKEN = "a-token-of-the-test-cluster"


class TestCluster:
    """An API server on a free port of this machine, with a controller that runs steps as local processes.

    Args:
        step_seconds: How much longer than it takes each step runs, for tests that look while it does.
        kubeconfig: Where to write the kubeconfig; None means a file in the cluster's own folder.
        port: The port; 0 takes a free one.
    """

    __test__ = False
    context = "test-cluster"
    namespace = "team-a"

    def __init__(self, *, step_seconds: float = 0.0, kubeconfig: Path | None = None, port: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kfp-jupyter-cluster-"))
        self.faults = Faults()
        self.store = Store()
        self.controller = Controller(self.store, self.faults, self.folder, step_seconds)
        self.server = ApiServer(port, self.store, self.faults, self.controller, TOKEN)
        self.kubeconfig = str(kubeconfig or self.folder / "kubeconfig")
        self._reserved: socket.socket | None = None

    def __enter__(self) -> TestCluster:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """The API server's address."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def start(self) -> None:
        """Serve, control, and write the kubeconfig."""
        self._serve()
        self.controller.start()
        self.write_kubeconfig()

    def stop(self) -> None:
        """End all processes and threads, and remove all files."""
        self.controller.stop()
        self.server.drop_connections()
        self.server.shutdown()
        self.server.server_close()
        self._give_back()
        shutil.rmtree(self.folder, ignore_errors=True)

    def go_down(self) -> None:
        """Stop serving: connections are cut and new ones refused; the controller and pods go on."""
        port = self.server.server_port
        self.server.shutdown()
        self.server.server_close()
        # Bound, though not listened to: connections are refused, and nobody else is given that port.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", port))
        self.server.drop_connections()

    def come_back(self) -> None:
        """Serve again at the same address, after `go_down`."""
        requests = self.server.requests
        self.server = ApiServer(self.server.server_port, self.store, self.faults, self.controller, TOKEN)
        self.server.requests = requests
        self._serve()
        self._give_back()

    def write_kubeconfig(self, *, current: bool = True, token: str = TOKEN) -> None:
        """Write a kubeconfig with one context, in JSON, which is YAML too."""
        place = {"cluster": self.context, "user": "test-user", "namespace": self.namespace}
        config: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": self.context, "cluster": {"server": self.host}}],
            "users": [{"name": "test-user", "user": {"token": token} if token else {}}],
            "contexts": [{"name": self.context, "context": place}],
        }
        if current:
            config["current-context"] = self.context
        Path(self.kubeconfig).write_text(json.dumps(config, indent=1), encoding="utf-8")

    def workflow(self, name: str) -> dict[str, Any] | None:
        """Return a Workflow as it is stored."""
        return self.store.get("workflows", self.namespace, name)

    def wait(self, condition: Callable[[], Any], seconds: float = 120.0) -> Any:
        """Return what the condition returns as soon as that is true.

        Raises:
            TimeoutError: It did not become true.
        """
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = condition()
            if found:
                return found
            with self.store.changed:
                self.store.changed.wait(0.05)
        raise TimeoutError("the condition did not become true")

    def _give_back(self) -> None:
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def _serve(self) -> None:
        Thread(target=self.server.serve_forever, args=[0.05], name="test API server", daemon=True).start()
