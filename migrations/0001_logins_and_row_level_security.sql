-- The Worker's two logins and what each may touch. The owner of the tables is never in the Worker.
-- wn_api acts for one user at a time and sees only that user's rows; wn_jobs serves webhooks, queues and crons.
-- Both are made here without the right to log in; `npm run db:bootstrap` gives them that, and a password.
ALTER TABLE sync_staging SET UNLOGGED;
--> statement-breakpoint
DO $$
DECLARE
  login text;
BEGIN
  FOREACH login IN ARRAY ARRAY['wn_api', 'wn_jobs'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS', login);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL; -- another database of this server made it
    END;
  END LOOP;
END
$$;
--> statement-breakpoint
CREATE SCHEMA app;
--> statement-breakpoint
REVOKE ALL ON SCHEMA public FROM PUBLIC;
--> statement-breakpoint
GRANT USAGE ON SCHEMA public, app TO wn_api, wn_jobs;
--> statement-breakpoint
-- The user of this transaction, or null. STABLE and inlined, so that comparing user_id with it uses the indexes.
CREATE FUNCTION app.user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $$;
--> statement-breakpoint
-- First statement of every batch of wn_api: turns an identity into our user id for this transaction. An identity that
-- is new becomes a user only where p_create says so; otherwise the transaction sees nobody's rows.
CREATE FUNCTION app.enter(p_issuer text, p_subject text, p_create boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user uuid;
BEGIN
  SELECT id INTO v_user FROM public.users WHERE issuer = p_issuer AND subject = p_subject;
  IF v_user IS NULL AND p_create THEN
    INSERT INTO public.users (issuer, subject) VALUES (p_issuer, p_subject)
    ON CONFLICT (issuer, subject) DO NOTHING;
    SELECT id INTO STRICT v_user FROM public.users WHERE issuer = p_issuer AND subject = p_subject;
  END IF;
  PERFORM set_config('app.user_id', coalesce(v_user::text, ''), true);
  RETURN v_user;
END
$$;
--> statement-breakpoint
-- First statement of a sync's commit. Locks the item, the product and the user's counter, in this order (whoever
-- locks more than one row of an item takes the item's first), and raises unless the lease is ours and the cursor is
-- where the run began: then the whole batch rolls back. A run's id is its lease.
-- WN001 lease lost · WN002 this run is committed already · WN003 the item was removed · WN004 the cursor moved
CREATE FUNCTION app.begin_commit(p_item_product uuid, p_lease uuid, p_cursor text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
  v_item items%ROWTYPE;
  v_product item_products%ROWTYPE;
BEGIN
  SELECT i.* INTO v_item FROM items i JOIN item_products p ON p.item_id = i.id WHERE p.id = p_item_product FOR NO KEY UPDATE OF i;
  SELECT * INTO v_product FROM item_products WHERE id = p_item_product FOR NO KEY UPDATE;
  PERFORM 1 FROM sync_runs WHERE id = p_lease;
  IF FOUND THEN
    RAISE EXCEPTION 'run already committed' USING ERRCODE = 'WN002';
  END IF;
  IF v_product.lease_owner IS DISTINCT FROM p_lease THEN
    RAISE EXCEPTION 'lease lost' USING ERRCODE = 'WN001';
  END IF;
  IF v_item.removed_at IS NOT NULL THEN
    RAISE EXCEPTION 'item removed' USING ERRCODE = 'WN003';
  END IF;
  IF v_product.cursor IS DISTINCT FROM p_cursor THEN
    RAISE EXCEPTION 'cursor moved' USING ERRCODE = 'WN004';
  END IF;
  PERFORM 1 FROM users WHERE id = v_product.user_id FOR NO KEY UPDATE;
END
$$;
--> statement-breakpoint
-- How many migrations this database has had, for /ready.
CREATE FUNCTION app.applied_migrations() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN (SELECT count(*) FROM drizzle.__drizzle_migrations); END $$;
--> statement-breakpoint
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA app FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.user_id(), app.applied_migrations() TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.enter(text, text, boolean) TO wn_api;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.begin_commit(uuid, uuid, text) TO wn_jobs;
--> statement-breakpoint
GRANT SELECT ON users, items, item_products, accounts, account_balances, transactions, securities, holdings,
  investment_transactions, liabilities, sync_runs TO wn_api;
--> statement-breakpoint
GRANT UPDATE (change_seq) ON users TO wn_api;
--> statement-breakpoint
GRANT INSERT, UPDATE, DELETE ON items TO wn_api;
--> statement-breakpoint
GRANT INSERT, UPDATE (dirty_seq, next_attempt_at) ON item_products TO wn_api;
--> statement-breakpoint
GRANT UPDATE (note, user_category, hidden, change_seq, updated_at) ON transactions TO wn_api;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON users, items, item_products, accounts, account_balances, transactions, securities,
  holdings, investment_transactions, liabilities, sync_runs, webhook_events, dead_letters, sync_staging TO wn_jobs;
--> statement-breakpoint
GRANT DELETE ON holdings, liabilities, sync_staging TO wn_jobs;
--> statement-breakpoint
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['items', 'item_products', 'accounts', 'account_balances', 'transactions', 'securities',
    'holdings', 'investment_transactions', 'liabilities', 'sync_runs', 'webhook_events', 'sync_staging'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_rows ON %I TO wn_api USING (user_id = nullif(current_setting(''app.user_id'', true), '''')::uuid)', t);
    EXECUTE format('CREATE POLICY all_rows ON %I TO wn_jobs USING (true)', t);
  END LOOP;
END
$$;
--> statement-breakpoint
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY own_rows ON users TO wn_api USING (id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY all_rows ON users TO wn_jobs USING (true);
--> statement-breakpoint
ALTER TABLE dead_letters ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY all_rows ON dead_letters TO wn_jobs USING (true);
