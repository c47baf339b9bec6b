-- Number every change of what the API shows (0100), by any writer. A statement that changes nothing that is shown takes no
-- number and locks no user.
--
-- A time of reading alone is no change, or every sync would list rows again: `item_products.last_synced_at`,
-- `items.transactions_updated_at`, `accounts.balance_as_of` and `account_balances.as_of`. The first one is.
--
-- Of a table: TG_ARGV[0] is the kind, TG_ARGV[1] the columns that the API does not show, as an array.
CREATE FUNCTION app.note_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_hidden text[] := TG_ARGV[1]::text[];
  v record;
BEGIN
  IF TG_OP = 'INSERT' THEN
    FOR v IN SELECT n.user_id, array_agg(n.id ORDER BY n.id) AS ids FROM new_rows n GROUP BY 1 ORDER BY 1 LOOP
      PERFORM app.number_changes(v.user_id, array_fill(TG_ARGV[0], ARRAY[cardinality(v.ids)]), v.ids);
    END LOOP;
  ELSIF TG_OP = 'DELETE' THEN
    FOR v IN SELECT o.user_id, array_agg(o.id ORDER BY o.id) AS ids FROM old_rows o GROUP BY 1 ORDER BY 1 LOOP
      PERFORM app.number_changes(v.user_id, array_fill(TG_ARGV[0], ARRAY[cardinality(v.ids)]), v.ids);
    END LOOP;
  ELSE
    FOR v IN
      SELECT coalesce(n.user_id, o.user_id) AS user_id, array_agg(id ORDER BY id) AS ids
      FROM new_rows n FULL JOIN old_rows o USING (id)
      WHERE to_jsonb(n) - v_hidden IS DISTINCT FROM to_jsonb(o) - v_hidden GROUP BY 1 ORDER BY 1
    LOOP
      PERFORM app.number_changes(v.user_id, array_fill(TG_ARGV[0], ARRAY[cardinality(v.ids)]), v.ids);
    END LOOP;
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- Accounts, and what the API shows otherwise when they change: the rows of an account that is revoked or shared again, an item
-- with a possible duplicate, and the accounts that duplicate one that moved to another item.
CREATE FUNCTION app.note_accounts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_hidden text[] := '{updated_at,link_epoch,persistent_account_id,balance_as_of}';
  v record;
BEGIN
  FOR v IN
    WITH changed AS MATERIALIZED (
      SELECT n.user_id, n.id, n.item_id, o.item_id AS old_item_id,
        (n.revoked_at IS NULL) <> (o.revoked_at IS NULL) AS is_hidden_or_shown,
        (n.duplicate_of, n.duplicate_state) IS DISTINCT FROM (o.duplicate_of, o.duplicate_state) OR
          n.item_id <> o.item_id AND n.duplicate_of IS NOT NULL AS is_compared
      FROM new_rows n JOIN old_rows o USING (id)
      WHERE to_jsonb(n) - v_hidden IS DISTINCT FROM to_jsonb(o) - v_hidden
        OR (n.balance_as_of IS NULL) <> (o.balance_as_of IS NULL)
    ), touched AS (
      SELECT user_id, 'account' AS kind, id FROM changed
      UNION SELECT user_id, 'item', item_id FROM changed WHERE is_compared
      UNION SELECT user_id, 'item', old_item_id FROM changed WHERE is_compared
      UNION SELECT c.user_id, 'account', a.id FROM changed c JOIN public.accounts a ON a.duplicate_of = c.id
        WHERE c.item_id <> c.old_item_id
      UNION SELECT c.user_id, 'item', a.item_id FROM changed c JOIN public.accounts a ON a.duplicate_of = c.id
        WHERE c.item_id <> c.old_item_id
      UNION SELECT c.user_id, r.kind, r.id FROM changed c CROSS JOIN LATERAL (
        SELECT 'holding' AS kind, h.id FROM public.holdings h WHERE h.account_id = c.id
        UNION ALL SELECT 'liability', l.id FROM public.liabilities l WHERE l.account_id = c.id
        UNION ALL SELECT 'recurring_stream', s.id FROM public.recurring_streams s WHERE s.account_id = c.id
        UNION ALL SELECT 'investment_transaction', t.id FROM public.investment_transactions t WHERE t.account_id = c.id
      ) r WHERE c.is_hidden_or_shown
    )
    SELECT user_id, array_agg(kind ORDER BY kind, id) AS kinds, array_agg(id ORDER BY kind, id) AS ids
    FROM touched GROUP BY 1 ORDER BY 1
  LOOP
    PERFORM app.number_changes(v.user_id, v.kinds, v.ids);
  END LOOP;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION app.note_other_accounts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v record;
