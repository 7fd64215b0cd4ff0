"""Every check: what it finds, and that its hint mends what it found."""

import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.conf import global_settings
from django.conf import settings as project
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.db import models
from django.test.utils import isolate_apps
from django.urls import clear_url_caches, include, path
from django.utils import timezone
from pytest_django import Settings

from django_klarna import checks
from django_klarna import urls as klarna_urls
from django_klarna.carts import CartAdapter
from django_klarna.checks.watches import path_problem, path_to_cart, watch_problems
from django_klarna.models import KlarnaAuthorization, KlarnaOrder, KlarnaSession
from tests.example.conftest import environment
from tests.services.purchases import time_passes
from tests.shop.abstract import AbstractCart, AbstractCartLine
from tests.shop.klarna import NordicAdapter, ShopCartAdapter
from tests.shop.models import Cart, CartLine, GiftLine, Product

ROOT = Path(__file__).parent.parent

LIVE = {"USERNAME": "K1", "PASSWORD": "secret-of-k1", "ENVIRONMENT": "live"}
SANDBOX = {**LIVE, "ENVIRONMENT": "sandbox", "BASE_URL": "http://127.0.0.1:8100"}
SHARED = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
#: What django-csp 4 and Django 6 put into a policy where the nonce is to be.
NONCE = type("Nonce", (), {"__repr__": lambda _self: "csp.constants.NONCE"})()
CSP = SimpleNamespace(NONCE="<CSP_NONCE_SENTINEL>")
CDN = "https://x.klarnacdn.net"
POLICY: dict[str, Any] = {
    "default-src": ["'self'"],
    "script-src": ["'self'", CDN],
    "connect-src": ["'self'", "https://*.klarna.com", "https://*.klarnaevt.com", CDN],
    "frame-src": ("https://*.klarna.com", CDN),
    "img-src": {"'self'", CDN},
    "font-src": f"'self' {CDN}",
    "style-src": ["'self'", "'unsafe-inline'", CDN],
}


class Unwatchful(ShopCartAdapter):
    watches = {}


class WatchesAnotherField(ShopCartAdapter):
    watches = {Cart: None, CartLine: "basket"}


class WatchesAProduct(ShopCartAdapter):
    watches = {CartLine: "product"}


class WithArguments(ShopCartAdapter):
    def __init__(self, market: str) -> None:
        self.market = market


class Unfinished(CartAdapter[Cart]):
    watches = {Cart: None}


def policy(**changes: Any) -> dict[str, Any]:
    return {**POLICY, **{name.replace("_", "-"): value for name, value in changes.items()}}


def templates(*processors: str) -> list[dict[str, Any]]:
    return [
        {"BACKEND": "django.template.backends.jinja2.Jinja2"},
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"context_processors": list(processors)},
        },
    ]


def messages(*, deploy: bool = True) -> list[CheckMessage]:
    return run_checks(tags=["klarna"], include_deployment_checks=deploy)


def ids(found: list[CheckMessage]) -> list[str]:
    return sorted(str(each.id).removeprefix("django_klarna.") for each in found)


@pytest.fixture(autouse=True)
def deployed(settings: Settings) -> None:
    """A project with which nothing is wrong, in deployment."""
    settings.KLARNA = {"default": {**LIVE}}
    settings.CACHES = SHARED


