-- What recovery.md section 2 demands, refused by the database itself. Messages begin with a code that services translate.

CREATE FUNCTION ktrdr_retention() RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT coalesce(current_setting('ktrdr.retention', true), '') = 'on' $$;

-- Numbers -----------------------------------------------------------------------------------------------------------
-- The counter's row lock is held to the commit: numbers are gap-free and follow the order of commits.
CREATE FUNCTION ktrdr_number_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE research_eventcounter SET last = last + 1 WHERE id = 1 RETURNING last INTO NEW.seq;
  IF NOT FOUND THEN
    INSERT INTO research_eventcounter (id, last) VALUES (1, 1) ON CONFLICT (id) DO UPDATE
      SET last = research_eventcounter.last + 1 RETURNING last INTO NEW.seq;
  END IF;
  NEW.at := clock_timestamp();
  NEW.xact := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END $$;
CREATE TRIGGER event_numbered BEFORE INSERT ON research_event FOR EACH ROW EXECUTE FUNCTION ktrdr_number_event();

-- Nobody but the trigger above moves the counter: a number given without its event would be a gap for ever.
CREATE FUNCTION ktrdr_guard_counter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.last = 0 OR TG_OP <> 'DELETE' AND pg_trigger_depth() > 1 THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'ktrdr.counter: % of the event counter refused: only an event moves it', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER counter_guard BEFORE INSERT OR UPDATE OR DELETE ON research_eventcounter
  FOR EACH ROW EXECUTE FUNCTION ktrdr_guard_counter();

-- Append-only -------------------------------------------------------------------------------------------------------
CREATE FUNCTION ktrdr_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND ktrdr_retention() THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'ktrdr.immutable: % of % refused: it is a record', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION ktrdr_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_database() LIKE 'test\_%' THEN RETURN NULL; END IF;
  RAISE EXCEPTION 'ktrdr.immutable: TRUNCATE of % refused', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON research_event FOR EACH ROW EXECUTE FUNCTION ktrdr_refuse_change();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON research_event FOR EACH STATEMENT EXECUTE FUNCTION ktrdr_refuse_truncate();
CREATE TRIGGER operation_no_truncate BEFORE TRUNCATE ON research_operation FOR EACH STATEMENT EXECUTE FUNCTION ktrdr_refuse_truncate();
CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON research_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION ktrdr_refuse_truncate();
CREATE TRIGGER artifact_no_truncate BEFORE TRUNCATE ON research_artifact FOR EACH STATEMENT EXECUTE FUNCTION ktrdr_refuse_truncate();
CREATE TRIGGER trial_no_truncate BEFORE TRUNCATE ON research_trial FOR EACH STATEMENT EXECUTE FUNCTION ktrdr_refuse_truncate();
CREATE TRIGGER counter_no_truncate BEFORE TRUNCATE ON research_eventcounter FOR EACH STATEMENT EXECUTE FUNCTION ktrdr_refuse_truncate();
CREATE TRIGGER trial_append_only BEFORE UPDATE OR DELETE ON research_trial FOR EACH ROW EXECUTE FUNCTION ktrdr_refuse_change();
CREATE TRIGGER artifact_append_only BEFORE UPDATE OR DELETE ON research_artifact FOR EACH ROW EXECUTE FUNCTION ktrdr_refuse_change();