BEGIN
  FOR v IN
    WITH touched AS (
      SELECT user_id, 'account' AS kind, id FROM some_rows
      UNION SELECT user_id, 'item', item_id FROM some_rows WHERE duplicate_of IS NOT NULL
    )
    SELECT user_id, array_agg(kind ORDER BY kind, id) AS kinds, array_agg(id ORDER BY kind, id) AS ids
    FROM touched GROUP BY 1 ORDER BY 1
  LOOP
    PERFORM app.number_changes(v.user_id, v.kinds, v.ids);
  END LOOP;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- An item. When it is hidden or shown again, so are all of its rows, and accounts that duplicate one of its own are shown
-- otherwise. Its transactions have their own numbers (src/db/items/removal.ts).
CREATE FUNCTION app.note_item() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_item uuid := NEW.id;
  v_kinds text[] := ARRAY['item'];
  v_ids uuid[] := ARRAY[v_item];
BEGIN
  IF OLD.removed_at IS NOT NULL AND NEW.removed_at IS NOT NULL THEN
    RETURN NULL;
  END IF;
  IF (OLD.removed_at IS NULL) <> (NEW.removed_at IS NULL) THEN
    WITH touched AS (
      SELECT 'item' AS kind, v_item AS id
      UNION SELECT 'account', a.id FROM public.accounts a WHERE a.item_id = v_item
      UNION SELECT 'account', d.id FROM public.accounts a JOIN public.accounts d ON d.duplicate_of = a.id WHERE a.item_id = v_item
      UNION SELECT 'item', d.item_id FROM public.accounts a JOIN public.accounts d ON d.duplicate_of = a.id WHERE a.item_id = v_item
      UNION SELECT 'holding', h.id FROM public.holdings h WHERE h.item_id = v_item
      UNION SELECT 'liability', l.id FROM public.liabilities l WHERE l.item_id = v_item
      UNION SELECT 'recurring_stream', s.id FROM public.recurring_streams s WHERE s.item_id = v_item
      UNION SELECT 'investment_transaction', t.id FROM public.investment_transactions t WHERE t.item_id = v_item
    )
    SELECT array_agg(kind ORDER BY kind, id), array_agg(id ORDER BY kind, id) INTO v_kinds, v_ids FROM touched;
  END IF;
  PERFORM app.number_changes(NEW.user_id, v_kinds, v_ids);
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- A product as its item shows it. While Plaid refuses it repeatedly, its rows are hidden (src/db/core/columns.ts).
CREATE FUNCTION app.note_product() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_item uuid := NEW.item_id;
  v_kinds text[] := ARRAY['item'];
  v_ids uuid[] := ARRAY[v_item];
