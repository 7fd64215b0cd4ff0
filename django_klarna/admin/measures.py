"""Everything that staff can have done, as data."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from django_klarna import services
from django_klarna.admin.runs import Repair
from django_klarna.models import Flag, OrderState
from django_klarna.services.attempts import authorizations
from django_klarna.services.orders import orders
from django_klarna.services.reconciliation import believe_candidate


class OrderIdForm(forms.Form):
    """What staff have found at Klarna."""

    order_id = forms.RegexField(
        label=_("Klarna's order id"),
        regex=r"\A[0-9A-Za-z-]+\Z",
        max_length=255,
        strip=True,
        help_text=_("The long one, of 36 letters, digits and hyphens."),
        error_messages={"invalid": _("An order id has letters, digits and hyphens only.")},
    )


def go_on(pk: int) -> bool:
    """Go on with an authorization of which nothing has come; tells whether it is settled now."""
    is_waiting = authorizations().unsettled().filter(pk=pk).exists()
    return is_waiting and services.place_order(pk).is_settled


def give_back(pk: int) -> bool:
    """Cancel an authorization of which nothing has come; tells whether nothing is reserved any more."""
    is_waiting = authorizations().unsettled().filter(pk=pk).exists()
    return is_waiting and services.cancel_authorization(pk).is_settled


def how_authorization_is(pk: int) -> str:
    """Give the state of an authorization, and the reason for it."""
    authorization = authorizations().get(pk=pk)
    return with_reason(authorization.get_state_display(), authorization.reason)


def name_order(pk: int, order_id: str) -> bool:
    """Ask Klarna whether this is the order that we miss; tells whether it is."""
    order = orders().select_related("session").get(pk=pk)
    if (order.state, order.flag) != (OrderState.FLAGGED, Flag.ORDER_ID_UNKNOWN):
        return False
    services.take_push(key=order.session.key, order_id=order_id)
    believe_candidate(pk)
    return orders().filter(pk=pk, order_id=order_id).exists()


def how_order_is(pk: int) -> str:
    """Give the state of an order, and what keeps it there."""
    order = orders().get(pk=pk)
    reasons = {OrderState.FLAGGED: order.get_flag_display(), OrderState.PLACED: order.error_code}
    return with_reason(order.get_state_display(), reasons.get(OrderState(order.state), ""))


def with_reason(state: str, reason: str) -> str:
    """Give a state and, in brackets, the reason for it."""
    return f"{state} ({reason})" if reason else state


SYNC = Repair(
    name="sync",
    permission="django_klarna.sync_klarnasession",
    title=_("Send cart to Klarna"),
    question=_("Klarna gets the content of these carts, where it has another one:"),
    done=ngettext_lazy(
        "%(count)d session is equal to its cart now.",
        "%(count)d sessions are equal to their carts now.",
        "count",
    ),
    left_alone=ngettext_lazy(
        "%(count)d session was left alone: it is not open, or being worked on.",
        "%(count)d sessions were left alone: they are not open, or being worked on.",
        "count",
    ),
    service=services.sync_session,
)
REFRESH = Repair(
    name="refresh",
    permission="django_klarna.refresh_klarnasession",
    title=_("Read from Klarna"),
    question=_("Token, payment methods and expiry of these sessions are read at Klarna:"),
    done=ngettext_lazy(
        "%(count)d session was read from Klarna.", "%(count)d sessions were read from Klarna.", "count"
    ),
    left_alone=SYNC.left_alone,
    service=services.refresh_session,
)
GO_ON = Repair(
    name="go-on",
    permission="django_klarna.place_klarnaorder",
    title=_("Go on with it"),
    question=_(
        "An order is placed of each of these authorizations if the cart is still what the shopper has authorized; "
        "if not, it is given back:"
    ),
    done=ngettext_lazy(
        "%(count)d authorization is settled.", "%(count)d authorizations are settled.", "count"
    ),
    left_alone=ngettext_lazy(
        "%(count)d authorization was left alone: there is nothing to go on with.",
        "%(count)d authorizations were left alone: there is nothing to go on with.",
        "count",
    ),
    service=go_on,
    result=how_authorization_is,
)
GIVE_BACK = Repair(
    name="give-back",
    permission="django_klarna.cancel_klarnaauthorization",
    title=_("Give it back"),
    question=_(
        "What Klarna has reserved by these authorizations is given back, and no order comes of them; those that are "
        "being ordered are left alone:"
    ),
    done=ngettext_lazy(
        "%(count)d authorization is given back.", "%(count)d authorizations are given back.", "count"
    ),
    left_alone=ngettext_lazy(
        "%(count)d authorization was left alone: there is nothing to give back, or it is too late for that.",
        "%(count)d authorizations were left alone: there is nothing to give back, or it is too late for that.",
        "count",
    ),
    service=give_back,
    result=how_authorization_is,
)
COMPLETE = Repair(
    name="complete",
    permission="django_klarna.complete_klarnaorder",
    title=_("Let the shop make its order again"),
    question=_("The shop is asked once more to make its orders of these, which are placed at Klarna:"),
    done=ngettext_lazy("The shop has made %(count)d order.", "The shop has made %(count)d orders.", "count"),
    left_alone=ngettext_lazy(
        "The shop has not made %(count)d order.", "The shop has not made %(count)d orders.", "count"
    ),
    service=services.complete_order,
    result=how_order_is,
)
COMPLETE_DESPITE_CHANGES = Repair(
    name="complete-despite-changes",
    permission="django_klarna.complete_klarnaorder",
    title=_("Let the shop make its order again although the cart has changed"),
    question=_(
        "The shop makes its orders of these carts as they are now. Klarna takes the amounts below, whatever is in "
        "the carts: compare both first."
    ),
    done=COMPLETE.done,
    left_alone=COMPLETE.left_alone,
    service=services.record_despite_changes,
    result=how_order_is,
)
NAME = Repair(
    name="order-id",
    permission="django_klarna.complete_klarnaorder",
    title=_("Enter Klarna's order id"),
    question=_(
        "Klarna is asked whether this id is that of the order: reference, amount and currency must be the same. "
        "Then the shop makes its own order."
    ),
    done=ngettext_lazy("The id is that of the order.", "The ids are those of the orders.", "count"),
    left_alone=ngettext_lazy(
        "This order does not miss its id, or it is not the one that Klarna has under this id.",
        "These orders do not miss their ids, or are not those that Klarna has under these ids.",
        "count",
    ),
    service=name_order,
    result=how_order_is,
    form=OrderIdForm,
    most=1,
)
SETTLE = Repair(
    name="settle",
    permission="django_klarna.settle_klarnaorder",
    title=_("Settle: a person has dealt with it"),
    question=_("Nothing more is done about these orders by itself. This cannot be taken back."),
    done=ngettext_lazy("%(count)d order is settled.", "%(count)d orders are settled.", "count"),
    left_alone=ngettext_lazy(
        "%(count)d order was left alone: only what needs a person can be settled.",
        "%(count)d orders were left alone: only what needs a person can be settled.",
        "count",
    ),
    service=services.settle_order,
    result=how_order_is,
)