def apply(message: CheckMessage, settings: Settings) -> None:
    """Do what a hint says, as the developer would in the settings."""
    hint = str(message.hint)
    module = {name: deepcopy(getattr(project, name)) for name in SETTINGS if hasattr(project, name)}
    before = deepcopy(module)
    if renamed := re.fullmatch(r"Rename it: (\w+)", hint):
        name = message.msg.partition(" ")[0]
        module[renamed[1]] = getattr(project, name)
        delattr(settings, name)
    elif added := re.fullmatch(r"Add (.+) to (TEMPLATES.+)", hint):
        eval(added[2], {}, module).append(eval(added[1]))
    else:
        exec(hint, {"CSP": CSP, "NONCE": NONCE}, module)
    for name, value in module.items():
        if name not in before or value != before[name]:
            setattr(settings, name, value)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E001", {"KLARNA": None}),
    ("E001", {"KLARNA": {**LIVE}}),
    ("E001", {"KLARNA": {"default": None}}),
    ("E001", {"KLARNA": {7: LIVE}}),
    ("E001", {"KLARNA": {"default": {**LIVE, "USERNAME": 7}}}),
    ("E001", {"KLARNA": {"default": {**LIVE, "REGION": "EU"}}}),
    ("E001", {"KLARNA": {"default": {**LIVE, "ENVIRONMENT": "Live"}}}),
    ("E001", {"KLARNA": {"default": {**LIVE, "BASE_URL": "http://127.0.0.1:8100"}}}),
    ("E001", {"KLARNA": {"default": {**LIVE, "READ_TIMEOUT": "8"}}}),
    ("E001", {"KLARNA": {"default": {**LIVE, "CONNECT_TIMEOUT": 0}}}),
    ("E001", {"KLARNA_BASE_URL": None}),
    ("E001", {"KLARNA_BASE_URL": "shop.example"}),
    ("E001", {"KLARNA_BASE_URL": "ftp://shop.example"}),
    ("E001", {"KLARNA_BASE_URL": "https://shop.example/shop/"}),
    ("E001", {"KLARNA_SYNC": "lasy"}),
    ("E001", {"KLARNA_SYNC": ["lazy"]}),
    ("E001", {"KLARNA_ENSURE_TIMEOUT": float("nan")}),
    ("E001", {"KLARNA_SYNC_TIMEOUT": True}),
    ("E001", {"KLARNA_EXPIRY_MARGIN": 90_000}),
    ("E001", {"KLARNA_THROTTLE_RATES": "60/min"}),
    ("E001", {"KLARNA_THROTTLE_RATES": {"session": 60}}),
    ("E001", {"KLARNA_AUDIT_SAMPLE_RATE": "half"}),
    ("E001", {"KLARNA_AUDIT_RETENTION": 1e12}),
    ("E001", {"KLARNA_MARKETS": ["SE"]}),
    ("E001", {"KLARNA_MARKETS": {"se": {"region": "eu"}}}),
    ("E001", {"KLARNA_MARKETS": {"UK": None}}),
    ("E001", {"KLARNA_MARKETS": {"Sweden": None}}),
    ("E001", {"KLARNA_MARKETS": {("SE",): None}}),
    ("E001", {"KLARNA_MARKETS": {"SE": []}}),
    ("E001", {"KLARNA_MARKETS": {"IS": "ISK"}}),
    ("E001", {"KLARNA_MARKETS": {"IS": {}}}),
    ("E001", {"KLARNA_MARKETS": {"IS": {"currencies": "isk", "locales": "is", "region": "eu"}}}),
    ("E001", {"KLARNA_MARKETS": {"IS": {"currencies": None, "locales": ["Icelandic"], "region": "EU"}}}),
    ("E001", {"KLARNA_MARKETS": {"SE": {"currencies": ["SEK", "SKE"]}}}),
    ("E001", {"KLARNA_MARKETS": {"SE": {"locales": ["SV_se", "en"]}}}),
    ("E001", {"KLARNA_MARKETS": {"SE": {"tax_model": "Included"}}}),
    ("E001", {"KLARNA_MARKETS": {"SE": {"personal_data": "no"}}}),
    ("E001", {"KLARNA_MARKETS": {"SE": {"max_order_amount": 0}}}),
    ("E002", {"KLARNA_CART_MODEL": "shop.Carts"}),
    ("E002", {"KLARNA_CART_MODEL": "Cart"}),
    ("E002", {"KLARNA_CART_MODEL": None}),
    ("E003", {"KLARNA_CART_ADAPTER": "tests.shop.klarna.ShopAdapter"}),
    ("E003", {"KLARNA_CART_ADAPTER": "tests.shops.klarna.ShopCartAdapter"}),
    ("E003", {"KLARNA_CART_ADAPTER": "tests.shop.klarna.SessionBuilder"}),
    ("E004", {"KLARNA": {"default": {**LIVE, "READTIMEOUT": 8}}}),
    ("E004", {"KLARNA": {"default": {**LIVE, "COLOUR": "pink"}}}),
    ("E004", {"KLARNA_THROTTLE_RATES": {"sessions": "60/min"}}),
    ("E004", {"KLARNA_MARKETS": {"SE": {"currency": ["SEK"]}}}),
    ("E004", {"KLARNA_MARKETS": {"SE": {"COLOUR": "blue"}}}),
    ("E004", {"KLARNA_MARKETS": {"DW": None}}),
    ("E005", {"KLARNA": {"default": {**LIVE, "USERNAME": "K:1"}}}),
    ("E005", {"KLARNA": {"default": {**LIVE, "PASSWORD": "secret\n"}}}),
    ("E005", {"KLARNA": {"default": {"API_KEY": "kl\u00e4rna", "ENVIRONMENT": "live"}}}),
    ("E006", {"KLARNA": {"default": {"API_KEY": "klarna_live_client_x", "ENVIRONMENT": "live"}}}),
    ("E008", {"KLARNA": {"default": {"USERNAME": "K1", "ENVIRONMENT": "live"}}}),
    ("E008", {"KLARNA": {}}),
    ("E009", {"KLARNA_BASE_URL": "http://shop.example"}),
    ("E009", {"KLARNA_BASE_URL": "https://localhost:8000"}),
    ("E010", {"KLARNA": {"default": SANDBOX}}),
    ("W001", {"KLARNA_SINC": "lazy"}),
    ("W001", {"KLARNE_SYNC": "lazy"}),
    ("W001", {"KLARNA_MARKET": {"DE": None}}),
    ("W002", {"KLARNA": {"eu": LIVE}}),
    ("W004", {"SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin"}),
    ("W005", {"SECURE_CSP": policy(script_src=["'self'"])}),
    ("W005", {"SECURE_CSP": policy(script_src_elem=["'self'"])}),
    ("W005", {"SECURE_CSP": policy(frame_src=None)}),
    ("W005", {"SECURE_CSP": policy(frame_src=["'none'"])}),
    ("W005", {"SECURE_CSP": policy(font_src="'self'")}),
    ("W005", {"SECURE_CSP": policy(style_src=["'self'", CDN])}),
    ("W005", {"SECURE_CSP": policy(style_src=["'self'", "'unsafe-inline'", CSP.NONCE, CDN])}),
    ("W005", {"SECURE_CSP": policy(style_src=f"'unsafe-inline' 'sha256-x' {CDN}")}),
    ("W005", {"SECURE_CSP": policy(connect_src=["https://klarna.com", "https://*.klarnaevt.com", CDN])}),
    ("W005", {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": policy(img_src=["'self'"])}}),
    (
        "W005",
        {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": {k: v for k, v in POLICY.items() if k[0] not in "df"}}},
    ),
    ("W006", {"SECURE_CSP": policy(script_src=[CDN])}),
    ("W006", {"SECURE_CSP": policy(script_src=["'self'", "'strict-dynamic'", CDN])}),
    ("W006", {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": policy(script_src=[CDN])}}),
    ("W007", {"INSTALLED_APPS": [app for app in project.INSTALLED_APPS if app != "rest_framework"]}),
    ("W008", {"TEMPLATES": templates("django.template.context_processors.debug")}),
    ("W010", {"DEBUG": True}),
    ("W011", {"KLARNA": {"default": {**LIVE, "ENVIRONMENT": "playground"}}}),
    ("W012", {"CACHES": global_settings.CACHES}),
    ("W012", {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}}),
]


#: What the hints speak about.
SETTINGS = {name for _number, wrong in WRONG for name in wrong}


@pytest.mark.parametrize(
    ("number", "wrong"), WRONG, ids=[f"{number}-{wrong}"[:70] for number, wrong in WRONG]
)
def test_a_mistake_is_found_and_its_hint_mends_it(
    settings: Settings, number: str, wrong: dict[str, Any]
) -> None:
    assert messages() == []
    for name, value in wrong.items():
        setattr(settings, name, deepcopy(value))

    found = messages()

    assert set(ids(found)) == {number}
    assert any(name in f"{found[0].msg} {found[0].hint}" for name in wrong)
    for message in found:
        apply(message, settings)
    # What an example in a hint left open is told then.
    assert set(ids(messages())) <= {"W011"}
    for message in messages():
        apply(message, settings)
    assert messages() == []


@pytest.mark.parametrize(
    ("adapter", "number", "message", "hint"),
    [
        (Unwatchful, "W003", "watches no model", "watches = {Cart: None}"),
        (WatchesAnotherField, "E007", "CartLine has no foreign key 'basket'", "CartLine: 'cart'}"),
        (WatchesAProduct, "E007", "leads to Product, not to Cart", "CartLine: 'cart'}"),
        (WithArguments, "E003", "cannot be used: .*'market'", r"Let its __init__\(\) take no arguments"),
        (
            Unfinished,
            "E003",
            "abstract",
            r"Define build_session\(\) and cart_for\(\) and complete_purchase\(\) and confirmation_url\(\)",
        ),
    ],
)
def test_an_adapter_that_cannot_work(
    settings: Settings, adapter: type, number: str, message: str, hint: str
) -> None:
    settings.KLARNA_CART_ADAPTER = f"{__name__}.{adapter.__name__}"

    (found,) = messages(deploy=False)

    assert ids([found]) == [number]
    assert re.search(message, found.msg)
    assert re.search(hint, str(found.hint))


def test_without_an_adapter_the_line_to_add_is_told(settings: Settings) -> None:
    del settings.KLARNA_CART_ADAPTER

    (found,) = messages()

    assert ids([found]) == ["E003"]
    assert found.hint == "KLARNA_CART_ADAPTER = 'shop.klarna.ShopCartAdapter'"


def test_every_mistake_is_told_in_one_run(settings: Settings) -> None:
    settings.KLARNA = {
        "default": {"REGION": "us", "USER": "K1"},
        "us": {"USERNAME": "K:1", "PASSWORD": "x", "ENVIRONMENT": "live"},
        "oc": {"API_KEY": "klarna_test_api_x", "ENVIRONMENT": "live"},
        "no": {},
    }
    settings.KLARNA_SYNC = "celery"
    settings.KLARNA_CART_MODEL = "shop.Basket"
    settings.KLARNA_CART_ADAPTER = "tests.shop.klarna.Nobody"
    settings.KLARNA_BASE_URL = "http://shop.example"
    settings.SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

    assert " ".join(ids(messages())) == "E001 E001 E002 E003 E004 E005 E006 E008 E009 W004 W011"


def test_what_can_be_built_without_secrets_is_checked_without_them(settings: Settings) -> None:
    settings.KLARNA = {"default": {"ENVIRONMENT": "live"}, "us": {**LIVE, "PASSWORD": None}}
    settings.KLARNA_BASE_URL = "http://127.0.0.1:8000"
    settings.CACHES = global_settings.CACHES

    assert messages(deploy=False) == []
    assert ids(messages()) == ["E008", "E008", "E009", "W012"]


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"se": {}}, "KLARNA_MARKETS['SE'] = KLARNA_MARKETS.pop('se')"),
        ({"uk": None}, "KLARNA_MARKETS['GB'] = KLARNA_MARKETS.pop('uk')"),
        ({"EL": {}}, "KLARNA_MARKETS['GR'] = KLARNA_MARKETS.pop('EL')"),
        (
            {"SE": {"currency": ["SEK"]}},
            "KLARNA_MARKETS['SE']['currencies'] = KLARNA_MARKETS['SE'].pop('currency')",
        ),
        ({"CH": {"currencies": ["chf", "eur"]}}, "KLARNA_MARKETS['CH']['currencies'] = ['CHF', 'EUR']"),
        ({"SE": {"currencies": ["SKE"]}}, "KLARNA_MARKETS['SE']['currencies'] = ['SEK']"),
        ({"BE": {"locales": ["nl", "FR_be"]}}, "KLARNA_MARKETS['BE']['locales'] = ['nl-BE', 'fr-BE']"),
        ({"SE": {"locales": []}}, "KLARNA_MARKETS['SE']['locales'] = ['sv-SE', 'en-SE']"),
        ({"BE": {"locales": [1]}}, "KLARNA_MARKETS['BE']['locales'] = ['nl-BE', 'fr-BE', 'en-BE']"),
        ({"US": {"personal_data": "yes"}}, "KLARNA_MARKETS['US']['personal_data'] = False"),
        ({"US": {"region": "us"}}, "KLARNA_MARKETS['US']['region'] = 'na'  # or 'eu', 'oc'"),
        (
            {"IS": {"region": "eu"}},
            "KLARNA_MARKETS['IS'] |= {'currencies': ['EUR'], 'locales': ['en-IS']}",
        ),
    ],
)
def test_the_mend_of_a_market_is_what_was_meant(
    settings: Settings, change: dict[str, Any], hint: str
) -> None:
    settings.KLARNA_MARKETS = change

    (found,) = messages()
    assert found.hint == hint


