"""What is sent and answered: a Swedish cart of any size, filled in as real ones are."""

from typing import Any, Final

PATH: Final = "/payments/v1/sessions"
REFERENCE: Final = "8d1c1f0a-5f1e-4a0b-9f43-1d1f2f0c7c11"
URLS: Final = {"authorization": "https://shop.example/klarna/callback/8d1c1f0a5f1e4a0b/"}


def create(lines: int) -> dict[str, Any]:
    """Return a new session with so many lines, as plain data."""
    order_lines = [_line(number) for number in range(lines)]
    return {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "intent": "buy",
        "order_amount": sum(line["total_amount"] for line in order_lines),
        "order_tax_amount": sum(line["total_tax_amount"] for line in order_lines),
        "order_lines": order_lines,
        "merchant_reference2": REFERENCE,
        "merchant_urls": URLS,
    }


def created() -> dict[str, Any]:
    """Return Klarna's answer to a new session."""
    return {
        "session_id": "068df369-13a7-4d47-a564-62f8408bb760",
        "client_token": "eyJhbGciOiJSUzI1NiJ9." * 40,
        "payment_method_categories": [_category(word) for word in ("pay_now", "pay_later", "pay_over_time")],
    }


def read(lines: int) -> dict[str, Any]:
    """Return Klarna's answer to the reading of a session with so many lines."""
    answer = {key: value for key, value in created().items() if key != "session_id"}
    return {**create(lines), **answer, "status": "incomplete", "expires_at": "2026-11-24T10:00:00.000Z"}


def _line(number: int) -> dict[str, Any]:
    return {
        "type": "physical",
        "reference": f"SKU-{number:06}",
        "name": f"Randig tröja med lång ärm, storlek {number % 50}",
        "quantity": 2,
        "quantity_unit": "pcs",
        "unit_price": 19_900,
        "tax_rate": 2_500,
        "total_amount": 39_800,
        "total_discount_amount": 0,
        "total_tax_amount": 7_960,
        "product_url": f"https://shop.example/products/{number}",
        "image_url": f"https://shop.example/media/{number}.jpg",
    }


def _category(word: str) -> dict[str, Any]:
    host = f"https://x.klarnacdn.net/payment-method/assets/badges/generic/{word}"
    return {
        "identifier": word,
        "name": word.replace("_", " ").capitalize(),
        "asset_urls": {"descriptive": f"{host}.svg", "standard": f"{host}-small.svg"},
    }