-- Operations --------------------------------------------------------------------------------------------------------
CREATE FUNCTION ktrdr_phase_of(state text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE state WHEN 'designing' THEN 'design' WHEN 'training' THEN 'training'
                    WHEN 'backtesting' THEN 'backtest' WHEN 'assessing' THEN 'assessment' END $$;

CREATE FUNCTION ktrdr_guard_operation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF ktrdr_retention() THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'ktrdr.immutable: an operation is a record' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status IN ('completed', 'failed', 'cancelled') THEN
    RAISE EXCEPTION 'ktrdr.finished: operation % is % and never changes again', OLD.id, OLD.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status = 'running' AND NEW.status = 'queued' OR OLD.status = 'queued' AND NEW.status = 'completed' THEN
    RAISE EXCEPTION 'ktrdr.transition: operation % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT (OLD.status = 'queued' AND NEW.status = 'running')
     AND (OLD.cluster, OLD.runner_pid, OLD.worker_id, OLD.incarnation, OLD.runner, OLD.started_at)
     IS DISTINCT FROM (NEW.cluster, NEW.runner_pid, NEW.worker_id, NEW.incarnation, NEW.runner, NEW.started_at) THEN
    RAISE EXCEPTION 'ktrdr.runner: operation % has one runner in its whole life, given to it as it starts', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.id, OLD.research_id, OLD.kind, OLD.attempt, OLD.spec, OLD.seed, OLD.queued_at, OLD.continues_id,
      OLD.resumed_from_id, OLD.resumed_from_unit) IS DISTINCT FROM
     (NEW.id, NEW.research_id, NEW.kind, NEW.attempt, NEW.spec, NEW.seed, NEW.queued_at, NEW.continues_id,
      NEW.resumed_from_id, NEW.resumed_from_unit) THEN
    RAISE EXCEPTION 'ktrdr.immutable: research, kind, task and origin of operation % never change', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status = 'completed' AND jsonb_typeof(NEW.result) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'ktrdr.result: operation % cannot be completed with a result that is no object', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.unit < OLD.unit THEN
    RAISE EXCEPTION 'ktrdr.unit: the unit of operation % cannot fall', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status = 'running' AND OLD.status = 'queued' THEN PERFORM ktrdr_need_phase(NEW.research_id, NEW.kind); END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ktrdr_need_phase(research bigint, kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE now_in text;
BEGIN
  SELECT state INTO now_in FROM research_research WHERE id = research FOR SHARE;
  IF ktrdr_phase_of(now_in) IS DISTINCT FROM kind THEN
    RAISE EXCEPTION 'ktrdr.inactive: a live % operation needs a research in that phase, not %', kind, now_in
      USING ERRCODE = 'restrict_violation';
  END IF;
END $$;

-- The research's lock is held when this runs (asked for by ktrdr_need_phase), so no other try can be inserted meanwhile.
CREATE FUNCTION ktrdr_guard_new_operation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before record; saved record;
BEGIN
  IF NEW.status <> 'queued' THEN
    RAISE EXCEPTION 'ktrdr.transition: an operation begins as queued, not %', NEW.status USING ERRCODE = 'restrict_violation';
  END IF;
  PERFORM ktrdr_need_phase(NEW.research_id, NEW.kind);
  SELECT id, status INTO before FROM research_operation
    WHERE research_id = NEW.research_id AND kind = NEW.kind AND id <> NEW.id ORDER BY id DESC LIMIT 1;
  IF before.status = 'completed' THEN
    RAISE EXCEPTION 'ktrdr.continues: the % of research % is completed by operation %: it is not tried again',
      NEW.kind, NEW.research_id, before.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.continues_id IS DISTINCT FROM before.id AND coalesce(before.status, '') NOT IN ('queued', 'running') THEN
    RAISE EXCEPTION 'ktrdr.continues: the next try at the % of research % goes on after %, not after %', NEW.kind,
      NEW.research_id, coalesce('operation ' || before.id, 'none'), coalesce('operation ' || NEW.continues_id, 'none')
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.resumed_from_id IS NOT NULL THEN
    SELECT c.unit, c.pruned_at, c.unusable, o.research_id, o.kind INTO saved
      FROM research_checkpoint c JOIN research_operation o ON o.id = c.operation_id WHERE c.id = NEW.resumed_from_id;
    IF (saved.research_id, saved.kind, saved.unit) IS DISTINCT FROM (NEW.research_id, NEW.kind, NEW.resumed_from_unit)
       OR saved.pruned_at IS NOT NULL OR saved.unusable <> '' THEN
      RAISE EXCEPTION 'ktrdr.resumed: checkpoint % is none of this phase at unit % that can be gone on from',
        NEW.resumed_from_id, NEW.resumed_from_unit USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER operation_guard BEFORE UPDATE OR DELETE ON research_operation
  FOR EACH ROW EXECUTE FUNCTION ktrdr_guard_operation();
CREATE TRIGGER operation_begins BEFORE INSERT ON research_operation
  FOR EACH ROW EXECUTE FUNCTION ktrdr_guard_new_operation();

-- Researches --------------------------------------------------------------------------------------------------------
CREATE FUNCTION ktrdr_guard_research() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = OLD.state THEN RETURN NEW; END IF;
  IF NOT (NEW.state = ANY (CASE OLD.state
      WHEN 'pending' THEN ARRAY['designing', 'training', 'backtesting', 'assessing', 'cancelled', 'failed']
      WHEN 'designing' THEN ARRAY['training', 'failed', 'cancelled']
      WHEN 'training' THEN ARRAY['backtesting', 'assessing', 'failed', 'cancelled']
      WHEN 'backtesting' THEN ARRAY['assessing', 'failed', 'cancelled']
      WHEN 'assessing' THEN ARRAY['completed', 'failed', 'cancelled']
      WHEN 'failed' THEN ARRAY['pending']
      WHEN 'cancelled' THEN ARRAY['pending']
      ELSE ARRAY[]::text[] END)) THEN
    RAISE EXCEPTION 'ktrdr.transition: research % cannot go from % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM research_operation WHERE research_id = NEW.id AND status IN ('queued', 'running')) THEN
    RAISE EXCEPTION 'ktrdr.live: research % still has a live operation', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER research_guard BEFORE UPDATE ON research_research FOR EACH ROW EXECUTE FUNCTION ktrdr_guard_research();
CREATE TRIGGER research_kept BEFORE DELETE ON research_research FOR EACH ROW EXECUTE FUNCTION ktrdr_refuse_change();

-- Checkpoints and artifacts -----------------------------------------------------------------------------------------
CREATE FUNCTION ktrdr_guard_blob() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE op_status text;
BEGIN
  SELECT status INTO op_status FROM research_operation WHERE id = NEW.operation_id FOR SHARE;
  IF op_status IS DISTINCT FROM 'running' THEN
    RAISE EXCEPTION 'ktrdr.not_running: operation % is %: nothing more can be stored for it', NEW.operation_id, op_status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER checkpoint_needs_running BEFORE INSERT ON research_checkpoint FOR EACH ROW EXECUTE FUNCTION ktrdr_guard_blob();
CREATE TRIGGER artifact_needs_running BEFORE INSERT ON research_artifact FOR EACH ROW EXECUTE FUNCTION ktrdr_guard_blob();

CREATE FUNCTION ktrdr_guard_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF ktrdr_retention() THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'ktrdr.immutable: a checkpoint is written once' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.id, OLD.operation_id, OLD.unit, OLD.sha256, OLD.size, OLD.blob, OLD.created_at) IS DISTINCT FROM
     (NEW.id, NEW.operation_id, NEW.unit, NEW.sha256, NEW.size, NEW.blob, NEW.created_at)
     OR OLD.pruned_at IS NOT NULL AND NEW.pruned_at IS DISTINCT FROM OLD.pruned_at
     OR OLD.unusable <> '' AND NEW.unusable = '' THEN
    RAISE EXCEPTION 'ktrdr.immutable: a checkpoint is written once, and let go or found unusable for ever'
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM research_operation WHERE resumed_from_id = OLD.id AND status IN ('queued', 'running')) THEN
    RAISE EXCEPTION 'ktrdr.in_use: a live operation goes on from checkpoint %: it cannot be let go', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER checkpoint_write_once BEFORE UPDATE OR DELETE ON research_checkpoint
  FOR EACH ROW EXECUTE FUNCTION ktrdr_guard_checkpoint();

