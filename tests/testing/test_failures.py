"""Each promise that an adapter breaks is one failure, which tells what to do."""

import warnings
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import TransactionTestCase
from pytest_django import Settings

from django_klarna.models import KlarnaOrder
from django_klarna.testing import CartAdapterTests, Change, UnchangedCartWarning
from tests.shop.models import Cart, CartLine, Engraving
from tests.testing.running import outcome
from tests.testing.suites import SwedishSuite, filled_cart, set_shipping

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The shop of the suite leaves the carts that it has sold as they were.
    pytest.mark.filterwarnings("ignore::django_klarna.testing.UnchangedCartWarning"),
]


class OfAsa(SwedishSuite):
    """The shopper is Åsa Berg."""

    def personal_texts(self, cart: Any) -> Iterable[str]:
        cart.user = User(username="2500", first_name="åsa", last_name="Berg", email="asa@shop.example")
        return [*super().personal_texts(cart), " "]


class Engraved(SwedishSuite):
    def make_changes(self, cart: Cart) -> Iterator[Change]:
        line = cart.lines.order_by("pk")[0]
        yield Change("engrave", lambda: Engraving.objects.create(line=line, text="For you"))
        yield Change("silently", lambda: CartLine.objects.filter(pk=line.pk).update(quantity=9))
        yield Change("sign in", lambda: User.objects.create(username="asa"))


class Overpriced(SwedishSuite):
    def total_of(self, cart: Cart) -> Decimal:
        return cart.total + 1


class Hopeful(SwedishSuite):
    def make_changes(self, cart: Cart) -> Iterator[Change]:
        yield Change("take all out", lambda: cart.lines.all().delete())
        yield Change("free delivery", lambda: set_shipping(cart, 0), payable=False)


class WithoutCarts(SwedishSuite):
    def make_carts(self) -> Iterator[Cart]:
        yield from ()


class WithoutChanges(SwedishSuite):
    def make_changes(self, cart: Cart) -> Iterator[Change]:
        yield from ()


class Unwritten(CartAdapterTests):
    pass


class OfOneCart(CartAdapterTests):
    def make_carts(self) -> Iterator[Cart]:
        yield filled_cart("199.00")


class OfSeveralCarts(SwedishSuite):
    """One that is empty, one that is good, and one in Denmark."""

    def make_carts(self) -> Iterator[Cart]:
        yield filled_cart(shipping=0)
        yield filled_cart("1.00")
        yield filled_cart("1.00", country="DK")


def failures(suite: type[CartAdapterTests], settings: Settings, adapter: str) -> dict[str, str]:
    settings.KLARNA_CART_ADAPTER = f"tests.testing.broken_adapters.{adapter}"
    number, failed = outcome(suite)
    assert number == 12
    return failed


BYTES = "test_the_same_cart_gives_the_same_bytes"
NOTICED = "test_each_change_is_noticed"
PERSONAL = "test_nothing_personal_is_told"
RULES = "test_every_rule_holds"
TOLD = "test_each_change_is_told"
TOTAL = "test_the_total_is_that_of_the_shop"
URL = "test_the_confirmation_url_leads_somewhere"
ACCOUNT = {"USERNAME": "K1", "PASSWORD": "secret"}
DATA = "test_the_shopper_s_data_are_right"
PURCHASE = "test_the_purchase_is_completed"
REFERENCE = "test_the_reference_is_right"
CART = "cart 1 (Cart object ("


@pytest.mark.parametrize(
    ("adapter", "test", "messages"),
    [
        (
            "Counting",
            BYTES,
            ["built a second time", "/merchant_reference1: 'try ", "Order the lines"],
        ),
        (
            "OfAnotherLineEachTime",
            BYTES,
            ["/order_lines/0/name: '", ", then '", " more\n", "Order the lines"],
        ),
        ("Translating", BYTES, ["with the language '", "/order_lines/0/name: 'Yes', then '", "override(…)"]),
        ("AccountOfTheLanguage", BYTES, ["with the language '", "/account: 'Yes', then '"]),
        ("Dating", BYTES, ["in the time zone UTC", "ordered on 2026-11-2", "in one time zone"]),
        ("RoundingSomehow", BYTES, ["another decimal context", "31 points', then '32 points", "rounding="]),
        ("Writing", "test_describing_a_cart_writes_nothing", ["writes to the database: INSERT INTO"]),
        (
            "OfUnknownAccount",
            "test_the_account_is_one_of_the_settings",
            ["account_for() gives 'denmark'; the accounts in KLARNA are 'default'."],
        ),
        ("WithoutSlash", URL, ["confirmation_url() gives 'thanks/'; it must be a path", "reverse()"]),
        ("WithoutScheme", URL, ["confirmation_url() gives '//shop.example/thanks/'"]),
        (
            "Remembering",
            TOLD,
            ["after 'one more' Klarna is told the same as before", "after 'express delivery'", "cached?"],
        ),
        (
            "WatchingLines",
            NOTICED,
            ["nobody notices 'express delivery': WatchingLines should have watches = {..., Cart: None}"],
        ),
        (
            "WatchingTheCart",
            NOTICED,
            [
                "nobody notices 'one more'",
                "watches = {..., CartLine: 'cart'}",
                "'one less'",
                "'empty the cart'",
            ],
        ),
    ],
)
def test_a_broken_promise_is_told_by_its_test(
    adapter: str, test: str, messages: list[str], settings: Settings
) -> None:
    failure = failures(SwedishSuite, settings, adapter)[test]

    for message in [CART, *messages]:
        assert message in failure
    assert "and 0 more" not in failure


