"""How the shop writes amounts."""

from decimal import Decimal

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def kronor(amount: Decimal) -> str:
    """Write an amount in SEK the Swedish way: ``1 249,50 kr``."""
    digits = f"{amount:,.2f}".replace(",", NO_BREAK_SPACE).replace(".", ",")
    return f"{digits}{NO_BREAK_SPACE}kr"
