from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "tests.projects.uuid_key.shop"
    label = "uuid_shop"
    default_auto_field = "django.db.models.BigAutoField"