@pytest.mark.parametrize(
    ("adapter", "test"),
    [
        ("Counting", BYTES),
        ("RoundingSomehow", BYTES),
        ("Translating", BYTES),
        ("Writing", "test_describing_a_cart_writes_nothing"),
        ("OfUnknownAccount", "test_the_account_is_one_of_the_settings"),
        ("WithoutSlash", URL),
    ],
)
def test_the_other_tests_pass(adapter: str, test: str, settings: Settings) -> None:
    assert set(failures(SwedishSuite, settings, adapter)) == {test}


def test_a_cause_is_told_once(settings: Settings) -> None:
    failure = failures(SwedishSuite, settings, "Translating")[BYTES]

    assert failure.count("with the language") == 1


def test_a_cart_that_some_processes_cannot_sell_is_told(settings: Settings) -> None:
    failure = failures(SwedishSuite, settings, "UnpayableWhenRoundedUp")[BYTES]

    assert "another decimal context" in failure
    assert "it cannot be paid: order_amount: expected 24998, found 24999 (rule order_amount)." in failure


def test_all_broken_rules_of_all_carts_are_told_at_once(settings: Settings) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.shop.klarna.NordicAdapter"

    _, failed = outcome(OfSeveralCarts)

    lines = [line for line in failed[RULES].splitlines() if line.startswith("cart ")]
    assert [line.partition(" (")[0] for line in lines] == ["cart 1", "cart 3"]
    assert "(rule empty)" in lines[0]
    assert "(rule market)" in lines[1]


def test_all_rules_that_one_cart_breaks_are_told(settings: Settings) -> None:
    failure = failures(SwedishSuite, settings, "WrongSum")[RULES]

    assert "Order line 1, total_amount: expected 19900, found 5 (rule total_amount)." in failure
    assert "order_amount: expected " in failure


def test_the_other_tests_point_to_the_rules(settings: Settings) -> None:
    failed = failures(SwedishSuite, settings, "WrongSum")

    assert {name for name, text in failed.items() if "it cannot be paid, which test_every_rule" in text} == {
        BYTES,
        PERSONAL,
        TOLD,
        TOTAL,
        DATA,
        PURCHASE,
        "test_describing_a_cart_writes_nothing",
    }


def test_urls_that_are_ours_to_make_are_a_broken_rule(settings: Settings) -> None:
    assert "merchant_urls: expected nothing" in failures(SwedishSuite, settings, "Impatient")[RULES]


def test_an_address_is_personal_and_a_broken_rule(settings: Settings) -> None:
    failed = failures(SwedishSuite, settings, "Addressed")

    for test in (PERSONAL, RULES):
        assert "billing_address: expected nothing" in failed[test]
        assert "customer/date_of_birth: expected nothing" in failed[test]
    assert "it cannot be paid" not in failed[PERSONAL]


def test_a_total_that_is_not_the_shop_s_is_told() -> None:
    _, failed = outcome(Overpriced)

    assert set(failed) == {TOTAL}
    amount = "249.98\N{NO-BREAK SPACE}SEK"
    assert f"/order_amount is {amount}, and total_of() says 250.98 SEK." in failed[TOTAL]


def test_personal_texts_are_found_wherever_they_are(settings: Settings) -> None:
    (failure,) = failures(OfAsa, settings, "Talkative").values()

    lines = failure.partition("AssertionError:")[2].strip().splitlines()
    assert [line.partition("): ")[2].partition(", which is personal")[0] for line in lines] == [
        "/merchant_urls/confirmation holds 'asa@shop.example'",
        "/attachment/body holds 'åsa'",
        "/order_lines/0/name holds 'Berg'",
    ]


