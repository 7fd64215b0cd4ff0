import django.db.models.deletion
from django.conf import settings
import django_klarna.models
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.KLARNA_CART_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KlarnaSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "live",
                    models.BooleanField(
                        help_text="Whether the cart uses this session now.", null=True, verbose_name="live"
                    ),
                ),
                (
                    "account",
                    models.CharField(
                        help_text="Alias in the setting KLARNA.", max_length=64, verbose_name="account"
                    ),
                ),
                (
                    "account_identity",
                    models.CharField(
                        help_text="Hash of whose account at which Klarna the alias was.",
                        max_length=64,
                        verbose_name="account identity",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        default=django_klarna.models.new_key,
                        help_text="Our public id.",
                        max_length=32,
                        unique=True,
                        verbose_name="key",
                    ),
                ),
                (
                    "session_id",
                    models.CharField(max_length=255, null=True, unique=True, verbose_name="session id"),
                ),
                ("client_token", models.TextField(blank=True, verbose_name="client token")),
                (
                    "payment_method_categories",
                    models.JSONField(blank=True, default=list, verbose_name="payment method categories"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("creating", "being created"),
                            ("open", "open"),
                            ("authorized", "authorized"),
                            ("completed", "completed"),
                            ("expired", "expired"),
                            ("replaced", "replaced"),
                            ("abandoned", "abandoned"),
                            ("failed", "refused"),
                        ],
                        default="creating",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("intent", models.CharField(default="buy", max_length=32, verbose_name="intent")),
                ("purchase_country", models.CharField(max_length=2, verbose_name="country")),
                ("purchase_currency", models.CharField(max_length=3, verbose_name="currency")),
                ("locale", models.CharField(blank=True, max_length=32, verbose_name="locale")),
                ("order_amount", models.BigIntegerField(help_text="Minor units.", verbose_name="amount")),
                (
                    "order_tax_amount",
                    models.BigIntegerField(default=0, help_text="Minor units.", verbose_name="tax"),
                ),
                (
                    "payload",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="What Klarna last accepted, without merchant_urls.",
                        verbose_name="payload",
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        blank=True,
                        help_text="Hash of what Klarna last accepted.",
                        max_length=64,
                        verbose_name="digest",
                    ),
                ),
                (
                    "read_digest",
                    models.CharField(
                        blank=True,
                        help_text="Digest for which token and categories were read.",
                        max_length=64,
                        verbose_name="read digest",
                    ),
                ),
                (
                    "revision",
                    models.BigIntegerField(
                        default=0, help_text="Raised by each change of the cart.", verbose_name="revision"
                    ),
                ),
                ("synced_revision", models.BigIntegerField(default=0, verbose_name="synced revision")),
                ("update_seq", models.BigIntegerField(default=0, verbose_name="updates sent")),
                (
                    "in_doubt",
                    models.BooleanField(
                        default=False,
                        help_text="A call was sent and its outcome is not known.",
                        verbose_name="in doubt",
                    ),
                ),
                ("lease_owner", models.UUIDField(blank=True, null=True, verbose_name="lease owner")),
                ("lease_until", models.DateTimeField(blank=True, null=True, verbose_name="lease until")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires at")),
                (
                    "error_status",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="error status"),
                ),
                ("error_code", models.CharField(blank=True, max_length=64, verbose_name="error code")),
                ("error_message", models.TextField(blank=True, verbose_name="error message")),
                (
                    "error_correlation_id",
                    models.CharField(blank=True, max_length=64, verbose_name="correlation id"),
                ),
                ("error_at", models.DateTimeField(blank=True, null=True, verbose_name="error at")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "cart",
                    models.ForeignKey(
                        help_text="Empty when the cart was deleted.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="klarna_sessions",
                        to=settings.KLARNA_CART_MODEL,
                        verbose_name="cart",
                    ),
                ),
            ],
            options={
                "verbose_name": "Klarna session",
                "verbose_name_plural": "Klarna sessions",
                "constraints": [
                    models.UniqueConstraint(fields=("cart", "live"), name="klarna_one_live_session_per_cart")
                ],
            },
        ),
    ]
