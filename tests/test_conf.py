import pickle
from collections.abc import Callable
from traceback import walk_tb

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from django_klarna.carts import get_adapter
from django_klarna.clients import client_for
from django_klarna.conf import KLARNA_SDK_URL, cart_model_label, get_settings
from django_klarna.env import klarna_accounts
from django_klarna.exceptions import (
    CartNotPayable,
    KlarnaBusyError,
    KlarnaConfigurationError,
    KlarnaError,
    Violation,
)

# "check" asks the database whether it has JSON.
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("KLARNA", None, "KLARNA must be a dict"),
        ("KLARNA", {"default": "x"}, r"KLARNA\['default'\] must be a dict"),
        ("KLARNA", {"default": {"USER": "x"}}, "no key 'USER'; did you mean 'USERNAME'"),
        ("KLARNA", {"default": {"password": "x"}}, "no key 'password'; did you mean 'PASSWORD'"),
        (
            "KLARNA",
            {"default": {"REGION": "us"}},
            r"\['REGION'\] is 'us'; it must be one of 'eu', 'na', 'oc'",
        ),
        ("KLARNA", {"default": {"ENVIRONMENT": "test"}}, r"\['ENVIRONMENT'\] is 'test'"),
        ("KLARNA", {"default": {"ENVIRONMENT": "sandbox"}}, "'BASE_URL' is the address of the sandbox"),
        ("KLARNA", {"default": {"BASE_URL": "http://127.0.0.1"}}, "'BASE_URL' is the address of the sandbox"),
        ("KLARNA", {"USERNAME": "K1"}, "KLARNA must be a dict of accounts, and is one account"),
        ("KLARNA", {"": {}}, "KLARNA has the alias ''; it must be text"),
        ("KLARNA", {7: {}}, "KLARNA has the alias 7; it must be text"),
        ("KLARNA", {"a" * 65: {}}, "it must be text of at most 64 characters"),
        ("KLARNA", {"default": {1: "x"}}, r"KLARNA\['default'\] has no key 1; it knows 'USERNAME'"),
        ("KLARNA", {"default": {"PASSWORD": b"x"}}, r"\['PASSWORD'\] must be text, not bytes"),
        (
            "KLARNA",
            {"default": {"READ_TIMEOUT": "abc"}},
            r"\['READ_TIMEOUT'\] is 'abc'; it must be a positive",
        ),
        (
            "KLARNA",
            {"default": {"CONNECT_TIMEOUT": -1}},
            r"\['CONNECT_TIMEOUT'\] is -1; it must be a positive",
        ),
        (
            "KLARNA",
            {"default": {"ENVIRONMENT": "sandbox", "BASE_URL": "127.0.0.1:8100"}},
            r"\['BASE_URL'\] is '127.0.0.1:8100'; it must be absolute",
        ),
        ("KLARNA_BASE_URL", None, "KLARNA_BASE_URL is missing"),
        (
            "KLARNA_BASE_URL",
            "https://shop.example/shop",
            "'https://shop.example/shop'; it must end with the host",
        ),
        ("KLARNA_BASE_URL", "https://shop.example?a", "it must be absolute"),
        ("KLARNA_BASE_URL", "https://shop.example:port", "it must be absolute"),
        ("KLARNA_BASE_URL", "https://[shop.example", "it must be absolute"),
        ("KLARNA_BASE_URL", "https://shop.example\n", "it must be absolute"),
        ("KLARNA_BASE_URL", "https://u:p@shop.example", "is one with user information; it must be absolute"),
        ("KLARNA_BASE_URL", b"https://shop.example", "it must be absolute"),
        ("KLARNA_CART_ADAPTER", 7, "KLARNA_CART_ADAPTER must be text, not int"),
        ("KLARNA_AUDIT_SAMPLE_RATE", 1.5, "KLARNA_AUDIT_SAMPLE_RATE is 1.5; it must be between 0 and 1"),
        ("KLARNA_AUDIT_RETENTION", 1e10, "KLARNA_AUDIT_RETENTION is 1e[+]10; it must be at most 3153600000"),
        ("KLARNA_EXPIRY_MARGIN", 200_000, "KLARNA_EXPIRY_MARGIN is 200000; it must be at most 86400"),
        (
            "KLARNA_THROTTLE_RATES",
            {"session": "sixty"},
            r"\['session'\] is 'sixty'; it must be like '60/min'",
        ),
        ("KLARNA_BASE_URL", "shop.example", "KLARNA_BASE_URL is 'shop.example'; it must be absolute"),
        ("KLARNA_SYNC", "celery", "KLARNA_SYNC is 'celery'; it must be one of 'commit', 'lazy'"),
        ("KLARNA_ENSURE_TIMEOUT", 0, "KLARNA_ENSURE_TIMEOUT is 0; it must be a positive number"),
        ("KLARNA_SYNC_TIMEOUT", "3", "KLARNA_SYNC_TIMEOUT"),
        ("KLARNA_EXPIRY_MARGIN", True, "KLARNA_EXPIRY_MARGIN"),
        ("KLARNA_THROTTLE_RATES", {"sessions": "1/min"}, "no key 'sessions'; did you mean 'session'"),
        ("KLARNA_THROTTLE_RATES", {"SESSION": "1/min"}, "no key 'SESSION'; did you mean 'session'"),
        ("KLARNA_MARKETS", None, "KLARNA_MARKETS must be a dict of changes by country, not NoneType"),
        ("KLARNA_MARKETS", ["SE"], "KLARNA_MARKETS must be a dict of changes by country, not list"),
        ("KLARNA_MARKETS", {"se": {}}, "KLARNA_MARKETS has the country 'se'; it must be 'SE'"),
        ("KLARNA_MARKETS", {"UK": {}}, "KLARNA_MARKETS has the country 'UK'; it must be 'GB'"),
        ("KLARNA_MARKETS", {"SWE": {}}, "KLARNA_MARKETS has the country 'SWE'; it must be like 'SE'"),
        ("KLARNA_MARKETS", {7: {}}, "KLARNA_MARKETS has the country 7; it must be like 'SE'"),
        ("KLARNA_MARKETS", {"DW": None}, r"KLARNA_MARKETS\['DW'\] is None, and there is no such market"),
        ("KLARNA_MARKETS", {"SE": "SEK"}, r"KLARNA_MARKETS\['SE'\] must be a dict, not str"),
        ("KLARNA_MARKETS", {"SE": {"currency": "SEK"}}, "no key 'currency'; did you mean 'currencies'"),
        ("KLARNA_MARKETS", {"US": {"REGION": "na"}}, "no key 'REGION'; did you mean 'region'"),
        ("KLARNA_MARKETS", {"IS": "ISK"}, r"KLARNA_MARKETS\['IS'\] must be a dict, not str"),
        ("KLARNA_MARKETS", {"IS": {"region": "eu"}}, "is a new market and lacks 'currencies', 'locales'"),
        ("KLARNA_MARKETS", {"SE": {"currencies": []}}, r"is \[\]; it must be a list such as \['SEK'\]"),
        ("KLARNA_MARKETS", {"SE": {"currencies": "SEK"}}, "'SEK'; it must be a list such as"),
        ("KLARNA_MARKETS", {"SE": {"currencies": {"SEK"}}}, "{'SEK'}; it must be a list such as"),
        ("KLARNA_MARKETS", {"SE": {"currencies": ["SKE"]}}, r"\['currencies'\] is \['SKE'\]; it must be"),
        ("KLARNA_MARKETS", {"SE": {"currencies": ["SEK", 752]}}, r"is \['SEK', 752\]; it must be"),
        ("KLARNA_MARKETS", {"SE": {"locales": ["sv_SE"]}}, r"\['locales'\] is \['sv_SE'\]; it must be"),
        ("KLARNA_MARKETS", {"SE": {"locales": ["sv-SE\n"]}}, "it must be a list such as"),
        ("KLARNA_MARKETS", {"SE": {"locales": ["\u017fv-SE"]}}, "it must be a list such as"),
        ("KLARNA_MARKETS", {"SE": {"region": "us"}}, r"\['region'\] is 'us'; it must be one of 'eu', 'na'"),
        (
            "KLARNA_MARKETS",
            {"SE": {"tax_model": "net"}},
            "is 'net'; it must be one of 'included', 'sales_tax'",
        ),
        (
            "KLARNA_MARKETS",
            {"US": {"personal_data": 1}},
            r"\['personal_data'\] is 1; it must be True or False",
        ),
        ("KLARNA_MARKETS", {"US": {"max_order_amount": 1e6}}, "is 1000000.0; it must be a positive int"),
        ("KLARNA_MARKETS", {"US": {"max_order_amount": -1}}, "is -1; it must be a positive int"),
        ("KLARNA_MARKETS", {"US": {"max_order_amount": True}}, "is True; it must be a positive int"),
    ],
)
def test_a_wrong_setting_is_named_with_its_rule(
    settings: Settings, name: str, value: object, message: str
) -> None:
    setattr(settings, name, value)

    with pytest.raises(KlarnaConfigurationError, match=message):
        get_settings()
    with pytest.raises(SystemCheckError, match=rf"django_klarna\.E00[14]\) .*{message}"):
        call_command("check")


