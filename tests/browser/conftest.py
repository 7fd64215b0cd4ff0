"""Chromium before the running demonstration: the shop, its database and the sandbox, each behind a socket."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import ARGUMENTS, chromium
from tests.browser.ledger import Ledger
from tests.browser.sandbox import RemoteSandbox
from tests.browser.troubles import Troubles
from tests.example.conftest import Demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

    from tests.browser.shopper import Shopper

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "browser"
# Milliseconds.
PATIENCE = 30_000
TROUBLES = pytest.StashKey[Troubles]()


# Not for the session: while Playwright runs, Django takes the thread for an asynchronous one and refuses the database.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    reason = "needs Playwright: pip install -e '.[browser]'"
    sync_api = pytest.importorskip("playwright.sync_api", reason=reason)
    path = chromium()
    sync_api.expect.set_options(timeout=PATIENCE)
    with (
        sync_api.sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=ARGUMENTS) as browser,
    ):
        yield browser


@pytest.fixture(scope="package")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"))
    try:
        yield demo.wait_until_ready()
    finally:
        demo.process.terminate()
        demo.end()


@pytest.fixture
def klarna(demo: Demo) -> RemoteSandbox:
    sandbox = RemoteSandbox(f"http://127.0.0.1:{demo.sandbox_port}")
    sandbox.reset()
    return sandbox


@pytest.fixture
def ledger(demo: Demo) -> Ledger:
    return Ledger(demo.database)


@pytest.fixture
def context(browser: Browser, demo: Demo) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    with browser.new_context(base_url=f"http://127.0.0.1:{demo.port}") as context:
        context.set_default_timeout(PATIENCE)
        yield context


@pytest.fixture(autouse=True)
def troubles(context: BrowserContext, request: pytest.FixtureRequest) -> Troubles:
    """What went wrong; a test that means it looks at the list and empties it."""
    troubles = request.node.stash[TROUBLES] = Troubles(context)
    return troubles


@pytest.fixture
def page(context: BrowserContext, troubles: Troubles) -> Page:
    return context.new_page()


@pytest.fixture
def shopper(page: Page, klarna: RemoteSandbox) -> Shopper:
    from tests.browser.shopper import Shopper  # noqa: PLC0415 - Playwright may not be installed

    return Shopper(page)


@pytest.fixture
def content_security_policy(context: BrowserContext, demo: Demo) -> Iterator[None]:
    """Hold the checkout to a policy that allows the shop and Klarna, and nothing inline."""
    klarna = f"http://127.0.0.1:{demo.sandbox_port}"
    directives = [f"{kind}-src 'self' {klarna}" for kind in ("script", "connect", "img")]
    policy = "; ".join(["default-src 'none'", "style-src 'self'", *directives])

    def hold(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": policy})

    context.route("**/checkout/", hold)
    # To Chromium a page that came over no network is a stranger's, who may not ask this machine.
    context.grant_permissions(["local-network-access"])
    yield
    context.unroute_all(behavior="ignoreErrors")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that has ended well although something went wrong in the browser."""
    result = yield
    assert item.stash[TROUBLES] == []
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell what went wrong in the browser of a failed test, and keep a picture of each of its pages."""
    report = yield
    if report.when == "call" and report.failed:
        troubles = item.stash[TROUBLES]
        pictures = take_pictures(troubles.context, re.sub(r"[^\w.]+", "-", item.nodeid))
        report.sections.append(("Browser", "\n".join([*pictures, *troubles])))
    return report


def take_pictures(context: BrowserContext, name: str) -> Iterator[str]:
    for number, page in enumerate(context.pages, 1):
        picture = SCREENSHOTS / f"{name}-{number}.png"
        # A page that has crashed cannot be seen; that must not end the run.
        with suppress(Exception):
            page.screenshot(path=picture, full_page=True)
            yield f"screenshot: {picture}"
