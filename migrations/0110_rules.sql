CREATE TABLE "rules" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"contains" text,
	"min_amount" numeric,
	"max_amount" numeric,
	"account_id" uuid,
	"user_category" text,
	"hidden" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "rules_text" CHECK (char_length(contains) between 1 and 200 and char_length(user_category) between 1 and 100),
	CONSTRAINT "rules_condition" CHECK (num_nonnulls(contains, min_amount, max_amount, account_id) > 0),
	CONSTRAINT "rules_action" CHECK (user_category is not null or hidden)
);
--> statement-breakpoint
ALTER TABLE "rules" ADD CONSTRAINT "rules_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rules" ADD CONSTRAINT "rules_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "rules_user" ON "rules" USING btree ("user_id","position","id");--> statement-breakpoint
CREATE INDEX "rules_account" ON "rules" USING btree ("account_id");
--> statement-breakpoint
ALTER TABLE rules ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON rules
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
CREATE POLICY all_rows ON rules TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY own_rows ON rules TO wn_api USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON rules TO wn_api;
--> statement-breakpoint
GRANT UPDATE (position, contains, min_amount, max_amount, account_id, user_category, hidden, updated_at) ON rules TO wn_api;
--> statement-breakpoint
GRANT SELECT ON rules TO wn_jobs;
--> statement-breakpoint
-- As before (0100), and the marks of who gave a value, and the rules about the account, stay. A value that the user set comes
-- before one of a rule, and of two equal ones that of the later row.
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
  -- The mark of a value that the user set (src/db/records/rule-matching.ts).
  v_user CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
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
    RETURNING t.id, t.note, t.user_category, t.category_by, t.hidden, t.hidden_by, t.created_at, pair.new, pair.n
  )
  UPDATE public.transactions t SET id = e.id, created_at = e.created_at, updated_at = now(), change_seq = v_from + v_pairs + e.n,
    note = CASE WHEN t.note <> e.note THEN left(e.note || E'\n' || t.note, 2000) ELSE coalesce(t.note, e.note) END,
    (user_category, category_by) = (SELECT c.value, c.by FROM (VALUES (1, t.user_category, t.category_by), (2, e.user_category, e.category_by))
      c (place, value, by) ORDER BY coalesce(c.by = v_user, c.value IS NOT NULL) DESC, c.value IS NULL, c.place LIMIT 1),
    (hidden, hidden_by) = (SELECT h.value, h.by FROM (VALUES (1, t.hidden, t.hidden_by), (2, e.hidden, e.hidden_by))
      h (place, value, by) ORDER BY coalesce(h.by = v_user, h.value) DESC, NOT h.value, h.place LIMIT 1)
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
  UPDATE public.rules SET account_id = p_earlier WHERE account_id = p_later;
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
SELECT app.let_backup_read();