def test_no_message_shows_a_secret(settings: Settings) -> None:
    settings.KLARNA = {
        "default": {"USERNAME": "pla:nted", "PASSWORD": "planted"},
        "key": {"API_KEY": "klarna_test_api_planted", "ENVIRONMENT": "live"},
        "text": {"PASSWORD": [b"planted"]},
        "url": {"ENVIRONMENT": "sandbox", "BASE_URL": "https://u:planted@shop.example"},
        "all": "planted",
    }
    settings.KLARNA_BASE_URL = "https://u:planted@shop.example"

    found = messages()

    assert ids(found) == ["E001", "E001", "E001", "E001", "E005", "E006", "W011"]
    assert "planted" not in str(found)


class TestKeys:
    @pytest.mark.parametrize("name", ["API_KEY", "PASSWORD"])
    @pytest.mark.parametrize(
        ("key", "environment"), [("klarna_test_api_x", "live"), ("klarna_live_api_x", "playground")]
    )
    def test_of_another_environment(self, settings: Settings, name: str, key: str, environment: str) -> None:
        settings.KLARNA = {"default": {"USERNAME": "K1", name: key, "ENVIRONMENT": environment}}

        (found,) = messages(deploy=False)
        assert ids([found]) == ["E006"]
        apply(found, settings)
        assert messages(deploy=False) == []

    def test_any_will_do_for_the_sandbox(self, settings: Settings) -> None:
        settings.KLARNA = {"default": {**SANDBOX, "PASSWORD": "klarna_test_api_x"}}

        assert messages(deploy=False) == []


