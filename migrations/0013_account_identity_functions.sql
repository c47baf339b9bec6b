-- Merges two rows of one account, and moves an account to another item of the same user. The functions set the planner's
-- options themselves: they find rows by an index and join sets by a hash, whatever the statistics are.
ALTER TABLE transactions ALTER CONSTRAINT transactions_owner DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint
ALTER TABLE recurring_streams ALTER CONSTRAINT recurring_streams_owner DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint
ALTER TABLE holdings ALTER CONSTRAINT holdings_owner DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint
ALTER TABLE investment_transactions ALTER CONSTRAINT investment_transactions_owner DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint
ALTER TABLE liabilities ALTER CONSTRAINT liabilities_owner DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint
CREATE FUNCTION app.keep_lost_since() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
  IF NEW.status NOT IN ('relink_required', 'revoked', 'removing', 'removed') THEN
    NEW.lost_since := NULL;
  ELSIF NEW.lost_since IS NULL THEN
    NEW.lost_since := now();
  END IF;
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER items_lost_since BEFORE INSERT OR UPDATE OF status ON items FOR EACH ROW EXECUTE FUNCTION app.keep_lost_since();
--> statement-breakpoint
UPDATE items SET lost_since = coalesce(lost_at, removed_at, updated_at) WHERE status IN ('relink_required', 'revoked', 'removing', 'removed');
--> statement-breakpoint
-- Pairs equal transactions of two accounts, each at most once. Includes recently removed ones of the earlier account, because
-- a bank that reports an account under a new id removes the transactions of the old id. First pairs those that agree in
-- everything, then those of near days (a pending one may have posted), then those that the bank has corrected.
CREATE FUNCTION app.same_transactions(p_earlier uuid, p_later uuid) RETURNS TABLE (earlier_id uuid, later_id uuid)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp SET enable_seqscan = off SET enable_nestloop = off SET jit = off
AS $$
BEGIN
  RETURN QUERY
  WITH earlier AS MATERIALIZED (
    SELECT t.id, t.date, t.amount, t.name, t.pending, coalesce(t.iso_currency_code, t.unofficial_currency_code, '') AS currency
    FROM transactions t WHERE t.account_id = p_earlier AND (t.removed_at IS NULL OR t.removed_at > now() - interval '2 days')
  ), later AS MATERIALIZED (
    SELECT t.id, t.date, t.amount, t.name, t.pending, coalesce(t.iso_currency_code, t.unofficial_currency_code, '') AS currency
    FROM transactions t WHERE t.account_id = p_later AND t.removed_at IS NULL
  ), same AS MATERIALIZED (
    SELECT e.id AS e_id, t.id AS t_id FROM
      (SELECT *, row_number() OVER (PARTITION BY date, amount, name, pending, currency ORDER BY id) AS n FROM earlier) e
      JOIN (SELECT *, row_number() OVER (PARTITION BY date, amount, name, pending, currency ORDER BY id) AS n FROM later) t
      USING (date, amount, name, pending, currency, n)
  ), near AS MATERIALIZED (
    SELECT e.id AS e_id, t.id AS t_id FROM
      (SELECT *, row_number() OVER (PARTITION BY amount, currency ORDER BY date, id) AS n FROM earlier WHERE id NOT IN (SELECT e_id FROM same)) e
      JOIN (SELECT *, row_number() OVER (PARTITION BY amount, currency ORDER BY date, id) AS n FROM later WHERE id NOT IN (SELECT t_id FROM same)) t
      ON (e.amount, e.currency, e.n) = (t.amount, t.currency, t.n) AND abs(e.date - t.date) <= 7
        AND (e.pending OR t.pending OR e.name = t.name OR e.date = t.date)
  ), corrected AS MATERIALIZED (
    SELECT e.id AS e_id, t.id AS t_id FROM
      (SELECT *, row_number() OVER (PARTITION BY date, name, pending ORDER BY id) AS n FROM earlier
        WHERE id NOT IN (SELECT e_id FROM same UNION ALL SELECT e_id FROM near)) e
      JOIN (SELECT *, row_number() OVER (PARTITION BY date, name, pending ORDER BY id) AS n FROM later
        WHERE id NOT IN (SELECT t_id FROM same UNION ALL SELECT t_id FROM near)) t
      USING (date, name, pending, n)
  )
  SELECT e_id, t_id FROM same UNION ALL SELECT e_id, t_id FROM near UNION ALL SELECT e_id, t_id FROM corrected;
