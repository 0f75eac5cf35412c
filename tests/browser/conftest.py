"""A JupyterLab server of the tests' own, and a headless Chromium that opens it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import LAUNCH_ARGUMENTS, REMEDY, find_chromium
from tests.cluster import TestCluster

FRONT_END = Path(__file__).parents[2] / "kfp_jupyter" / "labextension"
#: Seconds that a server may take to answer; two to four are usual.
START_TIMEOUT = 300.0
#: Milliseconds that a page may take for anything, on a busy machine; Playwright's own are 5,000.
WAIT = 120_000
expect.set_options(timeout=WAIT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, and the folder that it shows."""

    url: str
    folder: Path


@pytest.fixture(scope="package")
def cluster() -> Iterator[TestCluster]:
    """The cluster that the kubeconfig of JupyterLab's kernels names."""
    with TestCluster() as running:
        yield running


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory, cluster: TestCluster) -> Iterator[Lab]:
    """One JupyterLab for all browser tests, with settings, runtime files and data apart from the user's."""
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    # Otherwise a first start asks, over whatever a test wants to click, whether to fetch Jupyter's news.
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false"}))
    # Bound until the end, though not listened to: nobody else is given that port before the server takes it.
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    port = reserved.getsockname()[1]
    # The front end that stands beside these tests, before one that is installed from elsewhere.
    extensions = home / "share" / "labextensions"
    extensions.mkdir(parents=True)
    (extensions / "kfp-jupyter").symlink_to(FRONT_END, target_is_directory=True)
    environment = {
        **os.environ,
        "JUPYTER_PATH": str(extensions.parent),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "KFP_JUPYTER_DATA": str(home / "kfp-jupyter"),
        "KUBECONFIG": cluster.kubeconfig,
    }
    options = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        "--IdentityProvider.token=",
        # Tests reach commands and documents through window.jupyterapp.
        "--LabApp.expose_app_in_browser=True",
        f"--LabApp.user_settings_dir={home / 'settings'}",
        f"--LabApp.workspaces_dir={home / 'workspaces'}",
    ]
    command = [sys.executable, "-m", "jupyterlab", *options]
    log_path = home / "server.log"
    with log_path.open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(f"{url}/api/status", server, log_path)
        yield Lab(url, folder)
    finally:
        server.terminate()
        try:
            server.wait(timeout=60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        reserved.close()


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log_path: Path) -> None:
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=60):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    log = log_path.read_text(errors="replace")[-4000:]
    pytest.fail(f"JupyterLab did not answer at {url}; its log:\n{log}")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all browser tests.

    Not for the whole session: while Playwright runs, this thread has a running event loop, and other tests
    may want one of their own.
    """
    executable = find_chromium()
    if executable is None:
        pytest.fail(REMEDY)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(LAUNCH_ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Take a picture of the page of a test that failed, to build/browser/."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and page is not None:
        folder = item.config.rootpath / "build" / "browser"
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{item.name}.png")
    return report


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with a profile of its own; the test fails if a script error went uncaught in it."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-US")
    context.set_default_timeout(WAIT)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []
