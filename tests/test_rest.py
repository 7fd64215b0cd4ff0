"""The session endpoint as a page uses it, and as others try to."""

import json
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.cache.backends.base import BaseCache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest
from django.test import Client
from pytest_django import Settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from django_klarna import services
from django_klarna.models import KlarnaSession
from django_klarna.rest.views import SessionView
from django_klarna.sandbox import Sandbox, SandboxServer
from tests.sandboxes import Operations, at_klarna
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart, CartLine

if TYPE_CHECKING:
    # Only the stubs have a name for a response with what the test client adds to it.
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/klarna/session/"


def post(client: Client, body: object = None, **headers: str) -> "Answer":
    return client.post(URL, json.dumps(body or {}), content_type="application/json", headers=headers)


def test_post_makes_one_session_and_no_update(
    klarna: Sandbox, shopper: Client, operations: Operations
) -> None:
    first, second = post(shopper), post(shopper)

    assert first.status_code == second.status_code == 200
    assert operations() == ["create"]
    assert first.json() == second.json()
    assert set(first.json()) == {
        "state",
        "client_token",
        "payment_method_categories",
        "order_amount",
        "purchase_currency",
        "locale",
        "expires_at",
    }
    assert first.json()["state"] == "open"
    assert first.json()["order_amount"] == 19900 + 4900
    assert (first.json()["purchase_currency"], first.json()["locale"]) == ("SEK", "sv-SE")


def test_no_answer_names_the_session_or_a_secret(klarna: Sandbox, shopper: Client) -> None:
    answers = [post(shopper), shopper.get(URL)]

    session = KlarnaSession.objects.get()
    assert session.session_id
    for answer in answers:
        assert session.session_id not in answer.text
        assert "secret-of-k1" not in answer.text


def test_get_never_calls_klarna(klarna: Sandbox, shopper: Client, operations: Operations) -> None:
    before = shopper.get(URL).json()
    post(shopper)
    warm = shopper.get(URL).json()
    CartLine.objects.update(quantity=2)
    changed = shopper.get(URL).json()

    assert operations() == ["create"]
    assert (before["state"], before["client_token"]) == ("stale", None)
    assert (warm["state"], bool(warm["client_token"])) == ("open", True)
    assert (changed["state"], changed["client_token"]) == ("stale", None)
    assert changed["order_amount"] == 2 * 19900 + 4900


def test_a_change_without_a_signal_is_in_the_next_answer(klarna: Sandbox, shopper: Client) -> None:
    post(shopper)
    CartLine.objects.update(quantity=2)

    assert shopper.get(URL).json()["client_token"] is None
    answer = post(shopper).json()

    assert answer["order_amount"] == 2 * 19900 + 4900
    known = at_klarna(klarna, KlarnaSession.objects.get(live=True))
    assert known.content["order_amount"] == answer["order_amount"]
    assert known.client_token == answer["client_token"]


def test_answers_are_never_stored(klarna: Sandbox, shopper: Client, client: Client) -> None:
    for answer in (post(shopper), shopper.get(URL), shopper.put(URL), post(Client())):
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
def test_only_json_is_taken(
    klarna: Sandbox, shopper: Client, content_type: str, operations: Operations
) -> None:
    answer = shopper.post(URL, "recheck=1", content_type=content_type)

    assert answer.status_code == 415
    assert operations() == []


def test_answers_are_json_whatever_is_asked_for(klarna: Sandbox, shopper: Client) -> None:
    assert shopper.get(URL, headers={"Accept": "text/html"}).status_code == 406
    assert shopper.get(URL)["Content-Type"] == "application/json"


class TestCsrf:
    @pytest.fixture
    def browser(self, cart: Cart) -> Client:
        browser = Client(enforce_csrf_checks=True)
        session = browser.session
        session["cart_id"] = cart.pk
        session.save()
        return browser

    def test_a_cross_site_form_is_refused(
        self, klarna: Sandbox, browser: Client, operations: Operations
    ) -> None:
        answer = browser.post(URL, {"recheck": "1"}, headers={"Origin": "https://evil.example"})

        assert answer.status_code == 403
        assert operations() == []

    def test_an_anonymous_shopper_needs_the_token(
        self, klarna: Sandbox, browser: Client, operations: Operations
    ) -> None:
        answer = post(browser)

        assert answer.status_code == 403
        assert answer.json()["code"] == "permission_denied"
        assert operations() == []

    def test_the_token_of_the_page_opens_the_door(self, klarna: Sandbox, browser: Client) -> None:
        page = browser.get("/checkout/")
        token = page.context["csrf_token"]

        assert post(browser, **{"X-CSRFToken": str(token)}).status_code == 200

    def test_a_logged_in_shopper_needs_it_too(self, klarna: Sandbox, browser: Client, cart: Cart) -> None:
        browser.force_login(get_user_model().objects.create_user("alice"))
        session = browser.session
        session["cart_id"] = cart.pk
        session.save()

        assert post(browser).status_code == 403


