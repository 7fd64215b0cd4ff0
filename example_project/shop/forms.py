"""What a browser may send to change a line of a cart."""

from django import forms

from example_project.shop.models import MAX_QUANTITY


class QuantityForm(forms.Form):
    """The quantity on the page, and by which button it was sent."""

    quantity = forms.IntegerField(min_value=0, max_value=MAX_QUANTITY)
    step = forms.IntegerField(min_value=-1, max_value=1, required=False)
    remove = forms.BooleanField(required=False)

    def wanted(self) -> int:
        """Give the quantity that the shopper wants."""
        data = self.cleaned_data
        return 0 if data["remove"] else data["quantity"] + (data["step"] or 0)
