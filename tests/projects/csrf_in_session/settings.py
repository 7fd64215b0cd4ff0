"""The CSRF token is in the session: no cookie has it, and its header has a name of the project."""

from tests.settings import *  # noqa: F403 - all of it, but for what follows

CSRF_USE_SESSIONS = True
CSRF_HEADER_NAME = "HTTP_X_SHOP_CSRF"
