"""REST framework knows nobody here; the shop's pages know who has logged in."""

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from pytest_django import Settings

from django_klarna.sandbox import Sandbox
from tests.projects.klarna import AnyShopAdapter
from tests.projects.shopper import Shopper
from tests.shop.abstract import AbstractCart

pytestmark = pytest.mark.django_db(transaction=True)


class FamiliarAdapter(AnyShopAdapter):
    """Has carts for those who have logged in, as the pages of the shop do."""

    def cart_for(self, request: HttpRequest) -> AbstractCart | None:
        return super().cart_for(request) if request.user.is_authenticated else None


def test_the_adapter_sees_who_has_logged_in(klarna: Sandbox, shopper: Shopper, settings: Settings) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.projects.hostile_rest.journey.FamiliarAdapter"
    assert shopper.look().json()["code"] == "cart_not_payable"

    shopper.browser.force_login(get_user_model().objects.create_user("alice"))

    assert shopper.look().json()["state"] == "stale"
