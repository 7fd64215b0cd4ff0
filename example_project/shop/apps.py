"""The app of the example shop."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """A catalogue and carts."""

    name = "example_project.shop"
    default_auto_field = "django.db.models.BigAutoField"
