"""Settings from the environment, for projects that use django-environ."""

import environ


def klarna_accounts(env: environ.Env, *, sandbox_url: str | None = None) -> dict[str, dict[str, str]]:
    """Read the value for the setting KLARNA from the environment.

    ``KLARNA_USERNAME`` and ``KLARNA_PASSWORD`` (or ``KLARNA_API_KEY``), ``KLARNA_REGION`` and
    ``KLARNA_ENVIRONMENT`` make the account ``"default"``. ``KLARNA_ACCOUNTS=default,us`` names more of them,
    read from ``KLARNA_US_USERNAME`` and so on. An account without credentials is left out, or, given
    ``sandbox_url``, is one of the local sandbox.
    """
    accounts = {alias: read_account(env, alias) for alias in env.list("KLARNA_ACCOUNTS", default=["default"])}
    if sandbox_url is not None:
        stand_in = {
            "USERNAME": "sandbox",
            "PASSWORD": "sandbox",
            "ENVIRONMENT": "sandbox",
            "BASE_URL": sandbox_url,
        }
        return {alias: account or stand_in for alias, account in accounts.items()}
    return {alias: account for alias, account in accounts.items() if account}


def read_account(env: environ.Env, alias: str) -> dict[str, str]:
    """Read one account; empty when the environment has no credentials for it."""
    prefix = "KLARNA_" if alias == "default" else f"KLARNA_{alias.upper()}_"
    options = {key: env.str(f"{prefix}{key}", default="") for key in ("USERNAME", "PASSWORD", "API_KEY")}
    if not options["API_KEY"] and not options["PASSWORD"]:
        return {}
    options |= {
        "REGION": env.str(f"{prefix}REGION", default="eu"),
        "ENVIRONMENT": env.str(f"{prefix}ENVIRONMENT", default="playground"),
    }
    return {key: value for key, value in options.items() if value}
