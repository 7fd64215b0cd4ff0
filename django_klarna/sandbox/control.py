"""The sandbox's own JSON endpoints below `/_sandbox/`, by which tests and people steer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

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
    return {user: merchant.as_json() for user, merchant in sandbox.merchants.items()}


def _set_merchant(sandbox: Sandbox, body: object) -> object:
    given = dict(body) if isinstance(body, Mapping) else {}
    user = given.pop("user", EVERYONE)
    if not isinstance(user, str):
        raise ValueError("user: must be a user name or an API key")  # noqa: TRY004 - bad input, not a bug
    sandbox.merchants[user] = Merchant.from_json(given)
    return _merchants(sandbox, body)


def _complete(sandbox: Sandbox, body: object) -> object:
    session_id = body.get("session_id") if isinstance(body, Mapping) else None
    if not isinstance(session_id, str) or session_id not in sandbox.sessions:
        raise ValueError("session_id: must be that of a session")
    sandbox.complete(session_id)
    return {}


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
    "/_sandbox/complete": {"POST": _complete},
    "/_sandbox/reset": {"POST": _reset},
}
