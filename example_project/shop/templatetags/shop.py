"""The shop's template filters."""

from django import template

from example_project.shop.prices import kronor

register = template.Library()
register.filter("kronor", kronor)
