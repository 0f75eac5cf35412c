from __future__ import annotations

from playwright.sync_api import Page

import kfp_jupyter
from tests.browser.conftest import Lab


def test_jupyterlab_activates_the_extension_of_this_version(lab: Lab, page: Page) -> None:
    page.goto(f"{lab.url}/lab?reset")
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('kfp-jupyter:version')")
    version = page.evaluate("window.jupyterapp.commands.execute('kfp-jupyter:version')")
    assert version == kfp_jupyter.__version__
