"""Klarna Payments for Django: one payment session per cart, kept equal to the cart."""

__version__ = "0.1.0"
