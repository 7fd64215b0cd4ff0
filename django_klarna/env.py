"""Settings from the environment, for projects that use django-environ."""

import environ

from django_klarna.exceptions import KlarnaConfigurationError

KEYS = ("USERNAME", "PASSWORD", "API_KEY", "REGION", "ENVIRONMENT")


def klarna_accounts(env: environ.Env, *, sandbox_url: str | None = None) -> dict[str, dict[str, str]]:
    """Read the value for the setting KLARNA from the environment.

    ``KLARNA_USERNAME`` and ``KLARNA_PASSWORD`` (or ``KLARNA_API_KEY``), ``KLARNA_REGION`` and
    ``KLARNA_ENVIRONMENT`` make the account ``"default"``. ``KLARNA_ACCOUNTS=default,us`` names more of them,
    read from ``KLARNA_US_USERNAME`` and so on. An account without credentials is left out, or, given
    ``sandbox_url``, is one of the local sandbox; a live one stays, without credentials. One with half of them is
    a `KlarnaConfigurationError`.
    """
    accounts = {alias: account_from(env, alias) for alias in env.list("KLARNA_ACCOUNTS", default=["default"])}
    if sandbox_url is not None:
        stand_in = {
            "USERNAME": "sandbox",
            "PASSWORD": "sandbox",
            "ENVIRONMENT": "sandbox",
            "BASE_URL": sandbox_url,
        }
        return {alias: account or stand_in for alias, account in accounts.items()}
    return {alias: account for alias, account in accounts.items() if account}


def account_from(env: environ.Env, alias: str) -> dict[str, str]:
    """Read one account; empty when the environment has none, and the sandbox may stand in for it.

    Half of the credentials are a typing error and no wish for the sandbox: `KlarnaConfigurationError` names the
    rest. An account that is live has no stand-in, but it may lack its secrets while an image is built.
    """
    prefix = "KLARNA_" if alias == "default" else f"KLARNA_{alias.upper()}_"
    given = {key: value for key in KEYS if (value := env.str(f"{prefix}{key}", default=""))}
    if "API_KEY" in given or {"USERNAME", "PASSWORD"} <= given.keys():
        return given
    if given.keys() & {"USERNAME", "PASSWORD"}:
        raise KlarnaConfigurationError(
            f"{prefix}USERNAME and {prefix}PASSWORD (or {prefix}API_KEY) go together; "
            f"the environment has only {', '.join(prefix + key for key in given)}"
        )
    return {} if given.get("ENVIRONMENT", "playground") in {"playground", "sandbox"} else given
