import pickle

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

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
        ("KLARNA", {}, "KLARNA must be a dict of accounts"),
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
    ],
)
def test_a_wrong_setting_is_named_with_its_rule(settings, name, value, message):
    setattr(settings, name, value)

    with pytest.raises(KlarnaConfigurationError, match=message):
        get_settings()
    with pytest.raises(SystemCheckError, match=r"django_klarna\.E001"):
        call_command("check")


def test_settings_are_read_anew_after_an_override(settings):
    settings.KLARNA_SYNC = "lazy"
    assert get_settings().sync == "lazy"
    settings.KLARNA_SYNC = "commit"
    assert get_settings().sync == "commit"


def test_a_strange_account_names_those_there_are(settings):
    settings.KLARNA = {"default": {}, "us": {}}

    with pytest.raises(KlarnaConfigurationError, match="no account 'uk'; it has: 'default', 'us'"):
        get_settings().account("uk")


def test_no_secret_in_the_repr_of_an_account(settings):
    settings.KLARNA = {"default": {"USERNAME": "K1", "PASSWORD": "pw-1", "API_KEY": "key-1"}}

    assert "pw-1" not in repr(get_settings())
    assert "key-1" not in repr(get_settings())


def test_the_script_is_klarnas_own_unless_a_sandbox_stands_in(settings):
    assert get_settings().sdk_url == KLARNA_SDK_URL
    settings.KLARNA = {"default": {"ENVIRONMENT": "sandbox", "BASE_URL": "http://127.0.0.1:8100/"}}
    assert get_settings().sdk_url == "http://127.0.0.1:8100/kp/lib/v1/api.js"


def test_absolute_urls_are_made_of_the_base():
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
def test_a_wrong_adapter_is_named(settings, path, message):
    settings.KLARNA_CART_ADAPTER = path

    with pytest.raises(KlarnaConfigurationError, match=message):
        get_adapter()
    with pytest.raises(SystemCheckError, match=r"django_klarna\.E003"):
        call_command("check")


def test_a_cart_model_that_is_not_there_is_named(settings):
    settings.KLARNA_CART_MODEL = "shop.Basket"

    with pytest.raises(SystemCheckError, match=r"django_klarna\.E002\) KLARNA_CART_MODEL .shop\.Basket."):
        call_command("check")


@pytest.mark.parametrize("label", [None, "", "Cart", "a.b.Cart"])
def test_without_a_cart_model_the_line_to_add_is_told(settings, label):
    settings.KLARNA_CART_MODEL = label

    with pytest.raises(KlarnaConfigurationError, match=r"KLARNA_CART_MODEL = 'shop\.Cart'"):
        cart_model_label()


def test_good_settings_pass():
    call_command("check")


def test_clients_follow_the_accounts(settings):
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
def test_an_account_that_cannot_work_is_a_configuration_error(settings, changes, message):
    settings.KLARNA = {"default": {"USERNAME": "K1", "PASSWORD": "x", **changes}}

    with pytest.raises(KlarnaConfigurationError, match=rf"KLARNA\['default'\]: .*{message}") as refused:
        client_for("default")
    assert "pass\nword" not in str(refused.value)


class TestEnvironment:
    @pytest.fixture
    def env(self, monkeypatch):
        def make(**variables):
            env = environ.Env()
            env.ENVIRON = variables
            return env

        return make

    def test_without_credentials_there_is_no_account(self, env):
        assert klarna_accounts(env()) == {}

    def test_without_credentials_a_sandbox_may_stand_in(self, env):
        accounts = klarna_accounts(env(), sandbox_url="http://127.0.0.1:8100")

        assert accounts["default"]["ENVIRONMENT"] == "sandbox"
        assert accounts["default"]["BASE_URL"] == "http://127.0.0.1:8100"

    def test_credentials_replace_the_sandbox(self, env):
        accounts = klarna_accounts(
            env(KLARNA_USERNAME="K1", KLARNA_PASSWORD="p"), sandbox_url="http://127.0.0.1:8100"
        )

        assert accounts == {"default": {"USERNAME": "K1", "PASSWORD": "p"}}

    @pytest.mark.parametrize(
        "half", [{"KLARNA_USERNAME": "K1"}, {"KLARNA_PASSWORD": "p"}, {"KLARNA_ENVIRONMENT": "live"}]
    )
    def test_half_an_account_is_no_wish_for_the_sandbox(self, env, half):
        with pytest.raises(
            KlarnaConfigurationError, match=r"KLARNA_USERNAME and KLARNA_PASSWORD .* go together"
        ):
            klarna_accounts(env(**half), sandbox_url="http://127.0.0.1:8100")

    def test_several_accounts(self, env, settings):
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


def test_errors_survive_pickling():
    violation = Violation(path="/order_amount", rule="total", expected=1, actual=2, mend="count again")
    refused = pickle.loads(pickle.dumps(CartNotPayable((violation,))))
    busy = pickle.loads(pickle.dumps(KlarnaBusyError("away", retry_after=3.0)))

    assert refused.violations == (violation,)
    assert "/order_amount" in str(refused)
    assert (str(busy), busy.retry_after) == ("away", 3.0)


def test_a_configuration_error_is_outside_the_family():
    assert not issubclass(KlarnaConfigurationError, KlarnaError)
    assert issubclass(KlarnaConfigurationError, ImproperlyConfigured)
