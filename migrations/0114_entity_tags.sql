-- What the counter of a user's changes stands for (0101, docs/feed.md), so that an entity tag made of it changes with every
-- response that has one.
--
-- Transactions that could not be read decide about the estimates of balances, and so about net worth.
CREATE FUNCTION app.note_set_aside() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user uuid;
BEGIN
  FOR v_user IN SELECT DISTINCT s.user_id FROM some_rows s WHERE s.product = 'transactions' AND s.kind = 'transaction' ORDER BY 1 LOOP
    PERFORM app.number_changes(v_user, '{}', '{}');
  END LOOP;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- The same for rows that were set aside again: most of them without a difference.
CREATE FUNCTION app.note_set_aside_again() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_hidden text[] := '{problems,payload,run_id,first_seen_at,last_seen_at}';
  v_user uuid;
BEGIN
  FOR v_user IN
    SELECT DISTINCT n.user_id FROM new_rows n JOIN old_rows o USING (id)
    WHERE n.product = 'transactions' AND n.kind = 'transaction'
      AND to_jsonb(n) - v_hidden IS DISTINCT FROM to_jsonb(o) - v_hidden ORDER BY 1
  LOOP
    PERFORM app.number_changes(v_user, '{}', '{}');
  END LOOP;
  RETURN NULL;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.note_set_aside(), app.note_set_aside_again() FROM PUBLIC;
--> statement-breakpoint
CREATE TRIGGER note_insert AFTER INSERT ON set_aside_rows REFERENCING NEW TABLE AS some_rows
  FOR EACH STATEMENT EXECUTE FUNCTION app.note_set_aside();
--> statement-breakpoint
CREATE TRIGGER note_update AFTER UPDATE ON set_aside_rows REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION app.note_set_aside_again();
--> statement-breakpoint
CREATE TRIGGER note_delete AFTER DELETE ON set_aside_rows REFERENCING OLD TABLE AS some_rows
  FOR EACH STATEMENT EXECUTE FUNCTION app.note_set_aside();
--> statement-breakpoint
-- As before (0032), but rows set aside take numbers of the users' counters when they are deleted: those rows are locked first, as
-- every writer does, and users whose row another transaction holds are left out.
CREATE OR REPLACE FUNCTION app.purge_rows(p_class text, p_days integer, p_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_rule record;
  v_before timestamptz;
  v_users uuid[];
  v_count bigint;
BEGIN
  SELECT * INTO STRICT v_rule FROM app.retention_rule(p_class);
  IF v_rule.kind <> 'rows' THEN
    RAISE EXCEPTION 'not a class of this kind' USING ERRCODE = '22023';
  END IF;
  v_before := app.kept_from(p_days, v_rule.floor_days);
  IF p_class = 'set_aside_rows' THEN
    v_users := ARRAY(SELECT u.id FROM public.users u WHERE u.id = ANY(ARRAY(
        SELECT r.user_id FROM public.set_aside_rows r WHERE r.first_seen_at < v_before ORDER BY r.first_seen_at LIMIT p_limit))
      ORDER BY u.id FOR NO KEY UPDATE SKIP LOCKED);
    DELETE FROM public.set_aside_rows WHERE id = ANY(ARRAY(
      SELECT r.id FROM public.set_aside_rows r WHERE r.first_seen_at < v_before AND r.user_id = ANY(v_users)
      ORDER BY r.first_seen_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
  ELSE
    EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY(ARRAY(
        SELECT r.ctid FROM %1$s r WHERE %2$s LIMIT $2 FOR UPDATE SKIP LOCKED))', v_rule.relation, v_rule.condition)
    USING v_before, p_limit;
  END IF;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
$$;
--> statement-breakpoint
-- No response shows holdings by day, and a response that depends on a consent is checked for it: these triggers never run. They
-- are not dropped, because a deployment applies only what older versions can live with.
CREATE OR REPLACE TRIGGER note_insert AFTER INSERT ON holding_days
  FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION app.note_figures();
--> statement-breakpoint
CREATE OR REPLACE TRIGGER note_update AFTER UPDATE ON holding_days
  FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION app.note_figures();
--> statement-breakpoint
CREATE OR REPLACE TRIGGER note_delete AFTER DELETE ON holding_days
  FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION app.note_figures();
--> statement-breakpoint
CREATE OR REPLACE TRIGGER note_consents BEFORE UPDATE OF not_allowed ON users
  FOR EACH ROW WHEN (false) EXECUTE FUNCTION app.note_consents();
