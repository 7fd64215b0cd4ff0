"""What a shop tests its own adapter with: give it carts and changes, it looks at everything else."""

from django_klarna.testing.changes import Change
from django_klarna.testing.conformance import CartAdapterTests
from django_klarna.testing.purchases import UnchangedCartWarning

__all__ = ("CartAdapterTests", "Change", "UnchangedCartWarning")