class TestRefusals:
    def test_a_shopper_without_a_cart(self, klarna: Sandbox, client: Client, operations: Operations) -> None:
        answer = post(client)

        assert answer.status_code == 409
        assert answer.json()["code"] == "cart_not_payable"
        assert [reason["rule"] for reason in answer.json()["reasons"]] == ["no_cart"]
        assert operations() == []

    def test_a_cart_that_cannot_be_paid_says_why(
        self, klarna: Sandbox, shopper: Client, cart: Cart, operations: Operations
    ) -> None:
        cart.shipping = 0
        cart.save()
        CartLine.objects.all().delete()

        for answer in (post(shopper), shopper.get(URL)):
            assert answer.status_code == 409
            [reason] = answer.json()["reasons"]
            assert reason["rule"] == "empty"
            assert reason["path"] == "/order_lines"
            assert "nothing to pay" in reason["message"]
        assert operations() == []

    def test_what_klarna_refuses_is_not_shown_to_the_shopper(self, klarna: Sandbox, shopper: Client) -> None:
        klarna.fail_next("create_credit_session", status=400, error_code="BAD_VALUE")

        answer = post(shopper)

        assert answer.status_code == 409
        assert "Bad value" not in answer.text

    def test_klarna_away(
        self, klarna: Sandbox, sandbox_server: SandboxServer, shopper: Client, settings: Settings
    ) -> None:
        settings.KLARNA_ENSURE_TIMEOUT = 0.4
        sandbox_server.stop()

        answer = post(shopper)

        assert answer.status_code == 503
        assert answer.json()["code"] == "unavailable"
        assert int(answer["Retry-After"]) >= 1
        sandbox_server.start()
        settings.KLARNA_ENSURE_TIMEOUT = 30
        assert post(shopper).status_code == 200

    def test_wrong_credentials(
        self, klarna: Sandbox, shopper: Client, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.KLARNA = {"default": {**settings.KLARNA["default"], "PASSWORD": "wrong"}}

        answer = post(shopper)

        assert answer.status_code == 503
        assert int(answer["Retry-After"]) == 60
        assert (
            "refuses the credentials of KLARNA['default'] (region 'eu', environment 'sandbox')" in caplog.text
        )

    def test_too_many_questions(self, klarna: Sandbox, shopper: Client, settings: Settings) -> None:
        settings.KLARNA_THROTTLE_RATES = {"session": "2/min"}

        answers = [post(shopper) for _number in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[2]["Retry-After"]) > 0
        assert shopper.get(URL).status_code == 200, "a GET costs nothing and is not counted"

    def test_a_wrong_setting_is_no_error_page(
        self, klarna: Sandbox, shopper: Client, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.KLARNA = {"default": {"USERNAME": "K1"}}

        answer = post(shopper)

        assert answer.status_code == 503
        assert "KLARNA['default'] needs 'USERNAME' and 'PASSWORD'" in caplog.text

    def test_a_cache_that_is_down(
        self, klarna: Sandbox, shopper: Client, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.CACHES = {"default": {"BACKEND": "tests.test_rest.DeadCache"}}

        assert post(shopper).status_code == 200
        assert "Requests are not counted" in caplog.text

    def test_a_body_that_nobody_sends(self, klarna: Sandbox, shopper: Client, operations: Operations) -> None:
        deep = shopper.post(URL, b"[" * 10_000, content_type="application/json")
        large = shopper.post(URL, b" " * 20_000 + b"{}", content_type="application/json")

        assert (deep.status_code, large.status_code) == (400, 413)
        assert large.json()["code"] == "request_too_large"
        assert operations() == []

    @pytest.mark.parametrize("body", [b"{", b"[]", b'{"recheck": "perhaps"}', b"\xff"])
    def test_a_bad_body(self, klarna: Sandbox, shopper: Client, body: bytes, operations: Operations) -> None:
        answer = shopper.post(URL, body, content_type="application/json")

        assert answer.status_code == 400
        assert set(answer.json()) == {"code", "detail"}
        assert operations() == []


class DeadCache(BaseCache):
    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: object, default: object = None, version: int | None = None) -> NoReturn:
        raise ConnectionError


class RaisingAdapter(ShopCartAdapter):
    error: Exception

    def cart_for(self, request: HttpRequest) -> NoReturn:
        raise self.error


class TestErrorsOfTheShop:
    """What the adapter raises is the shop's to say; as JSON where Django has an answer for it."""

    @pytest.fixture
    def raising(self, klarna: Sandbox, settings: Settings) -> type[RaisingAdapter]:
        settings.KLARNA_CART_ADAPTER = "tests.test_rest.RaisingAdapter"
        return RaisingAdapter

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [(Http404("secret"), 404, "not_found"), (PermissionDenied("secret"), 403, "permission_denied")],
    )
    def test_django_s_own(
        self, raising: type[RaisingAdapter], client: Client, error: Exception, status: int, code: str
    ) -> None:
        raising.error = error
        answer = client.get(URL)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "secret" not in answer.text

    def test_a_mistake_stays_one(self, raising: type[RaisingAdapter], client: Client) -> None:
        raising.error = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            client.get(URL)


class KeyAuthentication(BaseAuthentication):
    """The authenticator of an app, which sends a key and has no cookies."""

    def authenticate(self, request: Request) -> tuple[object, None] | None:
        key = request.headers.get("X-Key")
        if key == "wrong":
            raise AuthenticationFailed
        return (AnonymousUser(), None) if key else None

    def authenticate_header(self, request: Request) -> str:
        return "Key"


class TestAuthenticators:
    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SessionView, "authentication_classes", [KeyAuthentication])

    @pytest.fixture
    def app(self, klarna: Sandbox, cart: Cart) -> Client:
        app = Client(enforce_csrf_checks=True)
        session = app.session
        session["cart_id"] = cart.pk
        session.save()
        return app

    def test_a_key_needs_no_csrf_token(self, app: Client) -> None:
        assert post(app, **{"X-Key": "right"}).status_code == 200
        assert post(app).status_code == 403

    def test_a_wrong_key_is_told_how(self, app: Client, operations: Operations) -> None:
        answer = post(app, **{"X-Key": "wrong"})

        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Key")
        assert operations() == []


