
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('research', '0002_invariants'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='research',
            index=models.Index(condition=models.Q(('state__in', ('completed', 'failed', 'cancelled'))), fields=['-ended_at'], name='research_ended'),
        ),
    ]
