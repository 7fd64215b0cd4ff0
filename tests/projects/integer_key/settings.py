"""A shop with integer keys, in a project whose own are small ones."""

from tests.settings import *  # noqa: F403 - all of it, but for what follows

DEFAULT_AUTO_FIELD = "django.db.models.SmallAutoField"
