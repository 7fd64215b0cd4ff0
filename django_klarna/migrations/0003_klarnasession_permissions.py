from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("django_klarna", "0002_klarnaapicall"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="klarnasession",
            options={
                "permissions": (
                    ("sync_klarnasession", "Can send a cart to Klarna"),
                    ("refresh_klarnasession", "Can read a session from Klarna"),
                ),
                "verbose_name": "Klarna session",
                "verbose_name_plural": "Klarna sessions",
            },
        ),
    ]
