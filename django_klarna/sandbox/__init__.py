"""Stand in for Klarna Payments on the local machine.

A stateful stand-in, not a copy: what Klarna documents is held to, what it leaves open is decided here and
named where it is decided. It shares no code with the rest of the package, so that a misreading on one side
shows up as a failure and not as an agreement of two mistakes.
"""

try:
    import jsonschema as _jsonschema  # noqa: F401 - only to learn that the extra is installed
    import jwt as _jwt  # noqa: F401 - as above
except ModuleNotFoundError as _missing:
    # Under this package's own name `python -m` reports the message in one line, without a traceback.
    raise ImportError(
        f"The Klarna sandbox needs {_missing.name}: pip install 'django-klarna[sandbox]'", name=__name__
    ) from None

from django_klarna.sandbox.authorizations import SandboxAuthorization
from django_klarna.sandbox.callbacks import Callback
from django_klarna.sandbox.calls import Call
from django_klarna.sandbox.faults import Fault
from django_klarna.sandbox.merchants import Merchant
from django_klarna.sandbox.messages import Drop, Request, Response
from django_klarna.sandbox.orders import SandboxOrder
from django_klarna.sandbox.sandbox import Sandbox
from django_klarna.sandbox.server import SandboxServer
from django_klarna.sandbox.sessions import SandboxSession

__all__ = [
    "Call",
    "Callback",
    "Drop",
    "Fault",
    "Merchant",
    "Request",
    "Response",
    "Sandbox",
    "SandboxAuthorization",
    "SandboxOrder",
    "SandboxServer",
    "SandboxSession",
]
