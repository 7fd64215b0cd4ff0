"""The URLs at which Klarna calls us: each carries the signed key of what it is about, and is believed for nothing else.

Signatures are the same each time, differ between the kinds of URLs, and those made with SECRET_KEY_FALLBACKS hold.
Source:
https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/authorization-callback
"""

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from django_klarna.api import MerchantUrls
from django_klarna.conf import get_settings

AUTHORIZATION, NOTIFICATION, PUSH = "authorization", "notification", "push"
#: Klarna puts the id of the order here.
ORDER_ID = "{order.id}"
#: A key has 22 characters and a signature 43.
LONGEST = 128


def signer(kind: str) -> Signer:
    """Make the signer of one kind of URL."""
    return Signer(salt=f"django_klarna.{kind}")


def signed(kind: str, key: str) -> str:
    """Sign the key of a session for one kind of URL."""
    return signer(kind).sign(key)


def key_of(kind: str, secret: str) -> str | None:
    """Give the key that was signed for this kind of URL, or None; takes no query."""
    if len(secret) > LONGEST:
        return None
    try:
        return signer(kind).unsign(secret)
    except BadSignature:
        return None


def link(kind: str, key: str) -> str:
    """Make the absolute URL of one kind for the session with this key."""
    return get_settings().absolute(reverse(f"klarna:{kind}-callback", args=[signed(kind, key)]))


def merchant_urls(key: str, confirmation: str) -> MerchantUrls:
    """Give all that Klarna is told for the session with this key; ``confirmation`` is absolute."""
    return MerchantUrls(
        confirmation=confirmation,
        authorization=link(AUTHORIZATION, key),
        notification=link(NOTIFICATION, key),
        push=f"{link(PUSH, key)}?order_id={ORDER_ID}",
    )
