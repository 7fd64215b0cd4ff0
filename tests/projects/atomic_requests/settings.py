"""Each request is a transaction."""

from tests.settings import *  # noqa: F403 - all of it, but for what follows
from tests.settings import DATABASES

DATABASES["default"]["ATOMIC_REQUESTS"] = True
