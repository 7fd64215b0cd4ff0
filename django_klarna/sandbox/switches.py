"""What may be set on a sandbox while it runs."""

from typing import Any, Final

REPLAYED_ORDERS: Final = ("order", "consumed", "completed")


class Switches:
    """Hold the address of a sandbox, and its readings of what Klarna leaves open about authorizations.

    `read_shows_authorization_token`: the read of an authorized session names its token. The contract has the field,
    and Klarna's guide recommends it to whoever lost the callback; that it works is not documented further.

    `update_voids_authorization`: an update of an authorized session ends its token. If not, the token stays bound
    to what was authorized.

    `replayed_order` is the answer to an order that is sent again after it was placed: the `order` again, 403
    because the token is `consumed`, or 404 because the session is `completed`. Source for all three being possible:
    https://docs.klarna.com/resources/developer-tools/error-handling/error-codes-and-messages-for-klarna-payments
    """

    def __init__(
        self,
        *,
        base_url: str,
        read_shows_authorization_token: bool,
        update_voids_authorization: bool,
        replayed_order: str,
    ) -> None:
        self.base_url = base_url
        self._given: dict[str, Any] = {
            "read_shows_authorization_token": read_shows_authorization_token,
            "update_voids_authorization": update_voids_authorization,
            "replayed_order": replayed_order,
        }
        self.reset_switches()

    @property
    def replayed_order(self) -> str:
        """Return what answers an order that is sent again."""
        return self._replayed_order

    @replayed_order.setter
    def replayed_order(self, value: str) -> None:
        if value not in REPLAYED_ORDERS:
            raise ValueError(f"replayed_order: must be one of {', '.join(REPLAYED_ORDERS)}")
        self._replayed_order = value

    def reset_switches(self) -> None:
        """Go back to the readings given at the start; the address stays."""
        self.read_shows_authorization_token: bool = self._given["read_shows_authorization_token"]
        self.update_voids_authorization: bool = self._given["update_voids_authorization"]
        self.replayed_order = self._given["replayed_order"]
