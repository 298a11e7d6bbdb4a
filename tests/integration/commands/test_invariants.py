"""`manage.py recovery check` finds every kind of broken row. Rows are broken by force: no service could."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from research.models import Artifact, Dataset
from research.selectors.invariants import INVARIANTS, check
from tests.integration.commands.calls import said
from tests.integration.commands.story import Story, tell

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
OPERATION, RESEARCH, EVENT = (
    "UPDATE research_operation SET",
    "UPDATE research_research SET",
    "UPDATE research_event SET",
)
_COLUMNS = 'topic, code, level, message, research_id, operation_id, worker, "user", data, xact'
COPY = (
    f"INSERT INTO research_event (seq, at, {_COLUMNS}) SELECT 1000, clock_timestamp(), {_COLUMNS} FROM research_event"
    " WHERE code = '{code}' AND operation_id = {id}"
)

BREAKS = [
    ("one_live_operation", f"{OPERATION} status = 'running' WHERE id IN ({{d1}}, {{t1}})", "research {r} has live"),
    ("one_completed_operation", f"{OPERATION} status = 'completed' WHERE id = {{t1}}", "completed its training"),
    ("live_needs_active", f"{RESEARCH} state = 'failed' WHERE id = {{r2}}", "operation {l2} training is running, but"),
    ("phases_in_order", f"{OPERATION} status = 'failed' WHERE id = {{b}}", "completed without a completed backtest"),
    ("phases_in_order", f"{RESEARCH} given = NULL WHERE id = {{r2}}", "training without a strategy"),
    ("research_end", f"{RESEARCH} ended_at = NULL WHERE id = {{r}}", "is completed, but has no end time"),
    ("research_end", f"{RESEARCH} ended_at = now() WHERE id = {{r2}}", "is training, but has an end time"),
    ("research_end", f"{RESEARCH} message = '' WHERE id = {{r3}}", "no reason or no message"),
    ("research_end", f"{RESEARCH} verdict = NULL WHERE id = {{r}}", "has no verdict"),
    ("running_has_runner", f"{OPERATION} deadline_at = NULL WHERE id = {{l2}}", "operation {l2} runs without"),
    ("running_has_runner", f"{OPERATION} incarnation = NULL WHERE id = {{l2}}", "operation {l2} runs without"),
    ("queued_has_no_runner", f"{OPERATION} runner = 'me' WHERE id = {{q}}", "is queued, but has the runner 'me'"),
    ("operation_end", f"{OPERATION} ended_at = NULL WHERE id = {{t2}}", "is completed, but has no end time"),
    ("operation_end", f"{OPERATION} message = '' WHERE id = {{t1}}", "is failed, but has no reason or no message"),
    ("operation_end", f"{OPERATION} reason = 'error' WHERE id = {{t2}}", "is completed, but has a reason: error"),
    ("operation_end", f"{OPERATION} ended_at = started_at - interval '1 s' WHERE id = {{t2}}", "ended before it began"),
    (
        "one_runner",
        COPY.replace("{code}", "operation.started").replace("{id}", "{l2}"),
        "operation {l2} was begun 2 times",
    ),
    ("one_runner", f"{OPERATION} cluster = gen_random_uuid() WHERE id = {{l2}}", "has a worker and a cluster"),
    ("one_runner", f"{OPERATION} status = 'running' WHERE id = {{t1}}", "worker gpu runs operations {t1}, {l2}"),
    (
        "cancel_wins",
        f"{OPERATION} status = 'completed', ended_at = now() + interval '1 h' WHERE id = {{x}}",
        "operation {x} was completed after research {r3} was cancelled",
    ),
    ("one_leader", "UPDATE research_term SET ended_at = NULL WHERE id < {term}", "term {term} began while"),
    ("events_without_gap", "DELETE FROM research_event WHERE seq = 3", "event 4 follows number 2"),
    ("events_without_gap", f"{EVENT} seq = 4 WHERE seq = 3", "event 4 has the number of another"),
    ("events_without_gap", "UPDATE research_eventcounter SET last = last + 1", "event counter stands at"),
    ("events_in_commit_order", f"{EVENT} at = at - interval '1 h' WHERE seq = 5", "event 5 is older"),
    ("events_in_commit_order", f"{EVENT} xact = 1 WHERE seq = 5", "event 6 is of the transaction of event 4"),
    (
        "operation_has_events",
        f"{OPERATION} status = 'cancelled', reason = 'cancelled', message = 'x', ended_at = now() WHERE id = {{l2}}",
        "operation {l2} has 0 events of its end",
    ),
    (
        "operation_has_events",
        f"{OPERATION} reason = 'crashed' WHERE id = {{t1}}",
        "0 events of its end as failed crashed",
    ),
    (
        "operation_has_events",
        f"{OPERATION} started_at = now() WHERE id = {{q}}",
        "operation {q} has 0 events of its start",
    ),
    (
        "operation_has_events",
        COPY.replace("{code}", "operation.queued").replace("{id}", "{q}"),
        "operation {q} has 2 events of its creation",
    ),
    (
        "operation_has_events",
        f"{OPERATION} status = 'running' WHERE id = {{t1}}",
        "1 events of its end, which is not yet,",
    ),
    (
        "research_has_events",
        f"{RESEARCH} state = 'cancelled' WHERE id = {{r4}}",
        "the last event says research.created",
    ),
    (
        "events_of_their_research",
        f"{EVENT} research_id = {{r2}} WHERE operation_id = {{t1}}",
        "but names research {r2}",
    ),
    (
        "restart_continues",
        f"{OPERATION} continues_id = NULL WHERE id = {{t2}}",
        "continues nothing, not operation {t1}",
    ),
    ("restart_continues", f"{OPERATION} continues_id = {{d1}} WHERE id = {{t1}}", "is the first of its phase, but"),
    (
        "continues_the_same",
        f"{OPERATION} continues_id = {{l1}} WHERE id = {{t2}}",
        "continues operation {l1}: training",
    ),
    ("continues_the_same", f"{OPERATION} continues_id = {{d2}} WHERE id = {{t2}}", "continues operation {d2}: design"),
    ("attempts_count", f"{OPERATION} attempt = 5 WHERE id = {{t2}}", "operation {t2} is try 5 after try 1"),
    ("restored_from_its_chain", f"{OPERATION} resumed_from_unit = 7 WHERE id = {{t2}}", "which lies at unit 9"),
    ("restored_from_its_chain", f"{OPERATION} resumed_from_unit = 70 WHERE id = {{t2}}", "above the best unit"),
    (
        "restored_from_its_chain",
        f"{OPERATION} resumed_from_id = {{c2}} WHERE id = {{t2}}",
        "which is of operation {l1}",
    ),
    ("restored_from_its_chain", f"{OPERATION} resumed_from_id = NULL WHERE id = {{t2}}", "which is not there"),
    ("unit_never_falls", f"{OPERATION} unit = 0 WHERE id = {{t2}}", "stands at unit 0, went on from 9"),
    (
        "checkpoint_in_use_is_kept",
        "UPDATE research_checkpoint SET pruned_at = now() WHERE id = {c2}",
        "operation {l2} goes on",
    ),
    (
        "two_newest_are_kept",
        "UPDATE research_checkpoint SET pruned_at = now() WHERE id = {c2}",
        "checkpoint {c2} was let go",
    ),
    (
        "stored_while_running",
        f"{OPERATION} started_at = NULL WHERE id = {{t1}}",
        "never began, but has a stored checkpoint",
    ),
    ("completed_has_result", f"{OPERATION} result = NULL WHERE id = {{t2}}", "is completed and has no result"),
    ("completed_has_result", f"{OPERATION} result = '{{{{}}}}' WHERE id = {{t1}}", "is failed and has a result"),
    ("artifacts_are_there", "DELETE FROM research_artifact", "lists model, which is not stored"),
    ("artifacts_are_there", "UPDATE research_artifact SET sha256 = repeat('f', 64)", "has the SHA-256 ffffffffffff…"),
    ("one_trial", "DELETE FROM research_trial", "research {r} is completed and has 0 trials"),
    ("one_trial", "UPDATE research_trial SET research_id = {r2}", "is of research {r2}, which is training"),
]


@pytest.fixture
def story() -> Story:
    return tell()


def force(sql: str) -> None:
    """Run a statement with triggers and constraints off; the test's transaction is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype IN ('c', 'u')"
                       " AND conrelid::regclass::text LIKE 'research_%'")  # fmt: skip
        for table, name in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}" CASCADE')
        cursor.execute("SELECT indexrelid::regclass FROM pg_index WHERE indisunique AND NOT indisprimary"
                       " AND indrelid::regclass::text LIKE 'research_%'")  # fmt: skip
        for (index,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX {index}")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)


def test_what_the_services_made_is_clean(story: Story) -> None:
    report = check(deep=True)
    assert report.as_dict()["breaches"] == []
    assert report.counts["operations"] == 10
    assert said("recovery", "check").startswith(f"clean: {len(INVARIANTS)} invariants hold over 5 researches")


def test_an_empty_database_is_clean() -> None:
    assert check(deep=True).clean


@pytest.mark.parametrize(("code", "sql", "words"), BREAKS, ids=[f"{code}-{n}" for n, (code, *_) in enumerate(BREAKS)])
def test_a_broken_row_is_found(story: Story, code: str, sql: str, words: str) -> None:
    force(sql.format(**story.ids))
    found = [f"{breach.subject} {breach.what}" for breach in check().breaches if breach.invariant == code]
    assert any(words.format(**story.ids) in text for text in found), found


def test_every_invariant_was_seen_to_find_something() -> None:
    assert {code for code, *_ in BREAKS} == {invariant.code for invariant in INVARIANTS}


@pytest.mark.parametrize("kind", [Artifact, Dataset])
def test_a_damaged_file_is_found_when_asked_deeply(story: Story, blob_dir: Path, kind: type) -> None:
    row = kind.objects.get()
    (blob_dir / row.blob).write_bytes(b"rot")
    assert check().clean
    [breach] = check(deep=True).breaches
    assert (breach.invariant, breach.subject) == ("files_are_whole", f"{kind.__name__.lower()} {row.pk}")
    (blob_dir / row.blob).unlink()
    assert "is missing" in check(deep=True).breaches[0].what


def test_a_checkpoint_let_go_needs_no_file_and_one_in_use_does(story: Story, blob_dir: Path) -> None:
    for file in blob_dir.glob("operations/*/checkpoints/*"):
        file.unlink()
    found = {breach.subject for breach in check(deep=True).breaches}
    assert f"checkpoint {story.ids['c2']}" in found


def test_what_breaks_is_printed_with_exit_code_1(story: Story) -> None:
    force("DELETE FROM research_trial")
    with pytest.raises(SystemExit) as ended:
        said("recovery", "check")
    assert ended.value.code == 1