def test_an_address_that_the_market_allows_is_where_it_belongs(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {"SE": {"personal_data": True}}

    assert failures(OfAsa, settings, "Addressed") == {}


def test_a_number_and_a_part_of_a_word_are_not_personal() -> None:
    assert outcome(OfAsa) == (12, {})


def test_changes_that_are_not_watched_are_told() -> None:
    _, failed = outcome(Engraved)

    assert (
        "'engrave': ShopCartAdapter should have watches = {..., Engraving: 'line__cart'}" in failed[NOTICED]
    )
    for name in ("silently", "sign in"):
        assert (
            f"nobody notices '{name}': no row that leads to the cart was saved or deleted" in failed[NOTICED]
        )
    assert "after 'engrave' Klarna is told the same as before" in failed[TOLD]
    assert "after 'silently'" not in failed[TOLD]


def test_a_change_does_what_it_says_about_paying() -> None:
    _, failed = outcome(Hopeful)

    assert set(failed) == {TOLD}
    assert "after 'take all out' it cannot be paid: " in failed[TOLD]
    assert "after 'free delivery' it can still be paid, and the change says payable=False." in failed[TOLD]


def test_each_change_is_made_to_a_cart_that_no_other_has_touched() -> None:
    seen = []

    class Noting(SwedishSuite):
        def make_changes(self, cart: Cart) -> Iterator[Change]:
            line = cart.lines.order_by("pk")[0]
            seen.append((cart.lines.count(), line.quantity, cart.shipping))
            yield from super().make_changes(cart)

    assert outcome(Noting) == (12, {})
    assert set(seen) == {(2, 1, Decimal(49))}


def test_without_carts_each_test_fails() -> None:
    number, failed = outcome(WithoutCarts)

    assert number == len(failed) == 12
    assert all("make_carts() gives no cart: nothing would be tested." in text for text in failed.values())


def test_without_changes_their_tests_fail() -> None:
    _, failed = outcome(WithoutChanges)

    assert set(failed) == {NOTICED, TOLD}
    assert all("make_changes() gives no change for Cart object (" in text for text in failed.values())


def test_what_is_not_written_is_named() -> None:
    assert {"make_carts() must give the carts to try" in text for text in outcome(Unwritten)[1].values()} == {
        True
    }
    _, failed = outcome(OfOneCart)
    assert set(failed) == {NOTICED, TOLD}
    assert all("make_changes() must give what a shopper can do" in text for text in failed.values())


def test_changes_need_a_test_case_that_takes_them_back() -> None:
    _, failed = outcome(SwedishSuite, base=TransactionTestCase)

    assert set(failed) == {NOTICED, TOLD, PURCHASE}
    assert all("needs Django's TestCase" in text for text in failed.values())


@pytest.mark.parametrize(
    ("adapter", "test", "messages"),
    [
        (
            "WithBrokenAddress",
            DATA,
            ["billing_address/postal_code: expected", "billing_address/country: expected"],
        ),
        (
            "SellingToACompany",
            DATA,
            ["customer/type: expected person, found organization", "locale: expected", "build_session()."],
        ),
        (
            "TellingTheTime",
            DATA,
            ["in the time zone UTC", "authorize_data() does not say the same", "/customer/date_of_birth: '"],
        ),
        ("NotingTheClick", DATA, ["authorize_data() writes to the database: INSERT INTO"]),
        ("WithoutDescription", DATA, ["customer_token_description()"]),
        ("TooTalkative", PERSONAL, ["/order_lines/0/name holds 'Berg', which is personal"]),
        ("OfLongNumbers", REFERENCE, ["merchant_reference() gives '777", "1 to 255 characters."]),
        ("OfWholeNumbers", REFERENCE, ["it must be None, or 1 to 255 characters."]),
        (
            "OfNewNumbers",
            REFERENCE,
            ["built a second time merchant_reference() does not say the same", "/merchant_reference1: 'S"],
        ),
        (
            "Failing",
            PURCHASE,
            [
                "of an order that is ACCEPTED complete_purchase() raises",
                "LookupError: the shop",
                "is PENDING",
            ],
        ),
        ("FailingWhenPending", PURCHASE, ["of an order that is PENDING complete_purchase() raises"]),
        ("DoingNothing", PURCHASE, ["complete_purchase() writes nothing: where is the shop's order?"]),
        ("AskingUs", PURCHASE, ["TransactionManagementError: ensure_session() commits what it does"]),
        ("AskingKlarna", PURCHASE, ["complete_purchase() calls Klarna, with the transaction open"]),
    ],
)
def test_a_purchase_that_goes_wrong_is_told_by_its_test(
    adapter: str, test: str, messages: list[str], settings: Settings
) -> None:
    settings.KLARNA = {"default": {**ACCOUNT, "ENVIRONMENT": "sandbox", "BASE_URL": "http://127.0.0.1:9"}}

    failed = failures(SwedishSuite, settings, adapter)

    for message in [CART, *messages]:
        assert message in failed[test]
    assert set(failed) == {test}


@pytest.mark.parametrize("adapter", ["Knowing", "Closing", "Deleting", "Tokenizing"])
def test_a_purchase_that_goes_well(adapter: str, settings: Settings) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert failures(SwedishSuite, settings, adapter) == {}
    assert not KlarnaOrder.objects.exists()


def test_a_cart_that_is_as_it_was_is_warned_of() -> None:
    with pytest.warns(
        UnchangedCartWarning, match=r"After complete_purchase\(\) Cart object \(\d+\) is as it was"
    ):
        assert outcome(SwedishSuite) == (12, {})
