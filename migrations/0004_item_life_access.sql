-- What each login may do with the tables of an item's life, and the numbering of what is hidden or shown again.
GRANT SELECT, INSERT ON link_sessions TO wn_api;
--> statement-breakpoint
GRANT SELECT, UPDATE, DELETE ON link_sessions TO wn_jobs;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON link_exchanges TO wn_api;
--> statement-breakpoint
GRANT SELECT, UPDATE, DELETE ON link_exchanges TO wn_jobs;
--> statement-breakpoint
GRANT SELECT, INSERT ON plaid_removals TO wn_api;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON plaid_removals, recurring_streams, holding_days TO wn_jobs;
--> statement-breakpoint
GRANT SELECT ON recurring_streams, holding_days, transaction_tombstones TO wn_api;
--> statement-breakpoint
GRANT SELECT, INSERT ON transaction_tombstones TO wn_jobs;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON plaid_usage TO wn_jobs;
--> statement-breakpoint
GRANT UPDATE (plaid_user_id) ON users TO wn_api;
--> statement-breakpoint
-- Items come into being where an exchange ends, and end where they are purged: both are the jobs' work now.
REVOKE INSERT, DELETE ON items FROM wn_api;
--> statement-breakpoint
REVOKE INSERT ON item_products FROM wn_api;
--> statement-breakpoint
GRANT DELETE ON items, accounts, securities, dead_letters TO wn_jobs;
--> statement-breakpoint
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['link_sessions', 'link_exchanges', 'plaid_removals', 'recurring_streams', 'holding_days',
    'transaction_tombstones'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_rows ON %I TO wn_api USING (user_id = nullif(current_setting(''app.user_id'', true), '''')::uuid)', t);
    EXECUTE format('CREATE POLICY all_rows ON %I TO wn_jobs USING (true)', t);
  END LOOP;
END
$$;
--> statement-breakpoint
ALTER TABLE plaid_usage ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY all_rows ON plaid_usage TO wn_jobs USING (true);
--> statement-breakpoint
-- Gives every live transaction of an item the next number of its user's counter: the change feed then tells of all of
-- them again, as removed where the item is hidden, as there where it is shown. Locks the user's counter row, so the
-- item's own row has to be locked before.
CREATE FUNCTION app.renumber_item(p_item uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
  v_user uuid;
  v_from bigint;
  v_count bigint;
BEGIN
  SELECT u.id, u.change_seq INTO v_user, v_from FROM users u JOIN items i ON i.user_id = u.id WHERE i.id = p_item
    FOR NO KEY UPDATE OF u;
  IF v_user IS NULL THEN
    RETURN;
  END IF;
  UPDATE transactions t SET change_seq = v_from + o.n FROM (
    SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM transactions WHERE item_id = p_item AND removed_at IS NULL
  ) o WHERE t.id = o.id;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  UPDATE users SET change_seq = change_seq + v_count WHERE id = v_user;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.renumber_item(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.renumber_item(uuid) TO wn_api, wn_jobs;
--> statement-breakpoint
-- Rolls the batch back with that SQLSTATE where the condition holds.
CREATE FUNCTION app.refuse(p_condition boolean, p_code text) RETURNS void LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
  IF p_condition THEN
    RAISE EXCEPTION 'refused' USING ERRCODE = p_code;
  END IF;
END
$$;
--> statement-breakpoint
-- First statement of what ends an exchange of a public token. Locks the item that it is about (where there is one), the
-- exchange and the user's counter row, in this order, and raises WN005 unless the exchange still waits for its end.
CREATE FUNCTION app.begin_link(p_exchange uuid, p_item uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
  v_exchange link_exchanges%ROWTYPE;
BEGIN
  PERFORM 1 FROM items WHERE id = p_item FOR NO KEY UPDATE;
  SELECT * INTO v_exchange FROM link_exchanges WHERE id = p_exchange FOR NO KEY UPDATE;
  IF v_exchange.state IS DISTINCT FROM 'exchanged' THEN
    RAISE EXCEPTION 'exchange ended' USING ERRCODE = 'WN005';
  END IF;
  PERFORM 1 FROM users WHERE id = v_exchange.user_id FOR NO KEY UPDATE;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.refuse(boolean, text), app.begin_link(uuid, uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.refuse(boolean, text), app.begin_link(uuid, uuid) TO wn_jobs;
--> statement-breakpoint
-- Takes the transactions of an account that its user took back from Plaid out of sight, as the bank's own removals are,
-- each with the next number of the user's counter. Locks that row, so the item's own row has to be locked before.
CREATE FUNCTION app.hide_account(p_account uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
  v_user uuid;
  v_from bigint;
  v_count bigint;
BEGIN
  SELECT u.id, u.change_seq INTO v_user, v_from FROM users u JOIN accounts a ON a.user_id = u.id WHERE a.id = p_account
    FOR NO KEY UPDATE OF u;
  UPDATE transactions t SET change_seq = v_from + o.n, removed_at = now(), updated_at = now() FROM (
    SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM transactions WHERE account_id = p_account AND removed_at IS NULL
  ) o WHERE t.id = o.id;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  UPDATE users SET change_seq = change_seq + v_count WHERE id = v_user;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.hide_account(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.hide_account(uuid) TO wn_jobs;
