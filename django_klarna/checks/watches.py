"""Whether the adapter's ``watches`` lead from a changed row to its cart."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model

#: A hint looks no further than this many foreign keys.
FAR = 3

Cart = type[Model]


def watch_problems(watches: Mapping[Any, Any], cart: Cart) -> Iterator[tuple[str, str]]:
    """Give what is wrong with each entry, and what to write instead."""
    for watched, path in watches.items():
        models = installed(watched)
        if not models:
            yield f"watches {watched!r}, and no installed model is one", "Watch a model, not its name"
        for model in models:
            if problem := path_problem(model, path, cart):
                yield f"watches {model.__name__} with {path!r}: {problem}", better_path(watched, model, cart)


def installed(watched: object) -> list[type[Model]]:
    """Give the models that are watched: one, or the children of one; a proxy has the fields of its model."""
    if not isinstance(watched, type):
        return []
    models = [model for model in apps.get_models() if issubclass(model, watched)]
    return [model for model in models if model is watched or not model._meta.proxy]  # noqa: SLF001 - Django's public name


def path_problem(model: type[Model], path: object, cart: Cart) -> str | None:
    """Tell why a receiver could not follow ``path`` from a row of ``model`` to the key of its cart."""
    if path is None:
        return None if is_cart(model, cart) else f"{model.__name__} is not the cart"
    *steps, last = str(path).split("__")
    for step in steps:
        field = field_of(model, step)
        if not (field and (field.many_to_one or field.one_to_one)):
            return f"{model.__name__} has no single {step!r}"
        if field.related_model is None:
            return None  # a generic relation: only its rows know where it leads
        model = field.related_model
    return last_problem(model, last, cart)


def last_problem(model: type[Model], name: str, cart: Cart) -> str | None:
    """Tell why ``name`` is not the foreign key that holds the primary key of the cart."""
    field = field_of(model, name)
    if not isinstance(field, ForeignKey):
        return f"{model.__name__} has no foreign key {name!r}"
    if not is_cart(field.related_model, cart):
        return f"{name!r} leads to {field.related_model.__name__}, not to {cart.__name__}"
    return None if field.target_field.primary_key else f"{name!r} holds another field than the primary key"


def field_of(model: type[Model], name: str) -> Any:  # noqa: ANN401 - fields and relations have no common type
    """Give a field or relation of a model; None if there is none."""
    try:
        return model._meta.get_field(name)  # noqa: SLF001 - Django's public name
    except FieldDoesNotExist:
        return None


def is_cart(model: type[Model], cart: Cart) -> bool:
    """Tell whether rows of ``model`` have the key of a cart: the model itself, a proxy, a parent or a child."""
    one, other = (each._meta.concrete_model or each for each in (model, cart))  # noqa: SLF001 - Django's public name
    return issubclass(one, other) or issubclass(other, one)


def better_path(watched: type[Model], model: type[Model], cart: Cart) -> str:
    """Give the entry that would be right."""
    path = None if is_cart(model, cart) else path_to_cart(model, cart)
    if path or is_cart(model, cart):
        return f"watches = {{..., {watched.__name__}: {path!r}}}"
    return f"Do not watch {watched.__name__}: no foreign key leads from it to {cart.__name__}"


def path_to_cart(model: type[Model], cart: Cart, far: int = FAR) -> str | None:
    """Find a way over foreign keys to the cart, the shortest first."""
    fields = model._meta.get_fields()  # noqa: SLF001 - Django's public name
    keys = [field for field in fields if isinstance(field, ForeignKey)]
    for key in keys:
        if last_problem(model, key.name, cart) is None:
            return key.name
    for key in keys if far > 1 else ():
        if rest := path_to_cart(key.related_model, cart, far - 1):
            return f"{key.name}__{rest}"
    return None