BEGIN
  IF (OLD.refusals >= 2) <> (NEW.refusals >= 2) THEN
    SELECT v_kinds || array_agg(r.kind ORDER BY r.id), v_ids || array_agg(r.id ORDER BY r.id) INTO v_kinds, v_ids FROM (
      SELECT 'holding' AS kind, h.id FROM public.holdings h WHERE NEW.product = 'holdings' AND h.item_id = v_item
      UNION ALL SELECT 'liability', l.id FROM public.liabilities l WHERE NEW.product = 'liabilities' AND l.item_id = v_item
      UNION ALL SELECT 'recurring_stream', s.id FROM public.recurring_streams s
        WHERE NEW.product = 'recurring' AND s.item_id = v_item
    ) r;
  END IF;
  PERFORM app.number_changes(NEW.user_id, v_kinds, v_ids);
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION app.note_other_products() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v record;
BEGIN
  FOR v IN SELECT s.user_id, array_agg(DISTINCT s.item_id) AS ids FROM some_rows s GROUP BY 1 ORDER BY 1 LOOP
    PERFORM app.number_changes(v.user_id, array_fill('item'::text, ARRAY[cardinality(v.ids)]), v.ids);
  END LOOP;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- A security is shown in the rows that name it. Its closing price is new on every trading day: it lists the holdings again, and
-- not the investment transactions, of which there can be thousands. The counter rises for them.
CREATE FUNCTION app.note_securities() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_price text[] := '{close_price,close_price_as_of}';
  v record;
BEGIN
  FOR v IN
    WITH changed AS MATERIALIZED (
      SELECT n.user_id, n.id, to_jsonb(n) - v_price IS DISTINCT FROM to_jsonb(o) - v_price AS is_more_than_price
      FROM new_rows n JOIN old_rows o USING (id) WHERE to_jsonb(n) IS DISTINCT FROM to_jsonb(o)
    ), touched AS (
      SELECT DISTINCT c.user_id, NULL AS kind, NULL::uuid AS id FROM changed c
      UNION ALL SELECT h.user_id, 'holding', h.id FROM changed c JOIN public.holdings h ON h.security_id = c.id
      UNION ALL SELECT t.user_id, 'investment_transaction', t.id
        FROM changed c JOIN public.investment_transactions t ON t.security_id = c.id
        WHERE c.is_more_than_price AND t.removed_at IS NULL
    )
    SELECT user_id, array_agg(kind ORDER BY kind, id) FILTER (WHERE id IS NOT NULL) AS kinds,
      array_agg(id ORDER BY kind, id) FILTER (WHERE id IS NOT NULL) AS ids
    FROM touched GROUP BY 1 ORDER BY 1
  LOOP
    PERFORM app.number_changes(v.user_id, v.kinds, v.ids);
  END LOOP;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- A recurring stream lists its transactions that are stored. Transactions number themselves. CASE keeps the planner from a join,
