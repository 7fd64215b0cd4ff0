"""What a browser may send to change its cart."""

from typing import ClassVar

from django import forms

from example_project.shop.models import MAX_QUANTITY, Cart


class QuantityForm(forms.Form):
    """The quantity on the page, and by which button it was sent."""

    quantity = forms.IntegerField(min_value=0, max_value=MAX_QUANTITY)
    step = forms.IntegerField(min_value=-1, max_value=1, required=False)
    remove = forms.BooleanField(required=False)

    def wanted(self) -> int:
        """Give the quantity that the shopper wants."""
        data = self.cleaned_data
        return 0 if data["remove"] else data["quantity"] + (data["step"] or 0)


class DeliveryForm(forms.ModelForm):  # type: ignore[type-arg] # cannot be subscripted at run time
    """Where the parcel goes, kept as it is typed: Klarna compares it to the letter."""

    class Meta:
        model = Cart
        fields = ("given_name", "family_name", "street_address", "postal_code", "city", "email")
        # As browsers call them: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#autofill
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "given_name": forms.TextInput({"autocomplete": "given-name"}),
            "family_name": forms.TextInput({"autocomplete": "family-name"}),
            "street_address": forms.TextInput({"autocomplete": "street-address"}),
            "postal_code": forms.TextInput({"autocomplete": "postal-code", "inputmode": "numeric"}),
            "city": forms.TextInput({"autocomplete": "address-level2"}),
            # Browsers accept addresses of this machine, which the form does not.
            "email": forms.EmailInput({"autocomplete": "email", "pattern": r".+@.+\..+"}),
        }
