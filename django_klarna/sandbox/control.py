"""The sandbox's own JSON endpoints below `/_sandbox/`, by which tests and people steer it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from django_klarna.sandbox.clock import iso
from django_klarna.sandbox.faults import Fault
from django_klarna.sandbox.merchants import EVERYONE, Merchant
from django_klarna.sandbox.messages import Request, Response, json_response, method_not_allowed, parse_json

if TYPE_CHECKING:
    from django_klarna.sandbox.sandbox import Sandbox

Action = Callable[["Sandbox", object], object]


def control(sandbox: Sandbox, request: Request) -> Response:
    """Do what a control request asks for; bad input gets a 400 that names the field."""
    actions = ACTIONS.get(request.path)
    if actions is None:
        return json_response(404, {"error": f"Known here: {', '.join(ACTIONS)}"})
    action = actions.get(request.method)
    if action is None:
        return method_not_allowed(tuple(actions))
    try:
        return json_response(200, action(sandbox, parse_json(request.body)))
    except ValueError as error:
        return json_response(400, {"error": str(error)})


def _calls(sandbox: Sandbox, _body: object) -> object:
    return [call.as_json() for call in sandbox.calls]


def _faults(sandbox: Sandbox, _body: object) -> object:
    return [fault.as_json() for fault in sandbox.faults]


def _add_fault(sandbox: Sandbox, body: object) -> object:
    sandbox.add_fault(Fault.from_json(body))
    return _faults(sandbox, body)


def _merchants(sandbox: Sandbox, _body: object) -> object:
    return {user: merchant.as_json() for user, merchant in list(sandbox.merchants.data.items())}


def _set_merchant(sandbox: Sandbox, body: object) -> object:
    given = dict(body) if isinstance(body, Mapping) else {}
    user = given.pop("user", EVERYONE)
    if not isinstance(user, str):
        raise ValueError("user: must be a user name or an API key")  # noqa: TRY004 - bad input, not a bug
    sandbox.merchants[user] = Merchant.from_json(given)
    return _merchants(sandbox, body)


def _complete(sandbox: Sandbox, body: object) -> object:
    sandbox.complete(_session_id(sandbox, body))
    return {}


def _authorize(sandbox: Sandbox, body: object) -> object:
    given = _fields(body, ("session_id", "data", "decision"))
    decision = given.get("decision", "approve")
    return sandbox.authorize(_session_id(sandbox, body), given.get("data"), decision=decision)


def _session_id(sandbox: Sandbox, body: object) -> str:
    session_id = body.get("session_id") if isinstance(body, Mapping) else None
    if not isinstance(session_id, str) or session_id not in sandbox.sessions:
        raise ValueError("session_id: must be that of a session")
    return session_id


def _orders(sandbox: Sandbox, _body: object) -> object:
    return [order.as_json() for order in list(sandbox.orders.data.values())]


def _decide(sandbox: Sandbox, body: object) -> object:
    given = _fields(body, ("order_id", "fraud_status"))
    order_id = given.get("order_id")
    if not isinstance(order_id, str) or order_id not in sandbox.orders:
        raise ValueError("order_id: must be that of an order")
    sandbox.decide(order_id, given.get("fraud_status", ""))
    return sandbox.orders[order_id].as_json()


def _callbacks(sandbox: Sandbox, _body: object) -> object:
    return [callback.as_json() for callback in sandbox.callbacks]


def _set_callback_mode(sandbox: Sandbox, body: object) -> object:
    given = _fields(body, ("mode", "delay", "kind"))
    sandbox.callback_mode(given.get("mode", ""), delay=given.get("delay", 0), kind=given.get("kind"))
    return _callbacks(sandbox, body)


def _deliver(sandbox: Sandbox, body: object) -> object:
    index = _fields(body, ("index",)).get("index")
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(sandbox.callbacks):
        raise ValueError("index: must be that of a callback")
    return sandbox.deliver(index).as_json()


def _fields(body: object, known: Collection[str]) -> dict[str, Any]:
    given = dict(body) if isinstance(body, Mapping) else {}
    for name in given:
        if name not in known:
            raise ValueError(f"{name}: is none of {', '.join(known)}")
    return given


def _clear_faults(sandbox: Sandbox, body: object) -> object:
    sandbox.clear_faults()
    return _faults(sandbox, body)


def _time(sandbox: Sandbox, _body: object) -> object:
    return {"now": iso(sandbox.now)}


def _advance(sandbox: Sandbox, body: object) -> object:
    given = body if isinstance(body, Mapping) else {}
    seconds = given.get("advance", given.get("seconds"))
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise ValueError("advance: must be a number of seconds")  # noqa: TRY004 - bad input, not a bug
    sandbox.advance(seconds)
    return _time(sandbox, body)


def _reset(sandbox: Sandbox, _body: object) -> object:
    sandbox.reset()
    return {}


ACTIONS: Final[dict[str, dict[str, Action]]] = {
    "/_sandbox/calls": {"GET": _calls},
    "/_sandbox/faults": {"GET": _faults, "POST": _add_fault, "DELETE": _clear_faults},
    "/_sandbox/clock": {"GET": _time, "POST": _advance},
    "/_sandbox/merchants": {"GET": _merchants, "POST": _set_merchant},
    "/_sandbox/authorize": {"POST": _authorize},
    "/_sandbox/orders": {"GET": _orders},
    "/_sandbox/decide": {"POST": _decide},
    "/_sandbox/callbacks": {"GET": _callbacks, "POST": _set_callback_mode},
    "/_sandbox/callbacks/deliver": {"POST": _deliver},
    "/_sandbox/complete": {"POST": _complete},
    "/_sandbox/reset": {"POST": _reset},
}
