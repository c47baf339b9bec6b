-- Each login loses the rights that no statement of it uses.
--
-- Of an item users change what was announced of it and begin a rotation; the rest is for jobs.
REVOKE UPDATE ON items, link_exchanges FROM wn_api;
--> statement-breakpoint
GRANT UPDATE (new_accounts_available, disconnect_at, rotation_started_at, rotation_owner, updated_at) ON items TO wn_api;
--> statement-breakpoint
GRANT UPDATE (state, plaid_item_id, access_token_sealed, next_attempt_at, updated_at) ON link_exchanges TO wn_api;
--> statement-breakpoint
REVOKE ALL ON plaid_removals FROM wn_api;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION app.renumber_item(uuid) FROM wn_api;
--> statement-breakpoint
-- Users are made by `app.enter` alone, and what identifies them does not change.
REVOKE INSERT, UPDATE ON users FROM wn_jobs;
--> statement-breakpoint
GRANT UPDATE (change_seq, plaid_items_checked_at) ON users TO wn_jobs;
--> statement-breakpoint
-- What is written once.
REVOKE UPDATE ON sync_runs, webhook_events, sync_staging FROM wn_jobs;