-- for which it would compare each id of the streams with each row: a hash table is built, and only for items with streams.
CREATE FUNCTION app.note_transactions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v record;
BEGIN
  IF TG_OP = 'INSERT' THEN
    FOR v IN
      SELECT s.user_id, array_agg(s.id ORDER BY s.id) AS ids FROM public.recurring_streams s
      WHERE s.item_id = ANY(ARRAY(SELECT DISTINCT n.item_id FROM new_rows n))
        AND EXISTS (SELECT FROM unnest(s.plaid_transaction_ids) p (plaid_id)
          WHERE CASE WHEN p.plaid_id IN (SELECT n.plaid_transaction_id FROM new_rows n) THEN true END)
      GROUP BY 1 ORDER BY 1
    LOOP
      PERFORM app.number_changes(v.user_id, array_fill('recurring_stream'::text, ARRAY[cardinality(v.ids)]), v.ids);
    END LOOP;
  ELSIF TG_OP = 'DELETE' THEN
    FOR v IN
      SELECT s.user_id, array_agg(s.id ORDER BY s.id) AS ids FROM public.recurring_streams s
      WHERE s.item_id = ANY(ARRAY(SELECT DISTINCT o.item_id FROM old_rows o))
        AND EXISTS (SELECT FROM unnest(s.plaid_transaction_ids) p (plaid_id)
          WHERE CASE WHEN p.plaid_id IN (SELECT o.plaid_transaction_id FROM old_rows o WHERE o.removed_at IS NULL)
            THEN true END)
      GROUP BY 1 ORDER BY 1
    LOOP
      PERFORM app.number_changes(v.user_id, array_fill('recurring_stream'::text, ARRAY[cardinality(v.ids)]), v.ids);
    END LOOP;
  ELSE
    FOR v IN
      WITH listed AS MATERIALIZED (
        (SELECT item_id, plaid_transaction_id, id FROM new_rows WHERE removed_at IS NULL
          EXCEPT SELECT item_id, plaid_transaction_id, id FROM old_rows WHERE removed_at IS NULL)
        UNION ALL (SELECT item_id, plaid_transaction_id, id FROM old_rows WHERE removed_at IS NULL
          EXCEPT SELECT item_id, plaid_transaction_id, id FROM new_rows WHERE removed_at IS NULL)
      )
      SELECT s.user_id, array_agg(s.id ORDER BY s.id) AS ids FROM public.recurring_streams s
      WHERE s.item_id = ANY(ARRAY(SELECT DISTINCT t.item_id FROM listed t))
        AND EXISTS (SELECT FROM unnest(s.plaid_transaction_ids) p (plaid_id)
          WHERE CASE WHEN p.plaid_id IN (SELECT t.plaid_transaction_id FROM listed t) THEN true END)
      GROUP BY 1 ORDER BY 1
    LOOP
      PERFORM app.number_changes(v.user_id, array_fill('recurring_stream'::text, ARRAY[cardinality(v.ids)]), v.ids);
    END LOOP;
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- Figures that are no row of the feed: balances and holdings of a day. The counter rises alone: it stands for all that lists show.
CREATE FUNCTION app.note_figures() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user uuid;
BEGIN
  FOR v_user IN SELECT DISTINCT s.user_id FROM some_rows s ORDER BY 1 LOOP
    PERFORM app.number_changes(v_user, '{}', '{}');
  END LOOP;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- The same for balances that were written again.
CREATE FUNCTION app.note_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user uuid;
BEGIN
  FOR v_user IN
    SELECT DISTINCT n.user_id FROM new_rows n LEFT JOIN old_rows o USING (account_id, day)
    WHERE to_jsonb(n) - 'as_of' IS DISTINCT FROM to_jsonb(o) - 'as_of' ORDER BY 1
  LOOP
    PERFORM app.number_changes(v_user, '{}', '{}');
  END LOOP;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- What a user allows decides about answers too.
CREATE FUNCTION app.note_consents() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$ BEGIN NEW.change_seq := NEW.change_seq + 1; RETURN NEW; END $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.note_rows(), app.note_accounts(), app.note_other_accounts(), app.note_item(), app.note_product(),
  app.note_other_products(), app.note_securities(), app.note_transactions(), app.note_figures(), app.note_balances(),
  app.note_consents() FROM PUBLIC;
--> statement-breakpoint
DO $$
DECLARE
  v record;
  v_new text := 'REFERENCING NEW TABLE AS new_rows';
  v_old text := 'REFERENCING OLD TABLE AS old_rows';
  v_both text := 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows';
  v_statement text := 'CREATE TRIGGER %s AFTER %s ON public.%I %s FOR EACH STATEMENT EXECUTE FUNCTION %s';
