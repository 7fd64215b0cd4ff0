"""What a person does and sees at the shop."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, Request, expect

# The console carries the widget's events to the test.
TELL = """
for (const name of ["ready", "authorized", "placed", "cancelled", "hidden", "error"])
  document.addEventListener(`klarna:${name}`, ({ detail }) => console.debug(`klarna:${name}`, JSON.stringify(detail)));
"""


class Shopper:
    """Somebody with a browser; whatever is looked for is waited for."""

    def __init__(self, page: Page) -> None:
        page.add_init_script(TELL)
        self.page = page
        self.changes: list[Request] = []
        page.on("request", lambda sent: self.changes.append(sent) if "/cart/lines/" in sent.url else None)
        self.widget = page.locator("[data-klarna-widget]")
        self.pay_button = page.locator("[data-klarna-authorize]")

    def goes_to_the_checkout_with(self, product: str) -> None:
        """Find a product in the catalogue, and follow the links to the checkout."""
        self.page.goto("/")
        self.page.get_by_role("button", name=f"Add {product} to the cart").click()
        expect(self.page.locator("[data-cart=count]")).to_have_text("1")
        self.page.get_by_role("link", name="Cart").click()
        self.page.get_by_role("link", name="To the checkout").click()

    def types_address(self, **fields: str) -> None:
        """Fill in the form for the delivery, and see it reach the shop."""
        for name, text in fields.items():
            self.page.locator(f"[data-delivery] [name={name}]").fill(text)
        with self.page.expect_response("**/checkout/delivery/"):
            self.page.locator("[data-delivery] [name]").last.press("Enter")

    def takes_one_more(self, product: str) -> None:
        """Change the quantity of a line."""
        self.page.get_by_role("button", name=f"One more of {product}").click()

    def types_quantity(self, product: str, quantity: int) -> None:
        """Type the quantity of a line over, and press Enter."""
        line = self.page.locator("[data-line]", has_text=product)
        field = line.locator("[name=quantity]")
        field.press("Control+a")
        field.press_sequentially(str(quantity))
        field.press("Enter")

    def sees(self, text: str) -> None:
        """Read a text on the page."""
        expect(self.page.get_by_text(text)).to_be_visible()

    def cannot_pay(self) -> None:
        """Find the button out of use."""
        expect(self.pay_button).to_be_disabled()

    def cannot_see_klarna(self) -> None:
        """Find neither the widget nor the button."""
        expect(self.widget).to_be_hidden()
        expect(self.pay_button).to_be_hidden()

    def in_another_tab(self, path: str) -> "Shopper":
        """Open another page of the shop beside this one."""
        other = Shopper(self.page.context.new_page())
        other.page.goto(path)
        return other

    def sees_new_total(self, amount: str) -> None:
        """Read the total of the shop in the sums."""
        expect(self.page.locator("[data-cart=total]").first).to_have_text(amount)

    def sees_total(self, amount: str) -> None:
        """Read the total of the shop, in the sums and on the button."""
        expect(self.page.locator("[data-cart=total]")).to_have_text([amount, amount])

    def sees_widget(self, amount: str) -> None:
        """Read the same total in the shop and in Klarna's widget, ready to pay."""
        self.sees_total(amount)
        expect(self.widget.locator(".klarna-container .amount")).to_have_text(amount)
        expect(self.pay_button).to_be_enabled()

    def pays(self, amount: str, *, decision: str) -> None:
        """Press the button, see the amount in Klarna's window, and let Klarna decide."""
        self.presses_the_button(amount)
        self.lets_klarna(decision)

    def presses_the_button(self, amount: str) -> None:
        """Open Klarna's window, and see the amount in it."""
        self.pay_button.click()
        expect(self.page.get_by_role("dialog").locator(".amount")).to_have_text(amount)

    def lets_klarna(self, decision: str) -> None:
        """Press a button in Klarna's window."""
        self.page.get_by_role("dialog").get_by_role("button", name=decision, exact=True).click()

    def chooses(self, way: str) -> None:
        """Choose a way to pay."""
        self.page.get_by_label(way, exact=True).check()

    def ends_at_the_thank_you_page(self, amount: str) -> str:
        """Read the total and the number of the order, which is given."""
        expect(self.page.locator("[data-order-total]")).to_have_text(amount)
        return self.page.locator("[data-order-number]").inner_text()

    @contextmanager
    def stays(self) -> Iterator[None]:
        """Do the block on one page, neither left nor loaded anew."""
        visited: list[str] = []
        self.page.on("framenavigated", lambda frame: visited.append(frame.url))
        yield
        assert visited == []

    @contextmanager
    def hears(self, event: str) -> Iterator[dict[str, Any]]:
        """Wait for an event of the widget; its detail is in the dictionary when the block is over."""
        detail: dict[str, Any] = {}
        with self.page.expect_console_message(lambda said: said.text.startswith(f"{event} ")) as message:
            yield detail
        detail |= json.loads(message.value.text.removeprefix(event))