END
$$;
--> statement-breakpoint
-- Moves an account to another item of the user and gives it the Plaid id that it has there. Its data count as data of an
-- earlier link. Locks the user's row; requires the lock on the item's row.
CREATE FUNCTION app.move_account(p_account uuid, p_item uuid, p_plaid_account_id text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET enable_nestloop = on SET jit = off
AS $$
DECLARE
  v_user uuid;
  v_from bigint;
  v_count bigint := 0;
  v_hidden boolean;
BEGIN
  SELECT u.id, u.change_seq, i.removed_at IS NOT NULL INTO v_user, v_from, v_hidden
    FROM accounts a JOIN users u ON u.id = a.user_id JOIN items i ON i.id = a.item_id WHERE a.id = p_account FOR NO KEY UPDATE OF u;
  SET CONSTRAINTS transactions_owner, recurring_streams_owner, holdings_owner, investment_transactions_owner, liabilities_owner DEFERRED;
  UPDATE accounts SET item_id = p_item, plaid_account_id = p_plaid_account_id,
    link_epoch = (SELECT link_epoch FROM items WHERE id = p_item), updated_at = now() WHERE id = p_account;
  IF v_hidden THEN
    UPDATE transactions t SET change_seq = v_from + o.n FROM (
      SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM transactions WHERE account_id = p_account AND removed_at IS NULL
    ) o WHERE t.id = o.id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    UPDATE users SET change_seq = change_seq + v_count WHERE id = v_user;
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
-- Merges two rows of one account: `p_later`, which a bank reports now, into `p_earlier`, which keeps its id, notes, categories
-- and history. Transactions of both become one. Earlier transactions in the period of the later ones that have no
-- counterpart are removed, as after a new link. Locks as `move_account` does. Runs with the owner's rights, because the
-- jobs' login may not delete transactions or balances.
CREATE FUNCTION app.merge_accounts(p_earlier uuid, p_later uuid) RETURNS void
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
BEGIN
  SELECT * INTO v_later FROM public.accounts WHERE id = p_later;
  SELECT u.change_seq INTO v_from FROM public.users u WHERE u.id = v_later.user_id FOR NO KEY UPDATE;
  SELECT * INTO v_earlier FROM public.accounts WHERE id = p_earlier AND user_id = v_later.user_id;
  IF v_earlier.id IS NULL OR v_later.id IS NULL OR v_earlier.id = v_later.id THEN
    RAISE EXCEPTION 'no two accounts of one user' USING ERRCODE = 'WN006';
  END IF;
  -- Of one that its user had taken back and shares again, what was hidden with it is there again.
  UPDATE public.transactions t SET removed_at = NULL, change_seq = v_from + o.n, updated_at = now() FROM (
    SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM public.transactions WHERE account_id = p_earlier AND removed_at >= v_earlier.revoked_at
  ) o WHERE t.id = o.id;
  GET DIAGNOSTICS v_pairs = ROW_COUNT;
  UPDATE public.users SET change_seq = change_seq + v_pairs WHERE id = v_later.user_id;
  SELECT coalesce(array_agg(p.earlier_id ORDER BY p.earlier_id), '{}'), coalesce(array_agg(p.later_id ORDER BY p.earlier_id), '{}')
    INTO v_old, v_new FROM app.same_transactions(p_earlier, p_later) p;
  v_pairs := cardinality(v_old);
  SELECT coalesce(array_agg(t.id ORDER BY t.date, t.id), '{}') INTO v_gone FROM public.transactions t
    WHERE t.account_id = p_earlier AND t.removed_at IS NULL AND t.id NOT IN (SELECT unnest(v_old))
      AND (t.pending OR t.date >= (SELECT min(date) FROM public.transactions WHERE account_id = p_later AND removed_at IS NULL))
      -- They may be among those that could not be read.
      AND NOT EXISTS (SELECT 1 FROM public.set_aside_rows s WHERE s.item_id = v_later.item_id AND s.product = 'transactions' AND s.kind = 'transaction');
  PERFORM app.move_account(p_earlier, v_later.item_id, 'merged ' || p_earlier);
  SELECT change_seq INTO v_from FROM public.users WHERE id = v_later.user_id;
  UPDATE public.transactions t SET removed_at = now(), updated_at = now(), change_seq = v_from + g.n
    FROM unnest(v_gone) WITH ORDINALITY g (id, n) WHERE t.id = g.id;
  v_from := v_from + cardinality(v_gone);
  -- The later row stays, under the earlier one's id and with its edits; the later id is told as removed.
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
  v_from := v_from + 2 * v_pairs;
  UPDATE public.transactions t SET change_seq = v_from + o.n, updated_at = now() FROM (
    SELECT id, row_number() OVER (ORDER BY date, id) AS n FROM public.transactions
    WHERE account_id = p_later AND removed_at IS NULL AND id <> ALL (v_old)
  ) o WHERE t.id = o.id;
  GET DIAGNOSTICS v_pairs = ROW_COUNT;
  UPDATE public.users SET change_seq = v_from + v_pairs WHERE id = v_later.user_id;

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
  UPDATE public.accounts SET plaid_account_id = v_later.plaid_account_id, name = v_later.name, official_name = v_later.official_name,
    mask = v_later.mask, type = v_later.type, subtype = v_later.subtype, current_balance = v_later.current_balance,
    persistent_account_id = coalesce(v_later.persistent_account_id, persistent_account_id),
    available_balance = v_later.available_balance, credit_limit = v_later.credit_limit,
    iso_currency_code = v_later.iso_currency_code, unofficial_currency_code = v_later.unofficial_currency_code,
    balance_as_of = v_later.balance_as_of, closed = v_later.closed, revoked_at = v_later.revoked_at, updated_at = now()
  WHERE id = p_earlier;

  -- What is told of it from now on is matched with what the earlier one brought, as after a new link (src/db/relink.ts): more
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
REVOKE ALL ON FUNCTION app.keep_lost_since(), app.same_transactions(uuid, uuid), app.move_account(uuid, uuid, text), app.merge_accounts(uuid, uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.same_transactions(uuid, uuid), app.move_account(uuid, uuid, text), app.merge_accounts(uuid, uuid) TO wn_jobs;
--> statement-breakpoint
-- Compares new accounts of an item, and those that may duplicate other accounts and are less than a month old, with the user's
-- other accounts by their transactions. Proof that two accounts are the same: at least three equal transactions with at
-- least two amounts, which are four fifths of the transactions of both in the period that both cover. No proof: a trait
-- differs, or the user keeps both. Merges the other account if its bank no longer reports it; otherwise marks the item's
-- account. Requires the locks on the item's row and on the user's row.
CREATE FUNCTION app.settle_duplicates(p_item uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET enable_nestloop = off SET jit = off
AS $$
DECLARE
  v_pair record;
  v_done uuid[] := '{}';
  v_later uuid[];
  v_earlier uuid[];
BEGIN
  SELECT array_agg(a.id) INTO v_later FROM accounts a WHERE a.item_id = p_item AND a.revoked_at IS NULL AND NOT a.closed
    AND a.created_at > now() - CASE WHEN a.duplicate_state = 'possible' THEN interval '30 days' ELSE interval '2 days' END
    AND (a.duplicate_state = 'possible' OR a.duplicate_state IS NULL);
  SELECT array_agg(a.id) INTO v_earlier FROM accounts a
    WHERE a.user_id = (SELECT user_id FROM items WHERE id = p_item) AND a.id <> ALL (v_later)
      AND (a.duplicate_of IS NULL OR a.duplicate_state = 'kept') AND (a.item_id <> p_item OR a.closed);
  IF v_later IS NULL OR v_earlier IS NULL THEN
    RETURN;
  END IF;
  FOR v_pair IN
    WITH earlier AS MATERIALIZED (
      SELECT a.*, a.closed OR i.lost_since IS NOT NULL AS is_past FROM accounts a JOIN items i ON i.id = a.item_id
      WHERE a.id = ANY (v_earlier)
    ), later_rows AS MATERIALIZED (
      SELECT t.account_id, t.date, t.amount, t.name, coalesce(t.iso_currency_code, t.unofficial_currency_code, '') AS currency, count(*) AS n
      FROM transactions t WHERE t.account_id = ANY (v_later) AND t.removed_at IS NULL AND NOT t.pending GROUP BY 1, 2, 3, 4, 5
    ), earlier_rows AS MATERIALIZED (
      SELECT t.account_id, t.date, t.amount, t.name, coalesce(t.iso_currency_code, t.unofficial_currency_code, '') AS currency, count(*) AS n
      FROM transactions t WHERE t.account_id = ANY (v_earlier) AND NOT t.pending
        AND (t.removed_at IS NULL OR t.removed_at > now() - interval '2 days') GROUP BY 1, 2, 3, 4, 5
    ), pairs AS (
      SELECT l.account_id AS later_id, e.account_id AS earlier_id, sum(least(l.n, e.n)) AS equal
      FROM later_rows l JOIN earlier_rows e USING (date, amount, name, currency)
      GROUP BY 1, 2 HAVING sum(least(l.n, e.n)) >= 3 AND count(DISTINCT amount) >= 2
    ), periods AS (
      SELECT p.*, o.is_past,
        greatest((SELECT min(date) FROM later_rows WHERE account_id = later_id), (SELECT min(date) FROM earlier_rows WHERE account_id = earlier_id)) AS since,
        least((SELECT max(date) FROM later_rows WHERE account_id = later_id), (SELECT max(date) FROM earlier_rows WHERE account_id = earlier_id)) AS until
      FROM pairs p JOIN earlier o ON o.id = p.earlier_id JOIN accounts s ON s.id = p.later_id
      WHERE o.type = s.type AND coalesce(o.subtype = s.subtype, true)
        AND coalesce(o.persistent_account_id = s.persistent_account_id, true)
        -- A login that tells one account no more and another mask instead has renumbered it; two logins have two accounts.
        AND (o.item_id = s.item_id OR o.mask = '' OR s.mask = '' OR coalesce(o.mask = s.mask, true))
        AND NOT coalesce(o.duplicate_state = 'kept' AND o.duplicate_of = s.id, false)
    )
    SELECT * FROM periods
    WHERE equal >= 0.8 * (SELECT sum(n) FROM later_rows WHERE account_id = later_id AND date BETWEEN since AND until)
      AND equal >= 0.8 * (SELECT sum(n) FROM earlier_rows WHERE account_id = earlier_id AND date BETWEEN since AND until)
    ORDER BY equal DESC, is_past DESC, later_id, earlier_id
  LOOP
    CONTINUE WHEN v_pair.later_id = ANY (v_done) OR v_pair.earlier_id = ANY (v_done);
    v_done := v_done || v_pair.later_id || v_pair.earlier_id;
    IF v_pair.is_past THEN
      PERFORM app.merge_accounts(v_pair.earlier_id, v_pair.later_id);
    ELSE
      UPDATE accounts SET duplicate_of = v_pair.earlier_id, duplicate_state = 'same', updated_at = now() WHERE id = v_pair.later_id;
      UPDATE accounts SET duplicate_of = v_pair.earlier_id WHERE duplicate_of = v_pair.later_id AND id <> v_pair.earlier_id;
    END IF;
  END LOOP;
END
$$;
--> statement-breakpoint
-- When an account is deleted, its oldest duplicate replaces it as the account that the others duplicate.
CREATE FUNCTION app.hand_on_duplicates() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off
AS $$
BEGIN
  UPDATE accounts SET duplicate_of = heir.id FROM (
    SELECT id FROM accounts WHERE duplicate_of = OLD.id AND duplicate_state <> 'kept' ORDER BY created_at, id LIMIT 1
  ) heir WHERE accounts.duplicate_of = OLD.id AND accounts.duplicate_state <> 'kept' AND accounts.id <> heir.id;
  RETURN OLD;
END
$$;
--> statement-breakpoint
CREATE TRIGGER accounts_hand_on_duplicates BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION app.hand_on_duplicates();
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.hand_on_duplicates(), app.settle_duplicates(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.settle_duplicates(uuid) TO wn_jobs;
