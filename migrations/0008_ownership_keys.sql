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
DROP INDEX "holdings_user";--> statement-breakpoint
DROP INDEX "investment_transactions_user_date";--> statement-breakpoint
DROP INDEX "liabilities_user";--> statement-breakpoint
DROP INDEX "sync_runs_started";--> statement-breakpoint
DROP INDEX "webhook_events_item";--> statement-breakpoint
DROP INDEX "transactions_account_date";--> statement-breakpoint
-- Before the keys that refer to it.
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_owner" UNIQUE("id","item_id","user_id");--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_item_owner" FOREIGN KEY ("item_id","user_id") REFERENCES "public"."items"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holdings" ADD CONSTRAINT "holdings_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "investment_transactions" ADD CONSTRAINT "investment_transactions_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "liabilities" ADD CONSTRAINT "liabilities_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recurring_streams" ADD CONSTRAINT "recurring_streams_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transactions" ADD CONSTRAINT "transactions_owner" FOREIGN KEY ("account_id","item_id","user_id") REFERENCES "public"."accounts"("id","item_id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "accounts_revoked" ON "accounts" USING btree ("revoked_at") WHERE revoked_at is not null;--> statement-breakpoint
CREATE INDEX "holding_days_security" ON "holding_days" USING btree ("security_id");--> statement-breakpoint
CREATE INDEX "holdings_security" ON "holdings" USING btree ("security_id");--> statement-breakpoint
CREATE INDEX "investment_transactions_account_date" ON "investment_transactions" USING btree ("account_id","date","id");--> statement-breakpoint
CREATE INDEX "investment_transactions_security" ON "investment_transactions" USING btree ("security_id");--> statement-breakpoint
CREATE INDEX "items_created" ON "items" USING btree ("created_at" NULLS FIRST,"id");--> statement-breakpoint
CREATE INDEX "items_status" ON "items" USING btree ("status","created_at","id");--> statement-breakpoint
CREATE INDEX "link_exchanges_item" ON "link_exchanges" USING btree ("item_id");--> statement-breakpoint
CREATE INDEX "link_sessions_item" ON "link_sessions" USING btree ("item_id");--> statement-breakpoint
CREATE INDEX "dead_letters_item_product" ON "dead_letters" USING btree ("item_product_id");--> statement-breakpoint
CREATE INDEX "sync_runs_item_product" ON "sync_runs" USING btree ("item_product_id");--> statement-breakpoint
CREATE INDEX "webhook_events_linked_item" ON "webhook_events" USING btree ("item_id");--> statement-breakpoint
CREATE INDEX "recurring_streams_account" ON "recurring_streams" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "holdings_user" ON "holdings" USING btree ("user_id","account_id","id");--> statement-breakpoint
CREATE INDEX "investment_transactions_user_date" ON "investment_transactions" USING btree ("user_id","date","id") WHERE removed_at is null;--> statement-breakpoint
CREATE INDEX "liabilities_user" ON "liabilities" USING btree ("user_id","account_id","id");--> statement-breakpoint
CREATE INDEX "sync_runs_started" ON "sync_runs" USING btree ("started_at" NULLS FIRST,"id");--> statement-breakpoint
CREATE INDEX "webhook_events_item" ON "webhook_events" USING btree ("plaid_item_id","received_at","id");--> statement-breakpoint
CREATE INDEX "transactions_account_date" ON "transactions" USING btree ("account_id","date","id");
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
