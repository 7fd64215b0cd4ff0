"""System checks: no network and, but for one, no database.

Where to find one by its id:

- `configuration`, the settings of django_klarna: E001, E004, E005, E006, W001
- `cart`, the cart model and its adapter: E002, E003, E007, W002, W003
- `project`, what a checkout page needs of the project around: W004, W007, W008, W009
- `policy`, the Content-Security-Policy: W005, W006
- `waiting`, what only a database knows: W013
- `deployment`, what only matters where things are sold: E008, E009, E010, W010, W011, W012
"""

from django.core.checks import Tags, register

from django_klarna.checks.cart import (
    check_cart_adapter,
    check_cart_model,
    check_default_account,
    check_watches,
)
from django_klarna.checks.configuration import (
    check_clients,
    check_keys,
    check_names,
    check_settings,
)
from django_klarna.checks.deployment import (
    check_base_url,
    check_credentials,
    check_environments,
    check_live,
    check_throttle_cache,
)
from django_klarna.checks.policy import check_policies
from django_klarna.checks.project import (
    check_context_processor,
    check_endpoint,
    check_opener_policy,
    check_rest_framework,
)
from django_klarna.checks.waiting import check_waiting

TAG = "klarna"
CHECKS = (
    check_settings,
    check_names,
    check_clients,
    check_keys,
    check_default_account,
    check_cart_model,
    check_cart_adapter,
    check_watches,
    check_opener_policy,
    check_policies,
    check_rest_framework,
    check_context_processor,
    check_endpoint,
    check_live,
)
#: Those of ``check --deploy``: without secrets everything can be built and migrated.
DEPLOYMENT_CHECKS = (check_credentials, check_base_url, check_environments, check_throttle_cache)


def register_checks() -> None:
    """Register every check of the app."""
    for check in CHECKS:
        register(check, TAG)
    for check in DEPLOYMENT_CHECKS:
        register(check, TAG, deploy=True)
    # Not with our tag: that is for those who have no database yet.
    register(check_waiting, Tags.database)
