"""A page that says nothing about it is for those who have logged in."""

from tests.settings import *  # noqa: F403 - all of it, but for what follows
from tests.settings import MIDDLEWARE

MIDDLEWARE = [*MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
