"""What ``{% klarna_widget %}`` and ``{% klarna_scripts %}`` put into a page."""

import json
import re
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any

import django
import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CSRF_SESSION_KEY, CsrfViewMiddleware
from django.template import Context, RequestContext, Template
from django.test import Client, RequestFactory
from django.utils.functional import SimpleLazyObject
from pytest_django import Settings

import django_klarna
from django_klarna.conf import KLARNA_SDK_URL
from django_klarna.sandbox import Sandbox
from django_klarna.services import placing

ROOT = Path(__file__).resolve().parents[2]
MODULE = Path(django_klarna.__file__).parent / "static/django_klarna/klarna.js"
# Why nothing was bought, says the endpoint; the module passes it on.
REASONS = {value for name, value in vars(placing).items() if name.isupper() and isinstance(value, str)}
PAGE = "{% load klarna %}<form>{% klarna_widget %}</form>{% klarna_scripts %}"
Attributes = dict[str, str | None]


class LazyNonce:
    """Falsy until it is used, and used only by ``str()``, like those of Django 6 and of django-csp."""

    used = False

    def __bool__(self) -> bool:
        return self.used

    def __str__(self) -> str:
        self.used = True
        return "r4nd0m"


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text of its JSON scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, Attributes]] = []
        self.json: list[str] = []
        self._in_json = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        self._in_json = attributes.get("type") == "application/json"

    def handle_data(self, data: str) -> None:
        if self._in_json:
            self.json.append(data)
            self._in_json = False

    def with_(self, name: str) -> list[Attributes]:
        return [attributes for _tag, attributes in self.elements if name in attributes]

    @property
    def loaded(self) -> list[Attributes]:
        """Everything that the browser fetches: scripts and style sheets."""
        return [a for tag, a in self.elements if tag == "link" or (tag == "script" and "src" in a)]

    @property
    def config(self) -> Any:
        (text,) = self.json
        return json.loads(text)


@pytest.fixture
def request_() -> WSGIRequest:
    return RequestFactory().get("/checkout/")


def render(request: HttpRequest, **context: object) -> Page:
    return Page(Template(PAGE).render(RequestContext(request, context)))


@pytest.mark.parametrize("place", ["csp_nonce", "_csp_nonce"])
def test_nonce_of_the_request_is_on_everything_loaded(request_: WSGIRequest, place: str) -> None:
    nonce = LazyNonce()
    setattr(request_, place, nonce)
    page = render(request_)
    assert nonce.used
    assert [tag.get("nonce") for tag in page.loaded] == ["r4nd0m"] * 3


def test_nonce_may_come_from_the_context(request_: WSGIRequest) -> None:
    assert [tag.get("nonce") for tag in render(request_, csp_nonce=LazyNonce()).loaded] == ["r4nd0m"] * 3


def test_nonce_may_be_a_lazy_object_like_that_of_django_csp(request_: WSGIRequest) -> None:
    request_.csp_nonce = SimpleLazyObject(lambda: "l4zy")  # type: ignore[attr-defined]
    assert [tag.get("nonce") for tag in render(request_).loaded] == ["l4zy"] * 3


def test_nonce_is_escaped(request_: WSGIRequest) -> None:
    assert '"><b>' not in render(request_, csp_nonce='"><b>').html


def test_without_a_policy_there_is_no_nonce(request_: WSGIRequest) -> None:
    assert "nonce" not in render(request_).html


@pytest.mark.skipif(
    django.VERSION < (6, 0), reason="needs Django 6.0 or newer, which has a policy of its own"
)
def test_django_s_own_middleware_puts_our_nonce_into_the_header(
    request_: WSGIRequest, settings: Settings
) -> None:
    csp = import_module("django.middleware.csp")
    settings.SECURE_CSP = {"script-src": [import_module("django.utils.csp").CSP.NONCE]}
    response = csp.ContentSecurityPolicyMiddleware(lambda request: HttpResponse(render(request).html))(
        request_
    )
    (nonce,) = set(re.findall(r'nonce="([^"]+)"', response.content.decode()))
    assert f"'nonce-{nonce}'" in response["Content-Security-Policy"]


def test_no_inline_script_and_no_inline_style(request_: WSGIRequest) -> None:
    page = render(request_)
    inline = [a for tag, a in page.elements if tag == "script" and "src" not in a]
    assert [attributes.get("type") for attributes in inline] == ["application/json"]
    assert not page.with_("style")
    assert not [name for _tag, attributes in page.elements for name in attributes if name.startswith("on")]


def test_module_comes_before_klarna_s_script_which_is_async(request_: WSGIRequest) -> None:
    module, sdk = (tag for tag in render(request_).loaded if "src" in tag)
    assert module["type"] == "module"
    assert str(module["src"]).endswith("django_klarna/klarna.js")
    assert sdk["src"] == KLARNA_SDK_URL
    assert "async" in sdk


