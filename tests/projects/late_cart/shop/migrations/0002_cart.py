from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("late_shop", "0001_initial")]

    # The line that docs/settings.md tells such a shop to add.
    run_before = [("django_klarna", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Cart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("country", models.CharField(default="SE", max_length=2)),
                ("currency", models.CharField(default="SEK", max_length=3)),
                ("shipping", models.DecimalField(decimal_places=2, default=Decimal("49.00"), max_digits=10)),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="CartLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", models.PositiveIntegerField(default=1)),
                (
                    "cart",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="late_shop.cart"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="late_shop.product"),
                ),
            ],
            options={"abstract": False},
        ),
    ]
