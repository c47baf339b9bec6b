ALTER TABLE "transaction_tombstones" ADD COLUMN "expired" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "transaction_tombstones" ADD COLUMN "created_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "link_exchanges_updated" ON "link_exchanges" USING btree ("updated_at");--> statement-breakpoint
CREATE INDEX "link_sessions_expires" ON "link_sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "transaction_tombstones_created" ON "transaction_tombstones" USING btree ("created_at");
--> statement-breakpoint
-- What the retention deletes, by class of data (src/retention/policy.ts). `kind` is how: `rows` by their own time,
-- `history` by account and day, `feed` by user in the order of the change feed, `audit` by chain. A row is due where `condition` holds of it;
-- $1 is the time up to which rows are kept, and `r` the table. No caller can have younger rows than `floor_days` deleted.
CREATE FUNCTION app.retention_rule(p_class text, OUT kind text, OUT relation regclass, OUT condition text, OUT floor_days integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT d.kind, d.relation::regclass, d.condition, d.floor_days INTO kind, relation, condition, floor_days FROM (VALUES
    ('sync_runs', 'rows', 'public.sync_runs', 'r.started_at < $1', 30),
    ('webhook_events', 'rows', 'public.webhook_events', 'r.received_at < $1', 30),
    ('unmatched_webhooks', 'rows', 'public.unmatched_webhooks', 'r.day < $1::date', 30),
    ('plaid_usage', 'rows', 'public.plaid_usage', 'r.day < $1::date', 90),
    ('dead_letters', 'rows', 'public.dead_letters', 'r.created_at < $1', 7),
    ('set_aside_rows', 'rows', 'public.set_aside_rows', 'r.first_seen_at < $1', 90),
    ('link_sessions', 'rows', 'public.link_sessions', 'r.expires_at < $1 AND r.check_at IS NULL', 2),
    ('ended_exchanges', 'rows', 'public.link_exchanges',
      'r.updated_at < $1 AND r.state IN (''refused'', ''given_back'', ''lost'')', 2),
    ('finished_exchanges', 'rows', 'public.link_exchanges', 'r.updated_at < $1 AND r.state IN (''linked'', ''duplicate'')', 30),
    ('transactions', 'history', 'public.transactions', 'r.date < $1::date', 731),
    ('investment_transactions', 'history', 'public.investment_transactions', 'r.date < $1::date', 731),
    -- Not the one that net worth takes for the first of the kept days.
    ('account_balances', 'history', 'public.account_balances', 'r.day < $1::date AND EXISTS (
      SELECT FROM public.account_balances n WHERE n.account_id = r.account_id AND n.day > r.day AND n.day <= $1::date
        AND (n.current IS NOT NULL OR r.current IS NULL AND (n.available IS NOT NULL OR r.available IS NULL)))', 731),
    ('holding_days', 'history', 'public.holding_days', 'r.day < $1::date', 731),
    ('transaction_tombstones', 'feed', 'public.transaction_tombstones', 'r.created_at < $1', 30),
    ('audit_log', 'audit', 'public.audit_log', 'r.at < $1', 365)
  ) AS d (class, kind, relation, condition, floor_days) WHERE d.class = p_class;
  IF kind IS NULL THEN
    RAISE EXCEPTION 'no such class of data' USING ERRCODE = '22023';
  END IF;
END
$$;
--> statement-breakpoint
-- The time before which rows of a class are deleted: the start of a UTC day.
CREATE FUNCTION app.kept_from(p_days integer, p_floor_days integer) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$ SELECT date_trunc('day', now()) - make_interval(days => greatest(p_days, p_floor_days)) $$;
--> statement-breakpoint
-- How many rows of a class are due; it stops at p_limit.
CREATE FUNCTION app.count_expired(p_class text, p_days integer, p_limit integer) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_rule record;
  v_count bigint;
BEGIN
  SELECT * INTO STRICT v_rule FROM app.retention_rule(p_class);
  EXECUTE format(
    CASE WHEN v_rule.kind = 'history' THEN
      'SELECT count(*) FROM (SELECT FROM public.accounts a CROSS JOIN LATERAL (
        SELECT FROM %s r WHERE r.account_id = a.id AND %s LIMIT $2) due LIMIT $2) counted'
    ELSE 'SELECT count(*) FROM (SELECT FROM %s r WHERE %s LIMIT $2) counted' END, v_rule.relation, v_rule.condition)
  INTO v_count USING app.kept_from(p_days, v_rule.floor_days), p_limit;
  RETURN v_count;
