CREATE TABLE "changes" (
	"user_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"kind" text NOT NULL,
	"row_id" uuid NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "changes_number" PRIMARY KEY("user_id","seq"),
	CONSTRAINT "changes_row" UNIQUE("row_id","kind"),
	CONSTRAINT "changes_kind" CHECK (kind in ('item', 'account', 'holding', 'investment_transaction', 'liability', 'recurring_stream'))
);
--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "feed_from" bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
-- A random default in this statement would rewrite the table. Users of today have epoch 0.
ALTER TABLE "users" ADD COLUMN "feed_epoch" integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "users" ALTER COLUMN "feed_epoch" SET DEFAULT floor(random() * 2147483647)::integer;
--> statement-breakpoint
ALTER TABLE "changes" ADD CONSTRAINT "changes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
CREATE INDEX "changes_changed" ON "changes" USING btree ("changed_at");
--> statement-breakpoint
ALTER TABLE changes ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY own_rows ON changes TO wn_api USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY all_rows ON changes TO wn_jobs USING (true);
--> statement-breakpoint
-- Written by the triggers of 0101, with the owner's rights.
GRANT SELECT ON changes TO wn_api, wn_jobs;
--> statement-breakpoint
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON changes
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
-- Takes the next p_count numbers of a user's counter. Returns the number before them. A function that numbers rows takes the
-- numbers first: a trigger that runs between its statements takes others.
CREATE FUNCTION app.take_numbers(p_user uuid, p_count bigint) RETURNS bigint
LANGUAGE sql SET search_path = public, pg_temp
AS $$ UPDATE users SET change_seq = change_seq + p_count WHERE id = p_user RETURNING change_seq - p_count $$;
--> statement-breakpoint
-- Keeps a user's newest p_keep changes, and remembers up to which number the others are gone.
CREATE FUNCTION app.trim_changes(p_user uuid, p_keep integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
  WITH gone AS (
    DELETE FROM public.changes c WHERE c.user_id = p_user AND c.seq <= (
      SELECT k.seq FROM public.changes k WHERE k.user_id = p_user ORDER BY k.seq DESC OFFSET greatest(p_keep, 1000) LIMIT 1)
    RETURNING c.seq
  )
  UPDATE public.users u SET feed_from = newest.seq FROM (SELECT max(g.seq) AS seq FROM gone g) newest
  WHERE u.id = p_user AND newest.seq > u.feed_from
$$;
--> statement-breakpoint
-- Gives the named rows of a user the next numbers, each once. Without any, only the counter rises, for a change that is no
-- row of the feed: once in a transaction. Does nothing for a user who is erased, because no client can read that feed.
CREATE FUNCTION app.number_changes(p_user uuid, p_kinds text[], p_ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_count bigint := coalesce(cardinality(p_ids), 0);
  v_to bigint;
BEGIN
  IF v_count = 0 AND current_setting('app.counted_user', true) = p_user::text THEN
    RETURN;
  END IF;
  UPDATE public.users u SET change_seq = u.change_seq + greatest(v_count, 1)
    WHERE u.id = p_user AND u.tokens_valid_from IS DISTINCT FROM 'infinity' RETURNING u.change_seq INTO v_to;
  IF v_to IS NULL THEN
    RETURN;
  END IF;
  PERFORM set_config('app.counted_user', p_user::text, true);
  IF v_count = 0 THEN
    RETURN;
  END IF;
  INSERT INTO public.changes AS c (user_id, seq, kind, row_id, changed_at)
  SELECT p_user, v_to - v_count + r.n, r.kind, r.id, now() FROM unnest(p_kinds, p_ids) WITH ORDINALITY r (kind, id, n)
  ON CONFLICT (row_id, kind) DO UPDATE SET user_id = excluded.user_id, seq = excluded.seq, changed_at = excluded.changed_at;
  -- Sometimes. An account at a busy bank changes as often as it is read.
  IF v_to / 4096 <> (v_to - v_count) / 4096 THEN
    PERFORM app.trim_changes(p_user, 50000);
  END IF;
END
$$;
--> statement-breakpoint
-- Deletes at most p_limit changes that are due, of each user in the order of their numbers, and remembers up to which number:
-- a client that has not read so far begins again. Users whose row is held are left out.
CREATE FUNCTION app.purge_changes(p_days integer, p_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_before timestamptz;
  v_user uuid;
  v_count bigint;
  v_total bigint := 0;
BEGIN
  SELECT app.kept_from(p_days, r.floor_days) INTO v_before FROM app.retention_rule('changes') r;
  FOR v_user IN SELECT u.id FROM public.users u WHERE u.id = ANY(ARRAY(
      SELECT c.user_id FROM public.changes c WHERE c.changed_at < v_before ORDER BY c.changed_at LIMIT p_limit))
    ORDER BY u.id FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    EXIT WHEN v_total >= p_limit;
    WITH gone AS (
      DELETE FROM public.changes c WHERE c.user_id = v_user AND c.seq = ANY(ARRAY(
        SELECT k.seq FROM public.changes k WHERE k.user_id = v_user AND k.seq <= (
          SELECT max(o.seq) FROM public.changes o WHERE o.user_id = v_user AND o.changed_at < v_before)
        ORDER BY k.seq LIMIT p_limit - v_total))
      RETURNING c.seq
    ), kept AS (
      UPDATE public.users u SET feed_from = greatest(u.feed_from, (SELECT max(g.seq) FROM gone g)) WHERE u.id = v_user
    )
    SELECT count(*) INTO v_count FROM gone;
    v_total := v_total + v_count;
  END LOOP;
  RETURN v_total;
END
$$;
--> statement-breakpoint
-- Adds the changes to the classes of app.retention_rule.
DO $$
DECLARE
  v_before text := pg_get_functiondef('app.retention_rule(text)'::regprocedure);
  v_after text := replace(v_before, '(''sync_runs'', ''rows'',', $rule$('changes', 'feed', 'public.changes', 'r.changed_at < $1', 30),
    ('sync_runs', 'rows',$rule$);
BEGIN
  IF v_after = v_before THEN
    RAISE EXCEPTION 'app.retention_rule has no list to extend';
  END IF;
  EXECUTE v_after;
END
$$;
--> statement-breakpoint
-- As before (0032): of every class, only accounts of users whose row could be locked.
CREATE OR REPLACE FUNCTION app.purge_history(p_class text, p_days integer, p_after uuid, p_accounts integer, p_limit integer,
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
  -- The deletion takes numbers of the users' counters.
  v_users := ARRAY(SELECT u.id FROM public.users u
    WHERE u.id = ANY(ARRAY(SELECT a.user_id FROM public.accounts a WHERE a.id = ANY(v_due)))
    ORDER BY u.id FOR NO KEY UPDATE SKIP LOCKED);
  v_due := (SELECT array_agg(a.id) FROM public.accounts a WHERE a.id = ANY(v_due) AND a.user_id = ANY(v_users));
  IF v_due IS NULL THEN
    purged := 0;
  ELSIF p_class = 'transactions' THEN
    WITH due AS MATERIALIZED (
      SELECT t.id FROM public.accounts a CROSS JOIN LATERAL (
        SELECT r.id FROM public.transactions r WHERE r.account_id = a.id AND r.date < v_before::date
        ORDER BY r.date, r.id LIMIT p_limit) t
      WHERE a.id = ANY(v_due) LIMIT p_limit
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
-- As before (0008, 0013), with numbers from app.take_numbers.
CREATE OR REPLACE FUNCTION app.renumber_item(p_item uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_user uuid;
  v_from bigint;
  v_count bigint;
BEGIN
  SELECT u.id INTO v_user FROM users u JOIN items i ON i.user_id = u.id WHERE i.id = p_item
    FOR NO KEY UPDATE OF u;
  IF v_user IS NULL THEN
    RETURN;
  END IF;
  SELECT count(*) INTO v_count FROM transactions WHERE item_id = p_item AND removed_at IS NULL;
  v_from := app.take_numbers(v_user, v_count);
  UPDATE transactions t SET change_seq = v_from + o.n FROM (
    SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM transactions WHERE item_id = p_item AND removed_at IS NULL
  ) o WHERE t.id = o.id;
END
$$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION app.hide_account(p_account uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_user uuid;
  v_from bigint;
  v_count bigint;
BEGIN
  SELECT u.id INTO v_user FROM users u JOIN accounts a ON a.user_id = u.id WHERE a.id = p_account
    FOR NO KEY UPDATE OF u;
  SELECT count(*) INTO v_count FROM transactions WHERE account_id = p_account AND removed_at IS NULL;
  v_from := app.take_numbers(v_user, v_count);
  UPDATE transactions t SET change_seq = v_from + o.n, removed_at = now(), updated_at = now() FROM (
    SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM transactions WHERE account_id = p_account AND removed_at IS NULL
  ) o WHERE t.id = o.id;
END
$$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION app.move_account(p_account uuid, p_item uuid, p_plaid_account_id text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET enable_nestloop = on SET jit = off
AS $$
DECLARE
  v_user uuid;
  v_from bigint;
  v_count bigint := 0;
  v_appears_or_goes boolean;
BEGIN
  SELECT u.id, (i.removed_at IS NULL) <> (t.removed_at IS NULL) INTO v_user, v_appears_or_goes
    FROM accounts a JOIN users u ON u.id = a.user_id JOIN items i ON i.id = a.item_id JOIN items t ON t.id = p_item
    WHERE a.id = p_account FOR NO KEY UPDATE OF u;
  SET CONSTRAINTS transactions_owner, recurring_streams_owner, holdings_owner, investment_transactions_owner, liabilities_owner DEFERRED;
  UPDATE accounts SET item_id = p_item, plaid_account_id = p_plaid_account_id,
    link_epoch = (SELECT link_epoch FROM items WHERE id = p_item), updated_at = now() WHERE id = p_account;
  -- From a removed item to a live one, or back: the API begins or ends to show them.
  IF v_appears_or_goes THEN
    SELECT count(*) INTO v_count FROM transactions WHERE account_id = p_account AND removed_at IS NULL;
    v_from := app.take_numbers(v_user, v_count);
    UPDATE transactions t SET change_seq = v_from + o.n FROM (
      SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM transactions WHERE account_id = p_account AND removed_at IS NULL
    ) o WHERE t.id = o.id;
  END IF;
  UPDATE transactions SET item_id = p_item, link_epoch = -1 WHERE account_id = p_account;
  UPDATE investment_transactions SET item_id = p_item, link_epoch = -1 WHERE account_id = p_account;
  UPDATE holdings SET item_id = p_item WHERE account_id = p_account;
  UPDATE liabilities SET item_id = p_item WHERE account_id = p_account;
  UPDATE recurring_streams SET item_id = p_item WHERE account_id = p_account;
  SET CONSTRAINTS transactions_owner, recurring_streams_owner, holdings_owner, investment_transactions_owner, liabilities_owner IMMEDIATE;
END
$$;
--> statement-breakpoint
-- As before, but the user's edits of both accounts stay.
CREATE OR REPLACE FUNCTION app.merge_accounts(p_earlier uuid, p_later uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_nestloop = on SET jit = off
AS $$
DECLARE
  v_earlier public.accounts%ROWTYPE;
  v_later public.accounts%ROWTYPE;
  v_from bigint;
  v_old uuid[];
  v_new uuid[];
  v_gone uuid[];
  v_pairs bigint;
  v_count bigint;
BEGIN
  SELECT * INTO v_later FROM public.accounts WHERE id = p_later;
  PERFORM FROM public.users u WHERE u.id = v_later.user_id FOR NO KEY UPDATE;
  SELECT * INTO v_earlier FROM public.accounts WHERE id = p_earlier AND user_id = v_later.user_id;
  IF v_earlier.id IS NULL OR v_later.id IS NULL OR v_earlier.id = v_later.id THEN
    RAISE EXCEPTION 'no two accounts of one user' USING ERRCODE = 'WN006';
  END IF;
  -- Of one that its user had taken back and shares again, what was hidden with it is there again.
  SELECT count(*) INTO v_count FROM public.transactions WHERE account_id = p_earlier AND removed_at >= v_earlier.revoked_at;
  v_from := app.take_numbers(v_later.user_id, v_count);
  UPDATE public.transactions t SET removed_at = NULL, change_seq = v_from + o.n, updated_at = now() FROM (
    SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM public.transactions WHERE account_id = p_earlier AND removed_at >= v_earlier.revoked_at
  ) o WHERE t.id = o.id;
  SELECT coalesce(array_agg(p.earlier_id ORDER BY p.earlier_id), '{}'), coalesce(array_agg(p.later_id ORDER BY p.earlier_id), '{}')
    INTO v_old, v_new FROM app.same_transactions(p_earlier, p_later) p;
  v_pairs := cardinality(v_old);
  SELECT coalesce(array_agg(t.id ORDER BY t.date, t.id), '{}') INTO v_gone FROM public.transactions t
    WHERE t.account_id = p_earlier AND t.removed_at IS NULL AND t.id NOT IN (SELECT unnest(v_old))
      AND (t.pending OR t.date >= (SELECT min(date) FROM public.transactions WHERE account_id = p_later AND removed_at IS NULL))
      -- They may be among those that could not be read.
      AND NOT EXISTS (SELECT 1 FROM public.set_aside_rows s WHERE s.item_id = v_later.item_id AND s.product = 'transactions' AND s.kind = 'transaction');
  PERFORM app.move_account(p_earlier, v_later.item_id, 'merged ' || p_earlier);
  v_from := app.take_numbers(v_later.user_id, cardinality(v_gone));
  UPDATE public.transactions t SET removed_at = now(), updated_at = now(), change_seq = v_from + g.n
    FROM unnest(v_gone) WITH ORDINALITY g (id, n) WHERE t.id = g.id;
  v_from := app.take_numbers(v_later.user_id, 2 * v_pairs);
  -- The later row stays, under the earlier one's id and with its edits. The feed reports the later id as removed.
  INSERT INTO public.transaction_tombstones (user_id, change_seq, transaction_id)
    SELECT v_later.user_id, v_from + n, id FROM unnest(v_new) WITH ORDINALITY p (id, n);
  WITH pair AS (
    SELECT * FROM unnest(v_old, v_new) WITH ORDINALITY p (old, new, n)
  ), earlier AS (
    DELETE FROM public.transactions t USING pair WHERE t.id = pair.old
    RETURNING t.id, t.note, t.user_category, t.hidden, t.created_at, pair.new, pair.n
  )
  UPDATE public.transactions t SET id = e.id, created_at = e.created_at, updated_at = now(), change_seq = v_from + v_pairs + e.n,
    note = CASE WHEN t.note <> e.note THEN left(e.note || E'\n' || t.note, 2000) ELSE coalesce(t.note, e.note) END,
    user_category = coalesce(t.user_category, e.user_category), hidden = t.hidden OR e.hidden
  FROM earlier e WHERE t.id = e.new;
  SELECT count(*) INTO v_count FROM public.transactions
    WHERE account_id = p_later AND removed_at IS NULL AND id <> ALL (v_old);
  v_from := app.take_numbers(v_later.user_id, v_count);
  UPDATE public.transactions t SET change_seq = v_from + o.n, updated_at = now() FROM (
    SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM public.transactions
    WHERE account_id = p_later AND removed_at IS NULL AND id <> ALL (v_old)
  ) o WHERE t.id = o.id;

  DELETE FROM public.account_balances b WHERE b.account_id = p_earlier
    AND EXISTS (SELECT 1 FROM public.account_balances l WHERE l.account_id = p_later AND l.day = b.day);
  DELETE FROM public.holding_days d WHERE d.account_id = p_earlier
    AND EXISTS (SELECT 1 FROM public.holding_days l WHERE l.account_id = p_later AND l.day = d.day);
  DELETE FROM public.holdings WHERE account_id = p_earlier;
  DELETE FROM public.liabilities WHERE account_id = p_earlier;
  DELETE FROM public.recurring_streams WHERE account_id = p_earlier;
  -- An investment transaction that both have stays under the earlier one's id.
  SELECT coalesce(array_agg(e.id), '{}'), coalesce(array_agg(t.id), '{}') INTO v_old, v_new FROM
    (SELECT *, row_number() OVER (PARTITION BY security_id, date, amount, quantity, type, subtype, name ORDER BY id) AS n
      FROM public.investment_transactions WHERE account_id = p_earlier AND removed_at IS NULL) e
    JOIN (SELECT *, row_number() OVER (PARTITION BY security_id, date, amount, quantity, type, subtype, name ORDER BY id) AS n
      FROM public.investment_transactions WHERE account_id = p_later AND removed_at IS NULL) t
    ON (e.date, e.amount, e.quantity, e.type, e.subtype, e.name, e.n) = (t.date, t.amount, t.quantity, t.type, t.subtype, t.name, t.n)
      AND e.security_id IS NOT DISTINCT FROM t.security_id;
  DELETE FROM public.investment_transactions WHERE id = ANY (v_old);
  UPDATE public.investment_transactions t SET id = p.old FROM unnest(v_old, v_new) p (old, new) WHERE t.id = p.new;

  UPDATE public.transactions SET account_id = p_earlier WHERE account_id = p_later;
  UPDATE public.investment_transactions SET account_id = p_earlier WHERE account_id = p_later;
  UPDATE public.holdings SET account_id = p_earlier WHERE account_id = p_later;
  UPDATE public.holding_days SET account_id = p_earlier WHERE account_id = p_later;
  UPDATE public.liabilities SET account_id = p_earlier WHERE account_id = p_later;
  UPDATE public.recurring_streams SET account_id = p_earlier WHERE account_id = p_later;
  UPDATE public.account_balances SET account_id = p_earlier WHERE account_id = p_later;
  UPDATE public.accounts SET duplicate_of = p_earlier WHERE duplicate_of = p_later AND id <> p_earlier;
  DELETE FROM public.accounts WHERE id = p_later;
  UPDATE public.accounts SET own_name = coalesce(v_later.own_name, own_name), hidden = hidden OR v_later.hidden,
    in_insights = in_insights AND v_later.in_insights, plaid_account_id = v_later.plaid_account_id, name = v_later.name, official_name = v_later.official_name,
    mask = v_later.mask, type = v_later.type, subtype = v_later.subtype, current_balance = v_later.current_balance,
    persistent_account_id = coalesce(v_later.persistent_account_id, persistent_account_id),
    available_balance = v_later.available_balance, credit_limit = v_later.credit_limit,
    iso_currency_code = v_later.iso_currency_code, unofficial_currency_code = v_later.unofficial_currency_code,
    balance_as_of = v_later.balance_as_of, closed = v_later.closed, revoked_at = v_later.revoked_at, updated_at = now()
  WHERE id = p_earlier;

  -- What later syncs report of it is matched with what the earlier row has, as after a new link (src/db/relink.ts): more
  -- of its history may still arrive. Runs that began before cannot commit.
  IF (SELECT link_epoch FROM public.items WHERE id = v_later.item_id) = 0 THEN
    UPDATE public.items SET link_epoch = 1 WHERE id = v_later.item_id;
    UPDATE public.item_products SET lease_owner = NULL, lease_expires_at = NULL WHERE item_id = v_later.item_id AND lease_owner IS NOT NULL;
    UPDATE public.accounts SET link_epoch = 1 WHERE item_id = v_later.item_id;
    UPDATE public.transactions SET link_epoch = 1 WHERE item_id = v_later.item_id AND link_epoch = 0;
    UPDATE public.investment_transactions SET link_epoch = 1 WHERE item_id = v_later.item_id AND link_epoch = 0;
  END IF;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.take_numbers(uuid, bigint), app.trim_changes(uuid, integer),
  app.number_changes(uuid, text[], uuid[]), app.purge_changes(integer, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.take_numbers(uuid, bigint), app.purge_changes(integer, integer) TO wn_jobs;
--> statement-breakpoint
SELECT app.let_backup_read();
