"""The template tags: thin wrappers over `django_klarna.widgets`."""

from typing import Any

from django import template
from django.template import Context

from django_klarna.widgets import scripts_context, widget_context

register = template.Library()


@register.inclusion_tag("django_klarna/widget.html", takes_context=True)
def klarna_widget(context: Context) -> dict[str, Any]:
    """Show the place where Klarna's widget appears; ``{% klarna_scripts %}`` fills it."""
    return widget_context(context)


@register.inclusion_tag("django_klarna/scripts.html", takes_context=True)
def klarna_scripts(context: Context) -> dict[str, Any]:
    """Load our module and Klarna's SDK, with the page's CSP nonce when there is one."""
    return scripts_context(context)