class TestSandboxAccount:
    def test_address_is_asked_for(self, settings: Settings) -> None:
        settings.KLARNA = {"default": {**SANDBOX, "BASE_URL": None}}

        (found,) = messages(deploy=False)
        assert ids([found]) == ["E001"]
        apply(found, settings)
        assert messages(deploy=False) == []

    def test_address_elsewhere_is_https(self, settings: Settings) -> None:
        settings.KLARNA = {"default": {**SANDBOX, "BASE_URL": "http://klarna.example"}}

        (found,) = messages(deploy=False)
        assert ids([found]) == ["E005"]
        apply(found, settings)
        assert messages(deploy=False) == []


def test_the_playground_is_where_things_are_developed(settings: Settings) -> None:
    settings.KLARNA = {"default": {**LIVE, "ENVIRONMENT": "playground"}}
    settings.DEBUG = True

    assert messages() == []


class TestNames:
    def test_of_the_project_are_its_own(self, settings: Settings) -> None:
        settings.KLARNA_USERNAME = settings.KLARNA_SANDBOX_URL = settings.KLARNA_COLOUR = "x"

        assert messages() == []


class TestDefaultAccount:
    def test_is_not_needed_by_an_adapter_that_names_another(self, settings: Settings) -> None:
        settings.KLARNA = {"norway": LIVE}
        settings.KLARNA_CART_ADAPTER = f"{NordicAdapter.__module__}.NordicAdapter"

        assert messages() == []

    def test_is_not_asked_for_where_the_adapter_is_wrong(self, settings: Settings) -> None:
        settings.KLARNA = {"norway": LIVE}
        settings.KLARNA_CART_ADAPTER = "tests.shop.klarna.Nobody"

        assert ids(messages()) == ["E003"]


