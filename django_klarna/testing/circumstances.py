"""What is not the same in each process, thread and request, and must not change what Klarna is told."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta, timezone
from decimal import ROUND_UP, Context, localcontext
from functools import partial

from django.conf import settings
from django.utils.timezone import override as override_timezone
from django.utils.translation import override as override_language

#: Enough digits for exact sums of all amounts that Klarna takes; what is rounded without saying how, goes up.
DECIMALS = Context(prec=12, rounding=ROUND_UP)
#: More than a day apart: it is always another date in one of them.
OFFSETS = (14, -12)


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstance:
    """One thing that differs, and how to be independent of it."""

    name: str
    enter: Callable[[], AbstractContextManager[object]]
    mend: str


AGAIN = Circumstance(
    name="built a second time",
    enter=nullcontext,
    mend="Order the lines, as in cart.lines.order_by('pk'), and tell no time, counter or random value.",
)


def circumstances() -> Iterator[Circumstance]:
    """Give everything else under which a cart is described again."""
    yield from languages()
    yield from time_zones()
    yield Circumstance(
        name="with another decimal context, as another thread may have,",
        enter=partial(localcontext, DECIMALS),
        mend="Say how to round: quantize(Decimal('0.01'), rounding=ROUND_HALF_UP).",
    )


def languages() -> Iterator[Circumstance]:
    """Give each language of the project: that of a request is not that of a command."""
    for code, _ in settings.LANGUAGES:
        yield Circumstance(
            name=f"with the language {code!r} active",
            enter=partial(override_language, code),
            mend="Take the language from the cart, with translation.override(…), or tell untranslated texts.",
        )


def time_zones() -> Iterator[Circumstance]:
    """Give two time zones."""
    for hours in OFFSETS:
        zone = timezone(timedelta(hours=hours))
        yield Circumstance(
            name=f"in the time zone {zone}",
            enter=partial(override_timezone, zone),
            mend="Write dates and times in one time zone, whichever is active.",
        )