class TestRecheck:
    def test_without_a_session_it_is_a_first_one(
        self, klarna: Sandbox, shopper: Client, operations: Operations
    ) -> None:
        assert post(shopper, {"recheck": True}).status_code == 200
        assert operations() == ["create"]

    def test_a_failed_load_reads_once_and_replaces_what_is_gone(
        self, klarna: Sandbox, shopper: Client, operations: Operations
    ) -> None:
        token = post(shopper).json()["client_token"]
        klarna.advance(49 * 3600)

        answer = post(shopper, {"recheck": True})

        assert operations() == ["create", "read", "create"]
        assert answer.json()["client_token"] != token

    def test_a_good_session_stays(self, klarna: Sandbox, shopper: Client, operations: Operations) -> None:
        token = post(shopper).json()["client_token"]

        assert post(shopper, {"recheck": True}).json()["client_token"] == token
        assert operations() == ["create", "read"]

    def test_it_is_throttled(
        self, klarna: Sandbox, shopper: Client, settings: Settings, operations: Operations
    ) -> None:
        settings.KLARNA_THROTTLE_RATES = {"recheck": "1/min"}
        post(shopper)

        assert post(shopper, {"recheck": True}).status_code == 200
        assert post(shopper, {"recheck": True}).status_code == 429
        assert operations() == ["create", "read"]


def test_any_defaults_of_the_project(klarna: Sandbox, shopper: Client, settings: Settings) -> None:
    """Authenticators apart, nothing of REST_FRAMEWORK reaches the endpoint."""
    settings.REST_FRAMEWORK = {
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
        "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
        "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
        "ALLOWED_VERSIONS": ["9"],
        "EXCEPTION_HANDLER": "tests.nowhere.handler",
    }

    assert post(shopper).status_code == 200
    assert shopper.get(URL).status_code == 200


def test_atomic_requests_do_not_wrap_the_call(
    klarna: Sandbox, shopper: Client, operations: Operations
) -> None:
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        assert post(shopper).status_code == 200
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert operations() == ["create"]


def test_login_required_middleware_lets_shoppers_through(
    klarna: Sandbox, shopper: Client, settings: Settings
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]

    assert post(shopper).status_code == 200
    assert services.peek_session(cart=CartLine.objects.get().cart)[0]
