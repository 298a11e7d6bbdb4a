
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("research", "0005_lineage"),
    ]

    operations = [
        migrations.AddField(
            model_name="operation",
            name="doorbell",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(
                models.OrderBy(models.F("rung_at"), nulls_first=True),
                condition=models.Q(("kind__in", ("design", "assessment")), ("status", "queued")),
                name="operation_unheard",
            ),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(
                condition=models.Q(("kind__in", ("design", "assessment")), ("status", "running")),
                fields=["cluster"],
                name="operation_in_process",
            ),
        ),
    ]
