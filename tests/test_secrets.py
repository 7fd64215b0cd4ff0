"""What is secret is planted in a whole project, and all that anybody is told there is searched for it."""

import base64
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from django_klarna import services
from django_klarna.api import Address, Attachment, Session, SessionCreate
from django_klarna.models import KlarnaApiCall, KlarnaAuthorization, KlarnaOrder, KlarnaSession
from django_klarna.sandbox import Sandbox
from tests import urls
from tests.services.purchases import approve, authorize, call_back
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart

if TYPE_CHECKING:
    # Only the stubs have a name for a response with what the test client adds to it.
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = pytest.mark.django_db(transaction=True)

PLANTED = "planted-"
PASSWORD = "secret-of-k1"
API_KEY = "klarna_test_api_planted-key"
CREDENTIALS = (PASSWORD, base64.b64encode(f"K1:{PASSWORD}".encode()).decode(), API_KEY)
# Django's own log of SQL, which is silent unless somebody asks for it, shows whatever is written.
LOGGERS = ("", "django_klarna", "urllib3", "requests", "django.request", "django.server")


class PlantingAdapter(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        attachment = Attachment(content_type="application/json", body="planted-body")
        return super().build_session(cart).replace(merchant_data="planted-data", attachment=attachment)

    def authorize_data(self, cart: Cart) -> Session:
        return Session(billing_address=Address(city="planted-city", postal_code="planted-10"))


FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"status": 400, "error_code": "BAD_VALUE"},
    "unauthorized": {"status": 401},
    "broken": {"status": 500},
    "dropped": {"drop": "after"},
    "page": {"body": "html"},
    "cut": {"body": "truncated"},
}
#: Where the answer needs no body it does not matter that there is none.
HARMLESS = {(service, fault) for service in ("update", "cancel") for fault in ("page", "cut")}
SERVICES: dict[str, Callable[[Cart], object]] = {
    "create": lambda cart: services.ensure_session(cart=cart),
    "replace": lambda cart: services.ensure_session(cart=cart),
    "update": lambda cart: services.sync_session(live(cart).pk),
    "read": lambda cart: services.refresh_session(live(cart).pk),
    "place": lambda _cart: services.place_order(KlarnaAuthorization.objects.get().pk),
    "cancel": lambda _cart: services.cancel_authorization(KlarnaAuthorization.objects.get().pk),
}
AUTHORIZED = ("place", "cancel")
ENDS = [(service, fault) for service in SERVICES for fault in FAULTS if (service, fault) not in HARMLESS]


def live(cart: Cart) -> KlarnaSession:
    return KlarnaSession.objects.get(cart=cart, live=True)


def prepare_attempt(cart: Cart) -> object:
    return services.prepare_attempt(cart=cart)


def shop(request: HttpRequest, service: str) -> HttpResponse:
    """A page of a shop that lets every error through."""
    ({**SERVICES, "attempt": prepare_attempt})[service](Cart.objects.get())
    return HttpResponse(f"{[model.objects.all() for model in MODELS]!r}")


MODELS: tuple[Any, ...] = (KlarnaSession, KlarnaApiCall, KlarnaAuthorization, KlarnaOrder)
urlpatterns = [*urls.urlpatterns, path("try/<service>/", shop)]


@pytest.fixture
def pages(klarna: Sandbox, settings: Settings, cart: Cart) -> Client:
    """A browser in a project that shows its debug page."""
    settings.DEBUG = True
    settings.ROOT_URLCONF = __name__
    settings.KLARNA_CART_ADAPTER = "tests.test_secrets.PlantingAdapter"
    settings.KLARNA_ENSURE_TIMEOUT = settings.KLARNA_ORDER_TIMEOUT = 1
    return Client(raise_request_exception=False)


@pytest.fixture(params=["password", "api-key"])
def account(request: pytest.FixtureRequest, pages: Client, settings: Settings) -> None:
    """Either way to authenticate."""
    if request.param == "api-key":
        address = {name: settings.KLARNA["default"][name] for name in ("ENVIRONMENT", "BASE_URL")}
        settings.KLARNA = {"default": {"API_KEY": API_KEY, **address}}


def prepare(service: str, klarna: Sandbox, cart: Cart) -> None:
    """Make the service's next call the one that is looked at."""
    if service in AUTHORIZED:
        authorize(klarna, cart)
    elif service == "attempt":
        services.ensure_session(cart=cart)
    elif service != "create" and service in SERVICES:
        services.ensure_session(cart=cart)
        cart.lines.update(quantity=2)
        KlarnaSession.objects.update(in_doubt=service == "replace")