def test_settings_are_read_anew_after_an_override(settings: Settings) -> None:
    settings.KLARNA_SYNC = "lazy"
    assert get_settings().sync == "lazy"
    settings.KLARNA_SYNC = "commit"
    assert get_settings().sync == "commit"


def test_a_strange_account_names_those_there_are(settings: Settings) -> None:
    settings.KLARNA = {"default": {}, "us": {}}

    with pytest.raises(KlarnaConfigurationError, match="no account 'uk'; it has: 'default', 'us'"):
        get_settings().account("uk")


def test_no_secret_in_the_repr_of_an_account(settings: Settings) -> None:
    settings.KLARNA = {"default": {"USERNAME": "K1", "PASSWORD": "pw-1", "API_KEY": "key-1"}}

    assert "pw-1" not in repr(get_settings())
    assert "key-1" not in repr(get_settings())


def test_all_that_is_wrong_is_told_at_once(settings: Settings) -> None:
    settings.KLARNA = {"default": {"REGION": "us", "USER": "K1"}, "us": {"ENVIRONMENT": "test"}}
    settings.KLARNA_SYNC = "celery"

    with pytest.raises(KlarnaConfigurationError) as refused:
        get_settings()
    for part in ("['default']['REGION']", "'USER'", "['us']['ENVIRONMENT']", "KLARNA_SYNC"):
        assert part in str(refused.value)


