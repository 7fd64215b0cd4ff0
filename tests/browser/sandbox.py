"""The sandbox of the demonstration, which runs in a process of its own."""

import time
from typing import Any

import requests

JSON = dict[str, Any]
# Seconds.
PATIENCE = 30.0


class RemoteSandbox:
    """Klarna, watched and steered over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_sandbox"

    def reset(self) -> None:
        """Forget everything."""
        self._ask("POST", "reset", {})

    def fail(self, **fault: Any) -> None:
        """Let calls go wrong as a `django_klarna.sandbox.Fault` with these fields says."""
        self._ask("POST", "faults", fault)

    def heal(self) -> None:
        """Let no call go wrong any more."""
        self._ask("DELETE", "faults")

    def lose_callbacks(self) -> None:
        """Send none."""
        self._ask("POST", "callbacks", {"mode": "drop"})

    def decide(self, fraud_status: str) -> None:
        """End the review of the only order."""
        (order,) = self.orders
        self._ask("POST", "decide", {"order_id": order["order_id"], "fraud_status": fraud_status})

    @property
    def orders(self) -> list[JSON]:
        """What was ordered, oldest first."""
        orders: list[JSON] = self._ask("GET", "orders")
        return orders

    @property
    def order_amounts(self) -> list[int]:
        """What Klarna was told of the cart, and accepted, oldest first."""
        return [
            call["body"]["order_amount"]
            for call in self.calls("create_credit_session", "update_credit_session")
        ]

    def calls(self, *operations: str) -> list[JSON]:
        """What was asked for with success, oldest first."""
        calls = self._ask("GET", "calls")
        return [call for call in calls if call["operation"] in operations and call["status"] in {200, 204}]

    def wait_for_callback(self, kind: str, state: str) -> None:
        """Wait until the only callback of a kind has come to this."""
        deadline = time.monotonic() + PATIENCE
        while (states := self._callbacks(kind)) != [state]:
            assert time.monotonic() < deadline, states
            time.sleep(0.1)

    def _callbacks(self, kind: str) -> list[str]:
        return [callback["state"] for callback in self._ask("GET", "callbacks") if callback["kind"] == kind]

    def _ask(self, method: str, path: str, body: JSON | None = None) -> Any:
        answer = requests.request(method, f"{self._url}/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()
