"""One `KlarnaApiCall` for each call of Klarna, written when the call has ended."""

import logging
import random
import re
from contextvars import ContextVar
from typing import Protocol
from zlib import crc32

from django.db import router, transaction

from django_klarna.api import Call
from django_klarna.conf import get_settings
from django_klarna.models import KlarnaApiCall

logger = logging.getLogger("django_klarna")

#: What these look like at Klarna. Anything else may be an echo of what we sent, and is not kept.
ERROR_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
CORRELATION_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class Work(Protocol):
    """What a call is made for: ``pk`` is that of the session's row."""

    pk: int


#: The work of this thread; the client knows nothing of rows.
current_work: ContextVar[Work | None] = ContextVar("django_klarna.current_work", default=None)


def note(account: str, call: Call) -> None:
    """Keep what may be kept of a call; never raises, for the call itself has been made."""
    try:
        row = described(account, call)
        if row.error_code or is_sampled(row.session_id):
            save(row)
    except Exception as error:  # noqa: BLE001 - whatever it is; its text may hold the values of the row
        logger.warning("A call of Klarna was not noted down: %s", type(error).__name__)


def described(account: str, call: Call) -> KlarnaApiCall:
    """Say how a call went."""
    work = current_work.get()
    return KlarnaApiCall(
        operation=call.operation,
        account=account[:64],
        session_id=work.pk if work else None,
        status_code=call.status_code,
        error_code=matching(ERROR_CODE, call.error_code) or call.failure or "",
        correlation_id=matching(CORRELATION_ID, call.correlation_id),
        sent=call.sent,
        duration=round(call.duration * 1000),
        attempts=call.attempts,
    )


def matching(pattern: re.Pattern[str], word: str | None) -> str:
    """Give ``word`` if it looks as it should."""
    return word if word and pattern.fullmatch(word) else ""


def is_sampled(session: int | None) -> bool:
    """Tell whether the calls of a session are noted down: all of them or, but for errors, none."""
    rate = get_settings().audit_sample_rate
    share = random.random() if session is None else crc32(str(session).encode()) / 2**32  # noqa: S311 - a sample
    return share < rate


def save(row: KlarnaApiCall) -> None:
    """Insert ``row``; should that fail, a transaction around it, such as a test's, can go on."""
    using = router.db_for_write(KlarnaApiCall)
    with transaction.atomic(using=using):
        row.save(using=using, force_insert=True)