def test_no_secret_is_in_the_frames_of_an_error(settings: Settings) -> None:
    """Debug pages show the variables of each frame."""
    settings.KLARNA = {"default": {"PASSWORD": "pw-1", "REGION": "us"}}

    with pytest.raises(KlarnaConfigurationError) as refused:
        get_settings()
    assert refused.value.__context__ is None
    frames = [
        frame.f_locals for frame, _line in walk_tb(refused.tb) if "tests" not in frame.f_code.co_filename
    ]
    assert frames
    assert "pw-1" not in str(frames)


def test_without_secrets_there_is_no_account_and_nothing_is_stopped(settings: Settings) -> None:
    settings.KLARNA = {}

    call_command("check")
    with pytest.raises(KlarnaConfigurationError, match="no account 'default'; it has: none"):
        client_for("default")


def test_the_script_is_klarnas_own_unless_a_sandbox_stands_in(settings: Settings) -> None:
    assert get_settings().sdk_url == KLARNA_SDK_URL
    settings.KLARNA = {"default": {"ENVIRONMENT": "sandbox", "BASE_URL": "http://127.0.0.1:8100/"}}
    assert get_settings().sdk_url == "http://127.0.0.1:8100/kp/lib/v1/api.js"


def test_absolute_urls_are_made_of_the_base() -> None:
    assert get_settings().absolute("/thanks/") == "https://shop.example/thanks/"
    assert get_settings().absolute("https://other.example/x") == "https://other.example/x"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "KLARNA_CART_ADAPTER is missing"),
        ("tests.shop.klarna.Nobody", "cannot be used"),
        ("django_klarna.carts.CartAdapter", "cannot be used: Can't instantiate abstract class"),
        ("tests.shop.models.Cart", "is not a subclass of CartAdapter"),
    ],
)
def test_a_wrong_adapter_is_named(settings: Settings, path: str, message: str) -> None:
    settings.KLARNA_CART_ADAPTER = path

    with pytest.raises(KlarnaConfigurationError, match=message):
        get_adapter()
    with pytest.raises(SystemCheckError, match=r"django_klarna\.E003"):
        call_command("check")


def test_a_cart_model_that_is_not_there_is_named(settings: Settings) -> None:
    settings.KLARNA_CART_MODEL = "shop.Basket"

    with pytest.raises(SystemCheckError, match=r"django_klarna\.E002\) KLARNA_CART_MODEL .shop\.Basket."):
        call_command("check")


@pytest.mark.parametrize("label", [None, "", "Cart", "a.b.Cart"])
def test_without_a_cart_model_the_line_to_add_is_told(settings: Settings, label: str | None) -> None:
    settings.KLARNA_CART_MODEL = label

    with pytest.raises(KlarnaConfigurationError, match=r"KLARNA_CART_MODEL = 'shop\.Cart'"):
        cart_model_label()


