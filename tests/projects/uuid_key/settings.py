"""A shop whose carts have UUIDs, in a project that leaves DEFAULT_AUTO_FIELD to Django."""

from tests.settings import *  # noqa: F403 - all of it, but for what follows
from tests.settings import INSTALLED_APPS

del DEFAULT_AUTO_FIELD  # noqa: F821 - from there
INSTALLED_APPS = [*(app for app in INSTALLED_APPS if app != "tests.shop"), "tests.projects.uuid_key.shop"]
KLARNA_CART_MODEL = "uuid_shop.Cart"
KLARNA_CART_ADAPTER = "tests.projects.klarna.AnyShopAdapter"