BEGIN
  FOR v IN SELECT * FROM (VALUES
    ('holdings', 'holding', '{updated_at}'), ('liabilities', 'liability', '{updated_at}'),
    ('recurring_streams', 'recurring_stream', '{updated_at}'),
    ('investment_transactions', 'investment_transaction', '{link_epoch,created_at}')) AS t (name, kind, hidden)
  LOOP
    EXECUTE format(v_statement, 'note_insert', 'INSERT', v.name, v_new, format('app.note_rows(%L, %L)', v.kind, v.hidden));
    EXECUTE format(v_statement, 'note_update', 'UPDATE', v.name, v_both, format('app.note_rows(%L, %L)', v.kind, v.hidden));
    EXECUTE format(v_statement, 'note_delete', 'DELETE', v.name, v_old, format('app.note_rows(%L, %L)', v.kind, v.hidden));
  END LOOP;
  EXECUTE format(v_statement, 'note_insert', 'INSERT', 'accounts', 'REFERENCING NEW TABLE AS some_rows', 'app.note_other_accounts()');
  EXECUTE format(v_statement, 'note_update', 'UPDATE', 'accounts', v_both, 'app.note_accounts()');
  EXECUTE format(v_statement, 'note_delete', 'DELETE', 'accounts', 'REFERENCING OLD TABLE AS some_rows', 'app.note_other_accounts()');
  EXECUTE format(v_statement, 'note_insert', 'INSERT', 'items', v_new, 'app.note_rows(''item'', ''{}'')');
  EXECUTE format(v_statement, 'note_delete', 'DELETE', 'items', v_old, 'app.note_rows(''item'', ''{}'')');
  EXECUTE format(v_statement, 'note_insert', 'INSERT', 'item_products', 'REFERENCING NEW TABLE AS some_rows', 'app.note_other_products()');
  EXECUTE format(v_statement, 'note_delete', 'DELETE', 'item_products', 'REFERENCING OLD TABLE AS some_rows', 'app.note_other_products()');
  EXECUTE format(v_statement, 'note_update', 'UPDATE', 'securities', v_both, 'app.note_securities()');
  EXECUTE format(v_statement, 'note_insert', 'INSERT', 'transactions', v_new, 'app.note_transactions()');
  EXECUTE format(v_statement, 'note_update', 'UPDATE', 'transactions', v_both, 'app.note_transactions()');
  EXECUTE format(v_statement, 'note_delete', 'DELETE', 'transactions', v_old, 'app.note_transactions()');
  FOR v IN SELECT * FROM (VALUES ('account_balances'), ('holding_days')) AS t (name) LOOP
    EXECUTE format(v_statement, 'note_insert', 'INSERT', v.name, 'REFERENCING NEW TABLE AS some_rows', 'app.note_figures()');
    EXECUTE format(v_statement, 'note_delete', 'DELETE', v.name, 'REFERENCING OLD TABLE AS some_rows', 'app.note_figures()');
  END LOOP;
  EXECUTE format(v_statement, 'note_update', 'UPDATE', 'account_balances', v_both, 'app.note_balances()');
  EXECUTE format(v_statement, 'note_update', 'UPDATE', 'holding_days', 'REFERENCING NEW TABLE AS some_rows', 'app.note_figures()');
END
$$;
--> statement-breakpoint
CREATE TRIGGER note_update AFTER UPDATE ON items FOR EACH ROW WHEN (
  to_jsonb(OLD) - '{access_token_sealed,access_token_at,transactions_updated_at,investments_updated_at,updated_at,purge_at,link_epoch,rotation_started_at,rotation_owner,missed_webhooks,missed_webhook_at,lost_at,capabilities,paid_calls_on,paid_calls}'::text[]
  IS DISTINCT FROM
  to_jsonb(NEW) - '{access_token_sealed,access_token_at,transactions_updated_at,investments_updated_at,updated_at,purge_at,link_epoch,rotation_started_at,rotation_owner,missed_webhooks,missed_webhook_at,lost_at,capabilities,paid_calls_on,paid_calls}'::text[]
  OR (OLD.transactions_updated_at IS NULL) <> (NEW.transactions_updated_at IS NULL))
EXECUTE FUNCTION app.note_item();
--> statement-breakpoint
CREATE TRIGGER note_update AFTER UPDATE ON item_products FOR EACH ROW WHEN (
  (OLD.product, OLD.status, OLD.last_synced_at IS NULL, OLD.last_error, OLD.refusals >= 2) IS DISTINCT FROM
  (NEW.product, NEW.status, NEW.last_synced_at IS NULL, NEW.last_error, NEW.refusals >= 2))
EXECUTE FUNCTION app.note_product();
--> statement-breakpoint
CREATE TRIGGER note_consents BEFORE UPDATE OF not_allowed ON users FOR EACH ROW
WHEN (OLD.not_allowed IS DISTINCT FROM NEW.not_allowed) EXECUTE FUNCTION app.note_consents();