END
$$;
--> statement-breakpoint
-- Deletes at most p_limit rows of a class that are due, and leaves out what another transaction holds.
CREATE FUNCTION app.purge_rows(p_class text, p_days integer, p_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_rule record;
  v_count bigint;
BEGIN
  SELECT * INTO STRICT v_rule FROM app.retention_rule(p_class);
  IF v_rule.kind <> 'rows' THEN
    RAISE EXCEPTION 'not a class of this kind' USING ERRCODE = '22023';
  END IF;
  EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY(ARRAY(
      SELECT r.ctid FROM %1$s r WHERE %2$s LIMIT $2 FOR UPDATE SKIP LOCKED))', v_rule.relation, v_rule.condition)
  USING app.kept_from(p_days, v_rule.floor_days), p_limit;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
$$;
--> statement-breakpoint
-- Deletes at most p_limit rows of a class that are due, of the next p_accounts accounts after p_after. `scanned_to` is the
-- account to go on from: p_after again where there may be more of these, null after the last account.
--
-- A transaction leaves its removal in the change feed, with the next number of its user's counter. That row is locked for it
-- as every writer of transactions does; users whose row another transaction holds are left out, so that nothing waits.
CREATE FUNCTION app.purge_history(p_class text, p_days integer, p_after uuid, p_accounts integer, p_limit integer,
  p_keep_removals integer, OUT purged bigint, OUT scanned_to uuid)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_rule record;
  v_before timestamptz;
  v_accounts uuid[];
  v_due uuid[];
  v_users uuid[];
BEGIN
  SELECT * INTO STRICT v_rule FROM app.retention_rule(p_class);
  IF v_rule.kind <> 'history' THEN
    RAISE EXCEPTION 'not a class of this kind' USING ERRCODE = '22023';
  END IF;
  v_before := app.kept_from(p_days, v_rule.floor_days);
  v_accounts := ARRAY(SELECT a.id FROM public.accounts a WHERE a.id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
    ORDER BY a.id LIMIT p_accounts);
  EXECUTE format('SELECT array_agg(a) FROM unnest($2) a
    WHERE (SELECT 1 FROM %s r WHERE r.account_id = a AND %s LIMIT 1) IS NOT NULL', v_rule.relation, v_rule.condition)
  INTO v_due USING v_before, v_accounts;
  IF v_due IS NULL THEN
    purged := 0;
  ELSIF p_class = 'transactions' THEN
    v_users := ARRAY(SELECT u.id FROM public.users u
      WHERE u.id = ANY(ARRAY(SELECT a.user_id FROM public.accounts a WHERE a.id = ANY(v_due)))
      ORDER BY u.id FOR NO KEY UPDATE SKIP LOCKED);
    WITH due AS MATERIALIZED (
      SELECT t.id FROM public.accounts a CROSS JOIN LATERAL (
        SELECT r.id FROM public.transactions r WHERE r.account_id = a.id AND r.date < v_before::date
        ORDER BY r.date, r.id LIMIT p_limit) t
      WHERE a.id = ANY(v_due) AND a.user_id = ANY(v_users) LIMIT p_limit
    ), gone AS (
      DELETE FROM public.transactions t USING due WHERE t.id = due.id AND t.date < v_before::date
      RETURNING t.user_id, t.id, t.removed_at IS NULL AS was_listed
    ), listed AS (
      INSERT INTO public.transaction_tombstones (user_id, change_seq, transaction_id, expired)
      SELECT g.user_id, u.change_seq + row_number() OVER (PARTITION BY g.user_id ORDER BY g.id), g.id, g.was_listed
      FROM gone g JOIN public.users u ON u.id = g.user_id
    ), counted AS (
      UPDATE public.users u SET change_seq = u.change_seq + c.n
      FROM (SELECT g.user_id, count(*) AS n FROM gone g GROUP BY g.user_id) c WHERE u.id = c.user_id RETURNING u.id, c.n
    )
    SELECT coalesce(sum(n), 0), coalesce(array_agg(id), '{}') INTO purged, v_users FROM counted;
    PERFORM app.trim_tombstones(u, p_keep_removals) FROM unnest(v_users) u;
  ELSE
    EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY(ARRAY(
        SELECT r.ctid FROM unnest($2) a CROSS JOIN LATERAL (
          SELECT r.ctid FROM %1$s r WHERE r.account_id = a AND %2$s LIMIT $3 FOR UPDATE SKIP LOCKED) r
        LIMIT $3))', v_rule.relation, v_rule.condition)
    USING v_before, v_due, p_limit;
    GET DIAGNOSTICS purged = ROW_COUNT;
  END IF;
  scanned_to := CASE
    WHEN purged >= p_limit THEN p_after
    WHEN cardinality(v_accounts) = p_accounts THEN v_accounts[p_accounts] END;
END
$$;
--> statement-breakpoint
-- Deletes at most p_limit removals of the change feed that are due, of each user in the order of their numbers, and remembers
-- up to which number: a client that has not read so far begins again. Users whose row is held are left out.
CREATE FUNCTION app.purge_removals(p_days integer, p_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_before timestamptz;
  v_user uuid;
  v_count bigint;
  v_total bigint := 0;
BEGIN
  SELECT app.kept_from(p_days, r.floor_days) INTO v_before FROM app.retention_rule('transaction_tombstones') r;
  FOR v_user IN SELECT u.id FROM public.users u WHERE u.id = ANY(ARRAY(
      SELECT t.user_id FROM public.transaction_tombstones t WHERE t.created_at < v_before ORDER BY t.created_at LIMIT p_limit))
    ORDER BY u.id FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    EXIT WHEN v_total >= p_limit;
    WITH gone AS (
      DELETE FROM public.transaction_tombstones t WHERE t.user_id = v_user AND t.change_seq = ANY(ARRAY(
        SELECT k.change_seq FROM public.transaction_tombstones k WHERE k.user_id = v_user AND k.change_seq <= (
          SELECT max(o.change_seq) FROM public.transaction_tombstones o WHERE o.user_id = v_user AND o.created_at < v_before)
        ORDER BY k.change_seq LIMIT p_limit - v_total))
      RETURNING t.change_seq
    ), kept AS (
      UPDATE public.users u SET changes_from = greatest(u.changes_from, (SELECT max(g.change_seq) FROM gone g))
      WHERE u.id = v_user
    )
    SELECT count(*) INTO v_count FROM gone;
    v_total := v_total + v_count;
  END LOOP;
  RETURN v_total;
END
$$;
--> statement-breakpoint
-- Deletes at most p_limit rows of each kind that have expired.
CREATE FUNCTION identity.purge_expired(p_limit integer, OUT class text, OUT purged bigint) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM identity.registrations WHERE token_hash = ANY(ARRAY(SELECT r.token_hash FROM identity.registrations r
    WHERE r.expires_at < now() ORDER BY r.expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS purged = ROW_COUNT;
  class := 'registrations';
  RETURN NEXT;
  DELETE FROM identity.password_resets WHERE token_hash = ANY(ARRAY(SELECT r.token_hash FROM identity.password_resets r
    WHERE r.expires_at < now() ORDER BY r.expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS purged = ROW_COUNT;
  class := 'password_resets';
  RETURN NEXT;
  DELETE FROM identity.throttles WHERE key = ANY(ARRAY(SELECT t.key FROM identity.throttles t
    WHERE t.expires_at < now() ORDER BY t.expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS purged = ROW_COUNT;
  class := 'throttles';
  RETURN NEXT;
  DELETE FROM identity.sessions WHERE id = ANY(ARRAY(SELECT s.id FROM identity.sessions s
    WHERE s.idle_expires_at < now() ORDER BY s.idle_expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS purged = ROW_COUNT;
  class := 'sessions';
  RETURN NEXT;
END
$$;
--> statement-breakpoint
CREATE FUNCTION identity.count_expired(p_limit integer, OUT class text, OUT due bigint) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'registrations', count(*) FROM (SELECT FROM identity.registrations WHERE expires_at < now() LIMIT p_limit) r
  UNION ALL
  SELECT 'password_resets', count(*) FROM (SELECT FROM identity.password_resets WHERE expires_at < now() LIMIT p_limit) r
  UNION ALL
  SELECT 'throttles', count(*) FROM (SELECT FROM identity.throttles WHERE expires_at < now() LIMIT p_limit) r
  UNION ALL
  SELECT 'sessions', count(*) FROM (SELECT FROM identity.sessions WHERE idle_expires_at < now() LIMIT p_limit) r
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.retention_rule(text), app.kept_from(integer, integer), app.count_expired(text, integer, integer),
  app.purge_rows(text, integer, integer), app.purge_history(text, integer, uuid, integer, integer, integer),
  app.purge_removals(integer, integer), identity.purge_expired(integer), identity.count_expired(integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.count_expired(text, integer, integer), app.purge_rows(text, integer, integer),
  app.purge_history(text, integer, uuid, integer, integer, integer), app.purge_removals(integer, integer) TO wn_jobs;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION identity.purge_expired(integer), identity.count_expired(integer) TO wn_identity;