def test_sandbox_account_loads_the_sandbox_s_script(request_: WSGIRequest, settings: Settings) -> None:
    settings.KLARNA = {
        "default": {
            "USERNAME": "u",
            "PASSWORD": "p",
            "ENVIRONMENT": "sandbox",
            "BASE_URL": "http://127.0.0.1:8100",
        }
    }
    assert render(request_).loaded[-1]["src"] == "http://127.0.0.1:8100/kp/lib/v1/api.js"


def test_config_says_where_and_how_to_ask(request_: WSGIRequest) -> None:
    config = render(request_).config
    urls = {name.removesuffix("_url"): url for name, url in config.items() if name.endswith("_url")}
    assert urls == {
        "session": "/klarna/session/",
        "attempt": "/klarna/attempt/",
        "authorization": "/klarna/authorization/",
    }
    assert config.keys() - {f"{name}_url" for name in urls} == {
        "csrf_header",
        "csrf_cookie",
        "csrf_token",
        "messages",
    }
    assert config["messages"]["unavailable"] == "Klarna is not available now."


def test_every_message_is_that_of_a_state_of_the_module(request_: WSGIRequest) -> None:
    (states,) = re.findall(r"@typedef \{(.+?)\} State\n", MODULE.read_text())
    messages = render(request_).config["messages"]
    # With a widget to look at, "ready" needs no words; "hidden" and "cancelled" leave them to the shop.
    assert set(re.findall(r"\w+", states)) - {"ready", "hidden", "cancelled"} == messages.keys() - {
        "forbidden"
    }


@pytest.mark.parametrize("in_session", [False, True])
def test_config_s_csrf_token_and_header_pass_the_csrf_check(
    request_: WSGIRequest, settings: Settings, in_session: bool
) -> None:
    settings.CSRF_USE_SESSIONS = in_session
    settings.CSRF_HEADER_NAME = "HTTP_X_SHOP_TOKEN"
    config = render(request_).config
    post = RequestFactory().post("/klarna/session/", headers={config["csrf_header"]: config["csrf_token"]})
    kept = request_.META["CSRF_COOKIE"]
    post.session = SessionStore()
    post.session.update({CSRF_SESSION_KEY: kept} if in_session else {})
    post.COOKIES = {} if in_session else {settings.CSRF_COOKIE_NAME: kept}
    check = CsrfViewMiddleware(HttpResponse)
    check.process_request(post)
    assert check.process_view(post, HttpResponse, (), {}) is None


def test_config_names_the_cookie_with_the_csrf_token(request_: WSGIRequest, settings: Settings) -> None:
    settings.CSRF_COOKIE_NAME = "shop_csrf"
    assert render(request_).config["csrf_cookie"] == "shop_csrf"


@pytest.mark.parametrize("setting", ["CSRF_USE_SESSIONS", "CSRF_COOKIE_HTTPONLY"])
def test_config_names_no_cookie_that_a_script_cannot_read(
    request_: WSGIRequest, settings: Settings, setting: str
) -> None:
    setattr(settings, setting, True)
    assert render(request_).config["csrf_cookie"] is None


def test_shopper_reads_that_klarna_is_loading_before_any_script_runs(request_: WSGIRequest) -> None:
    page = render(request_)
    assert f'aria-live="polite">{page.config["messages"]["loading"]}</p>' in page.html


def test_every_code_of_the_module_is_documented() -> None:
    module = MODULE.read_text()
    written = {
        "hidden": {*re.findall(r'#hide\("(\w+)"\)', module), *re.findall(r'#hide\(code = "(\w+)"', module)},
        "error": {
            *re.findall(r'code: "(\w+)"', module),
            *re.findall(r'#unavailable\((?:body\?\.code \?\? )?"(\w+)"', module),
        },
    }
    reference = (ROOT / "docs/reference.md").read_text()
    for event, codes in written.items():
        (table,) = re.findall(rf"^\| code of `klarna:{event}` .*?\n\n", reference, re.MULTILINE | re.DOTALL)
        documented = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
        assert codes <= documented <= codes | REASONS


def test_config_cannot_break_out_of_its_script(request_: WSGIRequest, settings: Settings) -> None:
    settings.CSRF_HEADER_NAME = "HTTP_</SCRIPT><B>"
    assert render(request_).html.lower().count("</script>") == 3


def test_two_widgets_share_no_id(request_: WSGIRequest) -> None:
    page = Page(Template(PAGE + PAGE).render(RequestContext(request_)))
    assert len(page.json) == 2
    assert not page.with_("id")


@pytest.mark.parametrize("tag", ["klarna_widget", "klarna_scripts"])
def test_without_the_request_the_error_names_the_context_processor(tag: str) -> None:
    template = Template("{% load klarna %}{% " + tag + " %}")
    with pytest.raises(ImproperlyConfigured, match=r"django\.template\.context_processors\.request"):
        template.render(Context())


@pytest.mark.django_db
def test_no_token_is_ever_in_a_page(shopper: Client, klarna: Sandbox, request_: WSGIRequest) -> None:
    token = shopper.post("/klarna/session/", data={}, content_type="application/json").json()["client_token"]
    assert token
    request_.session, request_.COOKIES = shopper.session, {c.key: c.value for c in shopper.cookies.values()}
    assert token not in render(request_).html
