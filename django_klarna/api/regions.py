"""Where Klarna's API lives."""

from typing import Literal

Region = Literal["eu", "na", "oc"]
Environment = Literal["live", "playground"]

_BASE_URLS: dict[tuple[str, str], str] = {
    ("eu", "live"): "https://api.klarna.com",
    ("eu", "playground"): "https://api.playground.klarna.com",
    ("na", "live"): "https://api-na.klarna.com",
    ("na", "playground"): "https://api-na.playground.klarna.com",
    ("oc", "live"): "https://api-oc.klarna.com",
    ("oc", "playground"): "https://api-oc.playground.klarna.com",
}


def base_url_for(region: Region, environment: Environment) -> str:
    """Return the base URL for the region and environment of a Klarna account.

    The region is that of the account, not of the shopper: "eu", "na" (US, CA, MX) or "oc" (AU, NZ).
    Raises ValueError for anything else.
    Source: https://docs.klarna.com/api/api-urls
    """
    try:
        return _BASE_URLS[region, environment]
    except KeyError:
        pairs = ", ".join(f"{region}/{environment}" for region, environment in _BASE_URLS)
        raise ValueError(f"Klarna has no such region and environment; there are {pairs}.") from None
