"""The app of the example shop."""

from importlib import import_module

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """A catalogue, carts and orders."""

    name = "example_project.shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what becomes of Klarna's orders."""
        import_module(f"{self.name}.klarna")