def test_good_settings_pass() -> None:
    call_command("check")


def test_clients_follow_the_accounts(settings: Settings) -> None:
    settings.KLARNA = {"default": {"USERNAME": "K1", "PASSWORD": "x"}}
    first = client_for("default")
    assert client_for("default") is first
    settings.KLARNA = {"default": {"API_KEY": "klarna_test_api_x", "REGION": "na"}}
    assert client_for("default") is not first
    assert "api-na.playground.klarna.com" in repr(client_for("default"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"USERNAME": "a:b"}, "username must not contain a colon"),
        ({"PASSWORD": "pass\nword"}, "password must not contain line breaks"),
        ({"ENVIRONMENT": "sandbox", "BASE_URL": "http://klarna.example"}, "https"),
    ],
)
def test_an_account_that_cannot_work_is_a_configuration_error(
    settings: Settings, changes: dict[str, str], message: str
) -> None:
    settings.KLARNA = {"default": {"USERNAME": "K1", "PASSWORD": "x", **changes}}

    with pytest.raises(KlarnaConfigurationError, match=rf"KLARNA\['default'\]: .*{message}") as refused:
        client_for("default")
    assert "pass\nword" not in str(refused.value)


MakeEnv = Callable[..., environ.Env]


class TestEnvironment:
    @pytest.fixture
    def env(self) -> MakeEnv:
        def make(**variables: str) -> environ.Env:
            env = environ.Env()
            env.ENVIRON = variables
            return env

        return make

    def test_without_credentials_there_is_no_account(self, env: MakeEnv) -> None:
        assert klarna_accounts(env()) == {}

    def test_without_credentials_a_sandbox_may_stand_in(self, env: MakeEnv) -> None:
        accounts = klarna_accounts(env(), sandbox_url="http://127.0.0.1:8100")

        assert accounts["default"]["ENVIRONMENT"] == "sandbox"
        assert accounts["default"]["BASE_URL"] == "http://127.0.0.1:8100"

    def test_credentials_replace_the_sandbox(self, env: MakeEnv) -> None:
        accounts = klarna_accounts(
            env(KLARNA_USERNAME="K1", KLARNA_PASSWORD="p"), sandbox_url="http://127.0.0.1:8100"
        )

        assert accounts == {"default": {"USERNAME": "K1", "PASSWORD": "p"}}

    @pytest.mark.parametrize(
        "half",
        [
            {"KLARNA_USERNAME": "K1"},
            {"KLARNA_PASSWORD": "p"},
            {"KLARNA_ENVIRONMENT": "live", "KLARNA_USERNAME": "K1"},
        ],
    )
    def test_half_an_account_is_no_wish_for_the_sandbox(self, env: MakeEnv, half: dict[str, str]) -> None:
        with pytest.raises(
            KlarnaConfigurationError, match=r"KLARNA_USERNAME and KLARNA_PASSWORD .* go together"
        ):
            klarna_accounts(env(**half), sandbox_url="http://127.0.0.1:8100")

    def test_a_live_account_waits_for_its_secrets_without_a_stand_in(self, env: MakeEnv) -> None:
        accounts = klarna_accounts(env(KLARNA_ENVIRONMENT="live"), sandbox_url="http://127.0.0.1:8100")

        assert accounts == {"default": {"ENVIRONMENT": "live"}}

    def test_several_accounts(self, env: MakeEnv, settings: Settings) -> None:
        settings.KLARNA = klarna_accounts(
            env(
                KLARNA_ACCOUNTS="default,us",
                KLARNA_API_KEY="k",
                KLARNA_US_PASSWORD="p",
                KLARNA_US_USERNAME="u",
                KLARNA_US_REGION="na",
            )
        )

        assert get_settings().account("default").api_key == "k"
        assert get_settings().account("us").region == "na"


def test_errors_survive_pickling() -> None:
    violation = Violation(path="/order_amount", rule="total", expected=1, actual=2, mend="count again")
    refused = pickle.loads(pickle.dumps(CartNotPayable((violation,))))
    busy = pickle.loads(pickle.dumps(KlarnaBusyError("away", retry_after=3.0)))

    assert refused.violations == (violation,)
    assert "order_amount" in str(refused)
    assert (str(busy), busy.retry_after) == ("away", 3.0)


def test_a_configuration_error_is_outside_the_family() -> None:
    assert not issubclass(KlarnaConfigurationError, KlarnaError)
    assert issubclass(KlarnaConfigurationError, ImproperlyConfigured)
