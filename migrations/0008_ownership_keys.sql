-- How this is ordered: building the indexes and checking the keys reads every row. It took 4 s with 400,000 transactions and 12 s
-- with 1,000,000 (two cores, local disk). Until it is done, other transactions read, and wait with their writes. Only then come
-- the statements that also keep readers out, each of which takes milliseconds.
-- Locked at once and before all else, so that a commit that is under way ends first, and no other waits half done for this one.
LOCK TABLE items, item_products, users, accounts, transactions, holdings, holding_days, investment_transactions, liabilities,
  recurring_streams, sync_runs, webhook_events, dead_letters, link_exchanges, link_sessions, securities IN EXCLUSIVE MODE;
--> statement-breakpoint
CREATE INDEX "accounts_revoked" ON "accounts" USING btree ("revoked_at") WHERE revoked_at is not null;
--> statement-breakpoint
CREATE INDEX "holding_days_security" ON "holding_days" USING btree ("security_id");
--> statement-breakpoint
CREATE INDEX "holdings_security" ON "holdings" USING btree ("security_id");
--> statement-breakpoint
CREATE INDEX "investment_transactions_account_date" ON "investment_transactions" USING btree ("account_id","date","id");
--> statement-breakpoint
CREATE INDEX "investment_transactions_security" ON "investment_transactions" USING btree ("security_id");
--> statement-breakpoint
CREATE INDEX "items_created" ON "items" USING btree ("created_at" NULLS FIRST,"id");
--> statement-breakpoint
CREATE INDEX "items_status" ON "items" USING btree ("status","created_at","id");
--> statement-breakpoint
CREATE INDEX "link_exchanges_item" ON "link_exchanges" USING btree ("item_id");
--> statement-breakpoint
CREATE INDEX "link_sessions_item" ON "link_sessions" USING btree ("item_id");
--> statement-breakpoint
CREATE INDEX "dead_letters_item_product" ON "dead_letters" USING btree ("item_product_id");
--> statement-breakpoint
CREATE INDEX "sync_runs_item_product" ON "sync_runs" USING btree ("item_product_id");
--> statement-breakpoint
CREATE INDEX "webhook_events_linked_item" ON "webhook_events" USING btree ("item_id");
--> statement-breakpoint
CREATE INDEX "recurring_streams_account" ON "recurring_streams" USING btree ("account_id");
--> statement-breakpoint
CREATE INDEX "holdings_user_next" ON "holdings" USING btree ("user_id","account_id","id");
--> statement-breakpoint
CREATE INDEX "investment_transactions_user_date_next" ON "investment_transactions" USING btree ("user_id","date","id") WHERE removed_at is null;
--> statement-breakpoint
CREATE INDEX "liabilities_user_next" ON "liabilities" USING btree ("user_id","account_id","id");
--> statement-breakpoint
CREATE INDEX "sync_runs_started_next" ON "sync_runs" USING btree ("started_at" NULLS FIRST,"id");
--> statement-breakpoint
CREATE INDEX "webhook_events_item_next" ON "webhook_events" USING btree ("plaid_item_id","received_at","id");
--> statement-breakpoint
CREATE INDEX "transactions_account_date_next" ON "transactions" USING btree ("account_id","date","id");
--> statement-breakpoint
-- Before the keys that refer to it.
CREATE UNIQUE INDEX "accounts_owner" ON "accounts" USING btree ("id","item_id","user_id");
--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_item_owner" FOREIGN KEY ("item_id","user_id") REFERENCES "public"."items"("id","user_id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "holdings" ADD CONSTRAINT "holdings_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "investment_transactions" ADD CONSTRAINT "investment_transactions_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "liabilities" ADD CONSTRAINT "liabilities_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "recurring_streams" ADD CONSTRAINT "recurring_streams_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "transactions" ADD CONSTRAINT "transactions_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
-- From here on readers wait too.
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_owner" UNIQUE USING INDEX "accounts_owner";
--> statement-breakpoint
ALTER TABLE "accounts" DROP CONSTRAINT "accounts_user_id_users_id_fk";
--> statement-breakpoint
ALTER TABLE "accounts" DROP CONSTRAINT "accounts_item_id_items_id_fk";
--> statement-breakpoint
ALTER TABLE "holdings" DROP CONSTRAINT "holdings_user_id_users_id_fk";
--> statement-breakpoint
ALTER TABLE "holdings" DROP CONSTRAINT "holdings_item_id_items_id_fk";
--> statement-breakpoint
ALTER TABLE "holdings" DROP CONSTRAINT "holdings_account_id_accounts_id_fk";
--> statement-breakpoint
ALTER TABLE "investment_transactions" DROP CONSTRAINT "investment_transactions_user_id_users_id_fk";
--> statement-breakpoint
ALTER TABLE "investment_transactions" DROP CONSTRAINT "investment_transactions_item_id_items_id_fk";
--> statement-breakpoint
ALTER TABLE "investment_transactions" DROP CONSTRAINT "investment_transactions_account_id_accounts_id_fk";
--> statement-breakpoint
ALTER TABLE "item_products" DROP CONSTRAINT "item_products_item_id_items_id_fk";
--> statement-breakpoint
ALTER TABLE "item_products" DROP CONSTRAINT "item_products_user_id_users_id_fk";
--> statement-breakpoint
ALTER TABLE "liabilities" DROP CONSTRAINT "liabilities_user_id_users_id_fk";
--> statement-breakpoint
ALTER TABLE "liabilities" DROP CONSTRAINT "liabilities_item_id_items_id_fk";
--> statement-breakpoint
ALTER TABLE "liabilities" DROP CONSTRAINT "liabilities_account_id_accounts_id_fk";
--> statement-breakpoint
ALTER TABLE "recurring_streams" DROP CONSTRAINT "recurring_streams_user_id_users_id_fk";
--> statement-breakpoint
ALTER TABLE "recurring_streams" DROP CONSTRAINT "recurring_streams_item_id_items_id_fk";
--> statement-breakpoint
ALTER TABLE "recurring_streams" DROP CONSTRAINT "recurring_streams_account_id_accounts_id_fk";
--> statement-breakpoint
ALTER TABLE "transactions" DROP CONSTRAINT "transactions_user_id_users_id_fk";
--> statement-breakpoint
ALTER TABLE "transactions" DROP CONSTRAINT "transactions_item_id_items_id_fk";
--> statement-breakpoint
ALTER TABLE "transactions" DROP CONSTRAINT "transactions_account_id_accounts_id_fk";
--> statement-breakpoint
DROP INDEX "holdings_user";
--> statement-breakpoint
DROP INDEX "investment_transactions_user_date";
--> statement-breakpoint
DROP INDEX "liabilities_user";
--> statement-breakpoint
DROP INDEX "sync_runs_started";
--> statement-breakpoint
DROP INDEX "webhook_events_item";
--> statement-breakpoint
DROP INDEX "transactions_account_date";
--> statement-breakpoint
ALTER INDEX "holdings_user_next" RENAME TO "holdings_user";
--> statement-breakpoint
ALTER INDEX "investment_transactions_user_date_next" RENAME TO "investment_transactions_user_date";
--> statement-breakpoint
ALTER INDEX "liabilities_user_next" RENAME TO "liabilities_user";
--> statement-breakpoint
ALTER INDEX "sync_runs_started_next" RENAME TO "sync_runs_started";
--> statement-breakpoint
ALTER INDEX "webhook_events_item_next" RENAME TO "webhook_events_item";
--> statement-breakpoint
ALTER INDEX "transactions_account_date_next" RENAME TO "transactions_account_date";
--> statement-breakpoint
-- As before (0004), and row by row through the primary key whatever the statistics say: the planner may otherwise read
-- the transactions of all users for those of one item.
CREATE OR REPLACE FUNCTION app.renumber_item(p_item uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off
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
-- The same for one account.
CREATE OR REPLACE FUNCTION app.hide_account(p_account uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off
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
