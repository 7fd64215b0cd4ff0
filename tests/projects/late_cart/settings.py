"""A shop that sold nothing at first: its carts came with the second migration of its app."""

from tests.settings import *  # noqa: F403 - all of it, but for what follows
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [*(app for app in INSTALLED_APPS if app != "tests.shop"), "tests.projects.late_cart.shop"]
KLARNA_CART_MODEL = "late_shop.Cart"
KLARNA_CART_ADAPTER = "tests.projects.klarna.AnyShopAdapter"
