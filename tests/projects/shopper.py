"""A browser that sends nothing but what a page gave it."""

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.test import Client

from tests.shop.abstract import AbstractCart

if TYPE_CHECKING:
    # Only the stubs have a name for a response with what the test client adds to it.
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


class Shopper:
    """Somebody without an account, who holds a cart."""

    def __init__(self, cart: AbstractCart) -> None:
        self.browser = Client(enforce_csrf_checks=True)
        session = self.browser.session
        session["cart_id"] = str(cart.pk)
        session.save()

    @cached_property
    def page(self) -> str:
        return self.browser.get("/checkout/").text

    @cached_property
    def config(self) -> dict[str, Any]:
        """What the page tells the widget's module."""
        found = re.search(r'<script type="application/json">(.+?)</script>', self.page)
        assert found, self.page
        return dict(json.loads(found[1]))

    def ask(self, *, csrf: bool = True) -> "Answer":
        """Ask for the session, as the widget's module does."""
        return self._post(self.config["session_url"], "{}", "application/json", csrf=csrf)

    def look(self) -> "Answer":
        """Ask whether the session is still good."""
        return self.browser.get(self.config["session_url"])

    def prepare(self) -> "Answer":
        """Ask for what authorize() is to be called with, before the click."""
        return self._post(self.config["attempt_url"], "{}", "application/json")

    def tell(self, told: dict[str, str], *, csrf: bool = True) -> "Answer":
        """Tell what Klarna said."""
        return self._post(self.config["authorization_url"], json.dumps(told), "application/json", csrf=csrf)

    def type_quantity(self, quantity: int) -> "Answer":
        return self._post("/cart/", f"quantity={quantity}", "application/x-www-form-urlencoded")

    def _post(self, url: str, body: str, content_type: str, *, csrf: bool = True) -> "Answer":
        headers = {self.config["csrf_header"]: self.config["csrf_token"]} if csrf else {}
        return self.browser.post(url, body, content_type=content_type, headers=headers)
