"""The sandbox of the demonstration, which runs in a process of its own."""

from typing import Any

import requests


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

    @property
    def order_amounts(self) -> list[int]:
        """What Klarna was told, and accepted, oldest first."""
        calls = self._ask("GET", "calls")
        return [
            call["body"]["order_amount"] for call in calls if call["body"] and call["status"] in {200, 204}
        ]

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = requests.request(method, f"{self._url}/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()