def told_by(page: str, caplog: pytest.LogCaptureFixture) -> str:
    """All that anybody is told."""
    records = "".join(f"{record.getMessage()} {record.args} {vars(record)}" for record in caplog.records)
    rows = f"{list(KlarnaApiCall.objects.values())} {list(KlarnaSession.objects.all())}"
    errors = f"{list(KlarnaSession.objects.values('error_code', 'error_message'))}"
    return page + records + caplog.text + rows + errors


def secrets(klarna: Sandbox) -> list[str]:
    client_tokens = (session.client_token for session in klarna.sessions.values())
    redirect_urls = (f"{klarna.base_url}/kp/redirect", *klarna.authorizations)
    return [PLANTED, *CREDENTIALS, *client_tokens, *redirect_urls]


def is_told(klarna: Sandbox, values: Iterable[object]) -> bool:
    return any(secret in str(value) for value in values for secret in secrets(klarna))


def listen(caplog: pytest.LogCaptureFixture) -> None:
    for name in LOGGERS:
        caplog.set_level(1, name or None)


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(("service", "fault"), ENDS)
def test_nobody_is_told_whatever_klarna_answers(
    service: str, fault: str, klarna: Sandbox, pages: Client, cart: Cart, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(service, klarna, cart)
    klarna.fail_next(count=100, **FAULTS[fault])
    listen(caplog)

    page = pages.get(f"/try/{service}/")

    assert (page.status_code, "Traceback" in page.text) == (500, True)
    assert {"django_klarna.api", "django.request"} <= {record.name for record in caplog.records}
    told = told_by(page.text, caplog)
    assert [secret for secret in secrets(klarna) if secret in told] == []


@pytest.mark.parametrize("service", SERVICES)
def test_nobody_is_told_when_all_is_well(
    service: str, klarna: Sandbox, pages: Client, cart: Cart, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(service, klarna, cart)
    listen(caplog)

    page = pages.get(f"/try/{service}/")

    assert (page.status_code, KlarnaApiCall.objects.count() > 0) == (200, True)
    told = told_by(page.text, caplog)
    assert [secret for secret in secrets(klarna) if secret in told] == []


def browser(pages: Client, klarna: Sandbox, cart: Cart) -> Callable[[], "Answer"]:
    """Let the page of a shopper tell a token."""
    attempt, token = approve(klarna, cart)
    session = pages.session
    session["cart_id"] = cart.pk
    session.save()
    told = {"attempt": attempt, "authorization_token": token}
    return lambda: pages.post("/klarna/authorization/", told, content_type="application/json")


def callback(pages: Client, klarna: Sandbox, cart: Cart) -> Callable[[], "Answer"]:
    """Let Klarna tell a token."""
    approve(klarna, cart)
    return lambda: call_back(klarna, pages)


TELLERS = {"browser": browser, "callback": callback}


def asked_for(service: str, pages: Client, klarna: Sandbox, cart: Cart) -> Callable[[], "Answer"]:
    """Prepare everything for one request."""
    prepare(service, klarna, cart)
    if service in TELLERS:
        return TELLERS[service](pages, klarna, cart)
    return lambda: pages.get(f"/try/{service}/")


@pytest.mark.parametrize("service", ["create", "replace", "read", "attempt", "place", *TELLERS])
def test_nobody_is_told_when_what_is_secret_cannot_be_stored(
    service: str, klarna: Sandbox, pages: Client, cart: Cart, caplog: pytest.LogCaptureFixture
) -> None:
    """The debug page shows the variables of Django's frames, too: what was to be written, and where."""
    ask = asked_for(service, pages, klarna, cart)
    listen(caplog)
    full: list[str] = []

    def disk(execute: Callable[..., object], sql: str, params: Any, *rest: Any) -> object:
        if is_told(klarna, params or ()):
            full.append(sql)
            raise DatabaseError("The disk is full.")
        return execute(sql, params, *rest)

    with connection.execute_wrapper(disk):
        page = ask()

    assert (page.status_code, "The disk is full." in page.text, len(full)) == (500, True, 1)
    told = told_by(page.text, caplog)
    assert [secret for secret in secrets(klarna) if secret in told] == []
