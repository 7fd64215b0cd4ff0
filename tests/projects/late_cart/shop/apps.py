from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "tests.projects.late_cart.shop"
    label = "late_shop"
    default_auto_field = "django.db.models.BigAutoField"
