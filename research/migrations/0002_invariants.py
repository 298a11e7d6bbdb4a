"""The invariants of recovery.md section 2 as triggers; their text is `invariants.sql` beside this file."""

from pathlib import Path

from django.db import migrations

UNDO = """
DROP TRIGGER event_numbered ON research_event; DROP TRIGGER event_append_only ON research_event;
DROP TRIGGER event_no_truncate ON research_event; DROP TRIGGER operation_no_truncate ON research_operation;
DROP TRIGGER trial_append_only ON research_trial; DROP TRIGGER artifact_append_only ON research_artifact;
DROP TRIGGER operation_guard ON research_operation; DROP TRIGGER research_guard ON research_research;
DROP TRIGGER checkpoint_needs_running ON research_checkpoint; DROP TRIGGER artifact_needs_running ON research_artifact;
DROP TRIGGER checkpoint_write_once ON research_checkpoint; DROP TRIGGER operation_recorded ON research_operation;
DROP TRIGGER operation_creation_recorded ON research_operation; DROP TRIGGER research_recorded ON research_research;
DROP FUNCTION ktrdr_number_event, ktrdr_refuse_change, ktrdr_refuse_truncate, ktrdr_phase_of, ktrdr_guard_operation,
  ktrdr_guard_research, ktrdr_guard_blob, ktrdr_guard_checkpoint, ktrdr_operation_has_event, ktrdr_research_has_event,
  ktrdr_retention;
"""


class Migration(migrations.Migration):
    dependencies = [("research", "0001_models")]
    operations = [
        migrations.RunSQL((Path(__file__).parent / "invariants.sql").read_text(encoding="utf-8"), UNDO),
        migrations.RunSQL(
            "INSERT INTO research_eventcounter (id, last) VALUES (1, 0) ON CONFLICT DO NOTHING;"
            "INSERT INTO research_cover (id, up_since, noted_at, silence_ended)"
            " VALUES (1, now(), now() - interval '1 day', true) ON CONFLICT DO NOTHING;",
            migrations.RunSQL.noop,
        ),
    ]
