import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("django_klarna", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="KlarnaApiCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="time")),
                ("operation", models.CharField(max_length=64, verbose_name="operation")),
                (
                    "account",
                    models.CharField(
                        help_text="Alias in the setting KLARNA.", max_length=64, verbose_name="account"
                    ),
                ),
                (
                    "status_code",
                    models.PositiveSmallIntegerField(
                        help_text="Empty when no answer came.", null=True, verbose_name="status"
                    ),
                ),
                (
                    "error_code",
                    models.CharField(
                        help_text="Klarna's, or the class of our own error.",
                        max_length=64,
                        verbose_name="error code",
                    ),
                ),
                (
                    "correlation_id",
                    models.CharField(
                        help_text="What Klarna's support asks for.",
                        max_length=64,
                        verbose_name="correlation id",
                    ),
                ),
                (
                    "sent",
                    models.BooleanField(
                        help_text="No when certainly nothing reached Klarna.", verbose_name="sent"
                    ),
                ),
                (
                    "duration",
                    models.PositiveIntegerField(help_text="Milliseconds.", verbose_name="duration"),
                ),
                ("attempts", models.PositiveSmallIntegerField(verbose_name="attempts")),
                (
                    "session",
                    models.ForeignKey(
                        db_constraint=False,
                        help_text="What the call was made for; the call that creates a successor is with the one before.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="api_calls",
                        to="django_klarna.klarnasession",
                        verbose_name="session",
                    ),
                ),
            ],
            options={
                "verbose_name": "call of Klarna",
                "verbose_name_plural": "calls of Klarna",
                "indexes": [
                    models.Index(fields=["created_at"], name="klarna_call_created_at"),
                    models.Index(fields=["error_code"], name="klarna_call_error_code"),
                    models.Index(fields=["correlation_id"], name="klarna_call_correlation_id"),
                ],
            },
        ),
    ]
