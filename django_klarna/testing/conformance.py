"""`CartAdapterTests`, the suite that a shop runs on its own adapter."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Model

from django_klarna.exceptions import CartNotPayable
from django_klarna.testing import checks, purchases
from django_klarna.testing.changes import Change, each_change, unnoticed, untold
from django_klarna.testing.descriptions import read_anew
from django_klarna.testing.personal import personal_data, texts_of_user

if TYPE_CHECKING:
    from django.test import TestCase as Base
else:
    Base = object  # a TestCase would be collected, and run without carts, wherever it is imported

Check = Callable[[Model], Iterable[str]]


class CartAdapterTests(Base):
    """Test the adapter that KLARNA_CART_ADAPTER names: ``class ShopAdapterTests(CartAdapterTests, TestCase)``.

    Needs Django's ``TestCase``. Another adapter is tested with ``@override_settings(KLARNA_CART_ADAPTER=…)``.
    """

    def make_carts(self) -> Iterable[Any]:
        """Give saved carts that can be paid: a plain one, one with a coupon, one of each market and so on."""
        raise NotImplementedError("make_carts() must give the carts to try")

    def make_changes(self, cart: Any) -> Iterable[Change]:  # noqa: ANN401 - the model is the shop's
        """Give everything that a shopper can do to ``cart`` and would see: quantity, coupon, shipping and so on.

        Called anew for each change, which is taken back before the next one.
        """
        raise NotImplementedError("make_changes() must give what a shopper can do to a cart")

    def total_of(self, cart: Any) -> Decimal | None:  # noqa: ANN401 - the model is the shop's
        """Give what the shop says that ``cart`` costs, in the major unit; None is not compared."""
        return None

    def personal_texts(self, cart: Any) -> Iterable[str]:  # noqa: ANN401 - the model is the shop's
        """Give the names, e-mail addresses and phone numbers that the shop knows of the shopper."""
        return texts_of_user(cart)

    def test_every_rule_holds(self) -> None:
        """Klarna would refuse none of the carts."""
        self._report(checks.broken_rules)

    def test_the_total_is_that_of_the_shop(self) -> None:
        """Klarna takes what the shopper sees."""
        self._report(lambda cart: checks.wrong_total(cart, self.total_of(read_anew(cart))))

    def test_the_same_cart_gives_the_same_bytes(self) -> None:
        """A cart that has not changed is not sent again, by whichever process looks at it."""
        self._report(checks.contradictions)

    def test_nothing_personal_is_told(self) -> None:
        """Klarna learns who buys when the shopper has chosen Klarna."""
        self._report(lambda cart: personal_data(cart, self._personal_texts(cart)))

    def test_describing_a_cart_writes_nothing(self) -> None:
        """Looking at a cart leaves it alone."""
        self._report(checks.writes)

    def test_the_account_is_one_of_the_settings(self) -> None:
        """There are credentials for each cart."""
        self._report(checks.unknown_account)

    def test_the_confirmation_url_leads_somewhere(self) -> None:
        """The shopper comes back to the shop."""
        self._report(checks.unusable_url)

    def test_each_change_is_told(self) -> None:
        """After each change Klarna is told something else."""
        self._report(lambda cart: each_change(cart, self.make_changes, untold))

    def test_each_change_is_noticed(self) -> None:
        """Each change is sent after its commit."""
        self._report(lambda cart: each_change(cart, self.make_changes, unnoticed))

    def test_the_shopper_s_data_are_right(self) -> None:
        """Klarna would refuse nothing of what it learns at the click, and nothing of it in the order."""
        self._report(purchases.wrong_data)

    def test_the_reference_is_right(self) -> None:
        """The shopper finds the shop's number at Klarna."""
        self._report(purchases.wrong_reference)

    def test_the_purchase_is_completed(self) -> None:
        """What is paid for becomes an order of the shop's."""
        self._report(purchases.broken_purchases)

    def _personal_texts(self, cart: Model) -> Iterator[str]:
        yield from self.personal_texts(read_anew(cart))
        yield from purchases.names_of(cart)

    def _report(self, check: Check) -> None:
        problems = list(self._problems(check))
        if problems:
            self.fail("\n".join(["", *problems]))

    def _problems(self, check: Check) -> Iterator[str]:
        carts = list(self.make_carts())
        if not carts:
            self.fail("make_carts() gives no cart: nothing would be tested.")
        for number, cart in enumerate(carts, 1):
            for problem in problems_of(cart, check):
                yield f"cart {number} ({cart}): {problem}"


def problems_of(cart: Model, check: Check) -> Iterator[str]:
    """Give what ``check`` finds; a cart that cannot be paid is for one of the tests to explain."""
    try:
        yield from check(cart)
    except CartNotPayable as error:
        yield f"it cannot be paid, which test_every_rule_holds is about: {error}"
