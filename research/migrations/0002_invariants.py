"""The invariants of recovery.md section 2 as triggers; their text is `invariants.sql` beside this file."""

import re
from pathlib import Path

from django.db import migrations

TEXT = (Path(__file__).parent / "invariants.sql").read_text(encoding="utf-8")
# A trigger goes with the function it runs.
UNDO = "".join(f"DROP FUNCTION {name} CASCADE;" for name in reversed(re.findall(r"CREATE FUNCTION (\w+)", TEXT)))


class Migration(migrations.Migration):
    dependencies = [("research", "0001_models")]
    operations = [
        migrations.RunSQL(TEXT, UNDO),
        migrations.RunSQL(
            "INSERT INTO research_eventcounter (id, last) VALUES (1, 0) ON CONFLICT DO NOTHING;"
            "INSERT INTO research_cover (id, up_since, noted_at, silence_ended)"
            " VALUES (1, now(), now() - interval '1 day', true) ON CONFLICT DO NOTHING;",
            migrations.RunSQL.noop,
        ),
    ]
