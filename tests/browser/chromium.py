"""Where Chromium is, and how it starts on a machine that has neither a screen nor a network."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
NEEDED = "needs Chromium: apt-get install chromium, or CHROMIUM=/path/to/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A request to another machine fails at once, and the test with it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def chromium() -> str:
    """Find the browser; without one the test is skipped and says how to get it."""
    paths = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES)]
    return next(filter(None, paths), None) or pytest.skip(NEEDED)
