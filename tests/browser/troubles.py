"""What goes wrong in a browser while nobody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response

# A page that is left drops what it was still loading.
LEFT = "net::ERR_ABORTED"
# The list has the failed request already, with its method and address.
ECHO = "Failed to load resource"


class Troubles(list[str]):
    """Exceptions, errors in the console (a breach of a security policy is one) and failed requests, oldest first."""

    def __init__(self, context: BrowserContext) -> None:
        super().__init__()
        self.context = context
        context.on("weberror", lambda error: self.append(f"exception: {error.error}"))
        context.on("console", self._said)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"} and not message.text.startswith(ECHO):
            self.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT:
            self.append(f"{request.failure}: {request.method} {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.append(f"{response.status}: {response.request.method} {response.url}")