-- No change of status without its event, in the same transaction ----------------------------------------------------
CREATE FUNCTION ktrdr_operation_has_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM research_event WHERE research_id = NEW.research_id AND operation_id = NEW.id
                 AND xact = pg_current_xact_id()::text::bigint
                 AND code IN ('operation.' || CASE NEW.status WHEN 'running' THEN 'started' WHEN 'failed' THEN NEW.reason
                              ELSE NEW.status END, CASE WHEN NEW.status = 'queued' THEN 'operation.restarted' END)) THEN
    RAISE EXCEPTION 'ktrdr.unrecorded: operation % became % without an event that says so', NEW.id, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER operation_recorded AFTER UPDATE OF status ON research_operation DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION ktrdr_operation_has_event();
CREATE CONSTRAINT TRIGGER operation_creation_recorded AFTER INSERT ON research_operation DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ktrdr_operation_has_event();

CREATE FUNCTION ktrdr_research_has_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM research_event WHERE research_id = NEW.id AND xact = pg_current_xact_id()::text::bigint
                 AND code IN ('research.' || NEW.state, CASE WHEN NEW.state = 'pending' THEN 'research.resumed'
                                                             WHEN OLD.state = 'pending' THEN 'research.begun' END)) THEN
    RAISE EXCEPTION 'ktrdr.unrecorded: research % became % without an event that says so', NEW.id, NEW.state
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER research_recorded AFTER UPDATE OF state ON research_research DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION ktrdr_research_has_event();
