"""Find a Chromium for the browser tests, or get one.

In this order: the one that the environment variable CHROMIUM names, the system's, one that Playwright
downloaded earlier. Run as a program (`make test` does), it also tries to get a missing one: Debian's package
where this user may install packages, then Playwright's download. It prints the path, or says why there is
none and exits with 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: The names under which distributions and Google install it.
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

#: Headless in a container: no sandbox for root, no GPU, no talk with update or sync servers at every start.
LAUNCH_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

REMEDY = (
    "No Chromium was found for the browser tests, and none could be installed.\n"
    "Install one (Debian: `apt-get install chromium`; Ubuntu, Fedora, macOS: Google Chrome or Chromium),\n"
    "or set the environment variable CHROMIUM to the path of its executable."
)


def find_chromium() -> str | None:
    """Return the path of an executable Chromium, or None where there is none.

    Raises:
        FileNotFoundError: CHROMIUM is set, and is no executable file.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None:
            raise FileNotFoundError(f"CHROMIUM is set to {named!r}, which is no executable file")
        return path
    for command in COMMANDS:
        path = shutil.which(command)
        if path is not None:
            return path
    return _downloaded_by_playwright()


def _downloaded_by_playwright() -> str | None:
    """Return the path of the Chromium in Playwright's own cache, or None."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.is_file() else None


def install_chromium() -> None:
    """Try Debian's package, then Playwright's download; what they print goes to standard error."""
    prefix = _privilege()
    if prefix is not None and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _attempt([*prefix, "apt-get", "update", "-q"], environment)
        # On Ubuntu this package only wraps a snap: what counts is whether a command is there afterwards.
        _attempt([*prefix, "apt-get", "install", "-qy", "--no-install-recommends", "chromium"], environment)
    if find_chromium() is None:
        _attempt([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))


def _privilege() -> list[str] | None:
    """Return the words to put before a command that installs packages, or None where this user may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        answer = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True)
        if answer.returncode == 0:
            return ["sudo", "-n"]
    return None


def _attempt(command: list[str], environment: dict[str, str]) -> None:
    """Run a command that may fail, for at most ten minutes."""
    print("+", *command, file=sys.stderr)
    try:
        subprocess.run(
            command,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            timeout=600,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)


def main() -> int:
    """Print the path of a Chromium, getting one first where there is none."""
    try:
        path = find_chromium()
        if path is None:
            install_chromium()
            path = find_chromium()
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    if path is None:
        print(REMEDY, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