class AbstractNote(models.Model):
    """A note about anything; the suite's shop has none."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.PositiveIntegerField()
    about = GenericForeignKey()

    class Meta:
        abstract = True


class TestWatches:
    @pytest.mark.parametrize(
        "watches",
        [
            {Cart: None, CartLine: "cart"},
            {CartLine: "cart_id"},
            {GiftLine: "cart"},
            {AbstractCart: None, AbstractCartLine: "cart"},
        ],
    )
    def test_that_lead_to_the_cart(self, watches: dict[Any, Any]) -> None:
        assert list(watch_problems(watches, Cart)) == []

    @pytest.mark.parametrize(
        ("watches", "problem", "hint"),
        [
            ({CartLine: None}, "CartLine is not the cart", "watches = {..., CartLine: 'cart'}"),
            ({Cart: "cart"}, "Cart has no foreign key 'cart'", "watches = {..., Cart: None}"),
            ({CartLine: "quantity"}, "no foreign key 'quantity'", "watches = {..., CartLine: 'cart'}"),
            ({CartLine: "cart__lines"}, "Cart has no foreign key 'lines'", "CartLine: 'cart'}"),
            ({GiftLine: "gift"}, "GiftLine has no foreign key 'gift'", "GiftLine: 'cart'}"),
            ({Product: "cartline__cart"}, "Product has no single 'cartline'", "Do not watch Product"),
            ({CartLine: 7}, "CartLine has no foreign key '7'", "CartLine: 'cart'}"),
            ({"shop.CartLine": "cart"}, "'shop.CartLine', and no installed model", "Watch a model"),
            ({AbstractNote: "cart"}, "no installed model is one", "Watch a model"),
        ],
    )
    def test_that_do_not(self, watches: dict[Any, Any], problem: str, hint: str) -> None:
        ((message, mend),) = watch_problems(watches, Cart)

        assert problem in message
        assert hint in mend

    @isolate_apps("tests.shop")
    def test_over_several_tables(self) -> None:
        class Box(models.Model):
            line = models.ForeignKey(CartLine, models.CASCADE, related_name="+")

            class Meta:
                app_label = "shop"

        class Label(models.Model):
            box = models.OneToOneField(Box, models.CASCADE)
            printed_before = models.ForeignKey("self", models.CASCADE, null=True)

            class Meta:
                app_label = "shop"

        assert path_problem(Label, "box__line__cart", Cart) is None
        assert path_problem(Box, "label__box__line__cart", Cart) is None
        assert path_problem(Label, "box__cart", Cart) == "Box has no foreign key 'cart'"
        assert path_to_cart(Label, Cart) == "box__line__cart"
        assert path_to_cart(Label, Cart, far=2) is None

    @isolate_apps("tests.shop")
    def test_to_the_parent_of_the_cart(self) -> None:
        class GiftCart(Cart):
            class Meta:
                app_label = "shop"

        assert path_problem(CartLine, "cart", GiftCart) is None
        assert path_problem(GiftCart, None, Cart) is None

    @isolate_apps("tests.shop")
    def test_over_a_generic_relation_is_for_its_rows_to_know(self) -> None:
        class Note(AbstractNote):
            class Meta:
                app_label = "shop"

        assert path_problem(Note, "about__cart", Cart) is None

    @isolate_apps("tests.shop")
    def test_that_hold_something_else_of_the_cart(self) -> None:
        class Basket(models.Model):
            number = models.CharField(max_length=9, unique=True)

            class Meta:
                app_label = "shop"

        class BasketLine(models.Model):
            basket = models.ForeignKey(Basket, models.CASCADE, to_field="number")

            class Meta:
                app_label = "shop"

        problem = path_problem(BasketLine, "basket", Basket)
        assert problem == "'basket' holds another field than the primary key"
        assert path_to_cart(BasketLine, Basket) is None


class TestPolicies:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"script_src": ["'nonce-r4nd0m'", "'strict-dynamic'"]},
            {"script_src": [CSP.NONCE, CDN]},
            {"script_src": [NONCE, "https://*.klarnacdn.net:443/kp/"]},
            {"script_src": ["https:"], "frame_src": ["*"], "connect_src": "https:"},
            {"script_src": None, "default_src": None},
            {"script_src": False, "default_src": ["'self'", CDN]},
        ],
    )
    def test_that_let_klarna_in(self, settings: Settings, changes: dict[str, Any]) -> None:
        settings.SECURE_CSP = policy(**changes)
        settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": policy(**changes)}

        assert messages() == []

    def test_that_say_nothing_of_a_directive(self, settings: Settings) -> None:
        """Anything goes, but django-csp has a default of its own."""
        settings.SECURE_CSP = {"script-src": ["'self'", CDN]}
        assert messages() == []

        settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {"script-src": ["'self'", CDN]}}
        assert ids(messages()) == ["W005"] * 5

    def test_that_are_only_reported_break_nothing(self, settings: Settings) -> None:
        settings.SECURE_CSP_REPORT_ONLY = {"default-src": ["'none'"]}
        settings.CONTENT_SECURITY_POLICY_REPORT_ONLY = {"DIRECTIVES": {"default-src": ["'none'"]}}

        assert messages() == []

    def test_one_message_for_each_directive(self, settings: Settings) -> None:
        settings.SECURE_CSP = {"default-src": ["'none'"]}

        found = messages()

        assert ids(found) == ["W005"] * 6 + ["W006"]
        assert "'script-src' lacks" in found[0].msg
        assert "'script-src'] = ['https://x.klarnacdn.net']" in str(found[0].hint)

    def test_static_files_may_come_from_elsewhere(self, settings: Settings) -> None:
        settings.SECURE_CSP = policy(script_src=["https://static.example", CDN])
        assert ids(messages()) == ["W006"]

        settings.STATIC_URL = "https://static.example/shop/"
        assert messages() == []


class TestOpenerPolicy:
    def test_of_nobody_is_not_sent(self, settings: Settings) -> None:
        settings.SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Security" not in name]

        assert messages() == []


class TestTemplates:
    def test_of_django_are_not_needed(self, settings: Settings) -> None:
        settings.TEMPLATES = templates()[:1]

        assert messages() == []

    def test_of_one_engine_are_enough(self, settings: Settings) -> None:
        django = {"BACKEND": "django.template.backends.django.DjangoTemplates"}
        settings.TEMPLATES = [django, *templates("django.template.context_processors.request")]

        assert messages() == []


class TestEndpoint:
    def test_is_missed(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        urls = ModuleType("urls_of_a_shop")
        patterns: list[Any] = []
        monkeypatch.setitem(sys.modules, urls.__name__, urls)
        monkeypatch.setattr(urls, "urlpatterns", patterns, raising=False)
        settings.ROOT_URLCONF = urls.__name__

        (found,) = messages()

        assert ids([found]) == ["W009"]
        hint = re.fullmatch(r"Add (.+) to urlpatterns in urls_of_a_shop", str(found.hint))
        assert hint
        patterns.append(eval(hint[1], {"path": path, "include": include}))
        clear_url_caches()
        assert messages() == []

    @pytest.mark.parametrize("kind", ["attempt", "authorization", "authorization-callback", "push-callback"])
    def test_is_missed_in_part(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
        rest = [each for each in klarna_urls.urlpatterns if each.name != kind]
        urls = ModuleType("urls_of_a_shop")
        monkeypatch.setitem(sys.modules, urls.__name__, urls)
        urlpatterns = [path("klarna/", include((rest, "klarna")))]
        monkeypatch.setattr(urls, "urlpatterns", urlpatterns, raising=False)
        settings.ROOT_URLCONF = urls.__name__

        (found,) = messages()

        assert found.msg.startswith(f"'klarna:{kind}' cannot be reversed")

    def test_is_not_missed_without_urls(self, settings: Settings) -> None:
        del settings.ROOT_URLCONF

        assert messages() == []


@pytest.mark.django_db(transaction=True)
class TestWaiting:
    @pytest.fixture(autouse=True)
    def ordered(self, cart: Cart) -> None:
        session = KlarnaSession.objects.create(cart_id=cart.pk, order_amount=1)
        KlarnaAuthorization.objects.create(session=session, state="placed")
        KlarnaOrder.objects.create(session=session, state="recorded", order_amount=1)

    def found(self, *databases: str) -> list[CheckMessage]:
        return run_checks(tags=["database"], databases=list(databases))

    @pytest.mark.parametrize("state", ["received", "placing", "cancelling"])
    def test_of_an_authorization_is_told(self, state: str) -> None:
        KlarnaAuthorization.objects.update(state=state, retry_at=timezone.now())
        time_passes(minutes=9)
        assert self.found("default") == []

        time_passes(minutes=2)

        (found,) = self.found("default")
        assert ids([found]) == ["W013"]
        assert "1 authorizations" in found.msg
        assert "klarna_reconcile --watch" in str(found.hint)
        assert self.found() == messages(deploy=False) == []

    def test_of_an_order_is_told(self) -> None:
        KlarnaOrder.objects.update(state="placed", retry_at=timezone.now())
        time_passes(minutes=11)

        (found,) = self.found("default")

        assert "1 orders" in found.msg

    @pytest.mark.parametrize("state", ["recorded", "flagged", "settled", "rejected"])
    def test_for_what_is_not_due_is_fine(self, state: str) -> None:
        KlarnaOrder.objects.update(state=state, retry_at=timezone.now())
        KlarnaAuthorization.objects.update(retry_at=timezone.now())
        time_passes(days=1)

        assert self.found("default") == []

    def test_of_nothing_is_fine_before_the_tables_are_there(self) -> None:
        try:
            call_command("migrate", "django_klarna", "0003", verbosity=0)
            assert self.found("default") == []
        finally:
            call_command("migrate", verbosity=0)


def test_an_image_is_built_without_secrets_and_sells_only_with_them(tmp_path: Path) -> None:
    """The example, on the machine that builds for a live shop."""
    built = environment(
        tmp_path / "db.sqlite3", DEBUG="False", SECRET_KEY="x" * 60, KLARNA_ENVIRONMENT="live"
    )

    def manage(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=built, capture_output=True, text=True, check=False)

    migrated = manage("migrate", "--verbosity=0")
    deployed = manage("check", "--deploy")

    assert migrated.returncode == 0, migrated.stderr
    assert deployed.returncode == 1
    assert "(django_klarna.E008) KLARNA['default'] needs" in deployed.stderr


def test_the_directory_of_ids_is_whole() -> None:
    """Which is compared with the documentation, see test_docs.py."""
    directory, *modules = sorted(Path(checks.__file__).parent.glob("*.py"))
    made = {number for module in modules for number in re.findall(r"[EW]\d{3}", module.read_text())}
    tried = {number for number, _wrong in WRONG} | {"E007", "W003", "W009", "W013"}

    assert made == set(re.findall(r"[EW]\d{3}", directory.read_text())) == tried
