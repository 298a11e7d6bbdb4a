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
CREATE TRIGGER trial_append_only BEFORE UPDATE OR DELETE ON research_trial FOR EACH ROW EXECUTE FUNCTION ktrdr_refuse_change();
CREATE TRIGGER artifact_append_only BEFORE UPDATE OR DELETE ON research_artifact FOR EACH ROW EXECUTE FUNCTION ktrdr_refuse_change();

-- Operations --------------------------------------------------------------------------------------------------------
CREATE FUNCTION ktrdr_phase_of(state text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE state WHEN 'designing' THEN 'design' WHEN 'training' THEN 'training'
                    WHEN 'backtesting' THEN 'backtest' WHEN 'assessing' THEN 'assessment' END $$;

CREATE FUNCTION ktrdr_guard_operation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE parent_state text; other record;
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF ktrdr_retention() THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'ktrdr.immutable: an operation is a record' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF OLD.status IN ('completed', 'failed', 'cancelled') THEN
      RAISE EXCEPTION 'ktrdr.finished: operation % is % and never changes again', OLD.id, OLD.status
        USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status = 'running' AND NEW.status = 'queued' OR OLD.status = 'queued' AND NEW.status = 'completed' THEN
      RAISE EXCEPTION 'ktrdr.transition: operation % cannot go from % to %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status = 'running' AND (OLD.cluster, OLD.worker_id, OLD.incarnation, OLD.runner, OLD.started_at)
       IS DISTINCT FROM (NEW.cluster, NEW.worker_id, NEW.incarnation, NEW.runner, NEW.started_at) THEN
      RAISE EXCEPTION 'ktrdr.runner: operation % has one runner in its whole life', OLD.id
        USING ERRCODE = 'restrict_violation';
    END IF;
    IF (OLD.research_id, OLD.kind, OLD.continues_id, OLD.resumed_from_id) IS DISTINCT FROM
       (NEW.research_id, NEW.kind, NEW.continues_id, NEW.resumed_from_id) THEN
      RAISE EXCEPTION 'ktrdr.immutable: research, kind and origin of operation % never change', OLD.id
        USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.unit < OLD.unit THEN
      RAISE EXCEPTION 'ktrdr.unit: the unit of operation % cannot fall', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
  ELSE
    IF NEW.status <> 'queued' THEN
      RAISE EXCEPTION 'ktrdr.transition: an operation begins as queued' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.continues_id IS NOT NULL THEN
      SELECT research_id, kind, status INTO other FROM research_operation WHERE id = NEW.continues_id;
      IF other.research_id <> NEW.research_id OR other.kind <> NEW.kind OR other.status NOT IN ('failed', 'cancelled') THEN
        RAISE EXCEPTION 'ktrdr.continues: an operation goes on from an ended one of its own phase'
          USING ERRCODE = 'restrict_violation';
      END IF;
    END IF;
    IF NEW.resumed_from_id IS NOT NULL AND NEW.continues_id IS NULL THEN
      RAISE EXCEPTION 'ktrdr.continues: a checkpoint needs the operation it goes on from' USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  IF NEW.status IN ('queued', 'running') AND (TG_OP = 'INSERT' OR NEW.status <> OLD.status) THEN
    SELECT state INTO parent_state FROM research_research WHERE id = NEW.research_id FOR SHARE;
    IF ktrdr_phase_of(parent_state) IS DISTINCT FROM NEW.kind THEN
      RAISE EXCEPTION 'ktrdr.inactive: a live % operation needs a research in that phase, not %', NEW.kind, parent_state
        USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER operation_guard BEFORE INSERT OR UPDATE OR DELETE ON research_operation
  FOR EACH ROW EXECUTE FUNCTION ktrdr_guard_operation();

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
  ELSIF (OLD.id, OLD.operation_id, OLD.unit, OLD.sha256, OLD.size, OLD.blob, OLD.created_at) IS NOT DISTINCT FROM
        (NEW.id, NEW.operation_id, NEW.unit, NEW.sha256, NEW.size, NEW.blob, NEW.created_at)
        AND (OLD.pruned_at IS NULL OR OLD.pruned_at = NEW.pruned_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'ktrdr.immutable: a checkpoint is written once' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER checkpoint_write_once BEFORE UPDATE OR DELETE ON research_checkpoint
  FOR EACH ROW EXECUTE FUNCTION ktrdr_guard_checkpoint();

-- No change of status without its event, in the same transaction ----------------------------------------------------
CREATE FUNCTION ktrdr_operation_has_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM research_event WHERE research_id = NEW.research_id AND operation_id = NEW.id
                 AND xact = pg_current_xact_id()::text::bigint) THEN
    RAISE EXCEPTION 'ktrdr.unrecorded: operation % became % without an event', NEW.id, NEW.status
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
  IF NOT EXISTS (SELECT 1 FROM research_event WHERE research_id = NEW.id AND xact = pg_current_xact_id()::text::bigint) THEN
    RAISE EXCEPTION 'ktrdr.unrecorded: research % became % without an event', NEW.id, NEW.state
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER research_recorded AFTER UPDATE OF state ON research_research DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION ktrdr_research_has_event();
