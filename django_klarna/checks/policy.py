"""Checks of the Content-Security-Policy: Django's own (from 6.0), and that of django-csp 4.

What is only reported breaks nothing, and is not looked at.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Warning as Caution

CDN = "https://x.klarnacdn.net"
KLARNA = "https://*.klarna.com"
#: What Klarna publishes for its scripts.
#: Source: https://docs.klarna.com/klarna-network-distribution/payment-presentation/web-sdk-configuration/browser-security-configuration/
NEEDED = {
    "script-src": (CDN,),
    "connect-src": (KLARNA, "https://*.klarnaevt.com", CDN),
    "frame-src": (KLARNA, CDN),
    "img-src": (CDN,),
    "font-src": (CDN,),
    "style-src": ("'unsafe-inline'", CDN),
}
#: The line that lets a nonce in, and what it has to import, by setting.
NONCES = {
    "SECURE_CSP": "CSP.NONCE]  # from django.utils.csp import CSP",
    "CONTENT_SECURITY_POLICY['DIRECTIVES']": "NONCE]  # from csp.constants import NONCE",
}
#: Where a browser looks first, and where else when that is not there.
INSTEAD = {
    "script-src": ("script-src-elem", "script-src", "default-src"),
    "frame-src": ("frame-src", "child-src", "default-src"),
    "style-src": ("style-src-elem", "style-src", "default-src"),
}


#: What makes a browser ignore ``'unsafe-inline'``; a nonce of Django or of django-csp has the word in its text.
NONCE_OR_HASH = re.compile(r"nonce|^'sha\d+-", re.IGNORECASE)


class Rule(NamedTuple):
    """The directive of a policy that a browser applies, and what it allows."""

    setting: str
    name: str
    value: Any
    implied: bool

    @property
    def sources(self) -> list[str]:
        """What is allowed, one by one."""
        values = self.value if isinstance(self.value, list | tuple | set) else [self.value]
        return [source for value in values for source in str(value).split()]

    def widened(self, directive: str) -> str:
        """Give the name under which more is to be allowed: the default is not for Klarna to widen."""
        return directive if self.name == "default-src" else self.name

    def beginning(self, directive: str) -> str:
        """Begin the line that allows more: the list of ``directive`` up to what is new."""
        kept = [source for source in self.sources if not spoils(source, directive)]
        if self.implied or kept != self.sources:
            given = "".join(f"{source!r}, " for source in kept)
        else:
            given = f"{'' if isinstance(self.value, str) else '*'}{self.setting}[{self.name!r}], "
        return f"{self.setting}[{self.widened(directive)!r}] = [{given}"


def check_policies(**kwargs: Any) -> list[CheckMessage]:
    """W005: a policy keeps Klarna out. W006: it keeps our own script out."""
    return [message for setting, given in policies() for message in policy_problems(setting, given)]


def policies() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the directives of each policy that the project has set, with the name of where they are."""
    if given := getattr(settings, "SECURE_CSP", None):
        yield "SECURE_CSP", given
    if given := getattr(settings, "CONTENT_SECURITY_POLICY", None):
        yield "CONTENT_SECURITY_POLICY['DIRECTIVES']", given.get("DIRECTIVES", {})


def policy_problems(setting: str, given: Mapping[str, Any]) -> Iterator[CheckMessage]:
    """Give what is wrong with one policy."""
    for directive, needed in NEEDED.items():
        rule = applied(setting, given, directive)
        if rule is None:
            continue
        if missing := missing_sources(rule, directive, needed):
            hint = f"{rule.beginning(directive)}{', '.join(map(repr, missing))}]"
            message = f"{setting} keeps Klarna out: {rule.widened(directive)!r} lacks {', '.join(missing)}"
            yield Caution(message, hint=hint, id="django_klarna.W005")
        if directive == "script-src" and not lets_ours_run(rule.sources):
            message = f"{setting} keeps our script out: {rule.name!r} has no nonce"
            yield Caution(message, hint=rule.beginning(directive) + NONCES[setting], id="django_klarna.W006")


def applied(setting: str, given: Mapping[str, Any], directive: str) -> Rule | None:
    """Find the rule that a browser applies; None if nothing is forbidden. django-csp has a default of its own."""
    implied = {} if setting == "SECURE_CSP" else {"default-src": ["'self'"]}
    everything = {**implied, **given}
    for name in INSTEAD.get(directive, (directive, "default-src")):
        value = everything.get(name)
        if value is not None and value is not False:
            return Rule(setting, name, value, implied=name not in given)
    return None


def missing_sources(rule: Rule, directive: str, needed: tuple[str, ...]) -> list[str]:
    """Give what the rule has to allow, and does not."""
    if directive == "script-src" and "'strict-dynamic'" in rule.sources:
        return []  # what our script loads may load more, wherever from
    return [each for each in needed if not allows(rule.sources, each)]


def spoils(source: str, directive: str) -> bool:
    """Tell whether a source allows nothing else beside it; for styles a nonce or a hash does so."""
    return source == "'none'" or (directive == "style-src" and bool(NONCE_OR_HASH.search(source)))


def allows(sources: list[str], needed: str) -> bool:
    """Tell whether one of ``sources`` covers ``needed``: an origin of https, or a word in quotes."""
    if needed.startswith("'"):
        return needed in sources and not any(map(NONCE_OR_HASH.search, sources))
    host = needed.removeprefix("https://")
    return any(source in {"*", "https:"} or covers(source, host) for source in sources)


def covers(source: str, host: str) -> bool:
    """Tell whether a source expression with a host, ``[scheme://]host[:port][/path]``, covers ``host``."""
    allowed = source.rpartition("://")[2].partition("/")[0].removesuffix(":443").lower()
    return allowed == host or (allowed.startswith("*.") and host.endswith(allowed[1:]))


def lets_ours_run(sources: list[str]) -> bool:
    """Tell whether our own script may run: by its nonce, or by where it comes from."""
    if any("nonce" in source.lower() for source in sources):
        return True
    origin = urlsplit(settings.STATIC_URL or "").netloc
    return "'strict-dynamic'" not in sources and ("'self'" in sources or allows(sources, f"https://{origin}"))
