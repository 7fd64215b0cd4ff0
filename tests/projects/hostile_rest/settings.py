"""An API for machines: nothing that REST framework does here by default suits a shopper's page."""

from tests.settings import *  # noqa: F403 - all of it, but for what follows
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework.authtoken"]
HOSTILE = "tests.projects.hostile_rest.defaults"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.BasicAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": f"{HOSTILE}.NoNegotiation",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "ALLOWED_VERSIONS": ["9"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day", "session": "1/day"},
    "NUM_PROXIES": 3,
    "DEFAULT_METADATA_CLASS": f"{HOSTILE}.NoMetadata",
    "DEFAULT_SCHEMA_CLASS": f"{HOSTILE}.NoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 1,
    "DEFAULT_FILTER_BACKENDS": ["rest_framework.filters.SearchFilter"],
    "EXCEPTION_HANDLER": f"{HOSTILE}.handle_nothing",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": "state",
    "STRICT_JSON": False,
    "COMPACT_JSON": False,
}
