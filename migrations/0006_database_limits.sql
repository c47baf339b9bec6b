-- What a database needs that restarts about once a week, and whose clients may wait for ever.
--
-- Neon empties unlogged tables at each restart, also between two calls of one run. The commit then took what was left.
ALTER TABLE sync_staging SET LOGGED;
--> statement-breakpoint
-- The counters behind autovacuum begin at zero after each restart too, so the default (a fifth of a table has changed) is
-- reached late or never where a table is large or its rows are updated all the time.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['users', 'items', 'item_products', 'accounts', 'transactions', 'plaid_usage'] LOOP
    EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)', t);
  END LOOP;
END
$$;
--> statement-breakpoint
-- Whatever is staged is deleted soon: dead rows are counted, not measured against the table.
ALTER TABLE sync_staging SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
--> statement-breakpoint
-- A user waits for wn_api, so it gives up early; wn_jobs has the time of a large commit. Both end before the Worker's own
-- deadline (src/db/client.ts). jit: a plan that is forced counts as dear, and compiling it takes seconds (src/db/relink.ts).
ALTER ROLE wn_api SET statement_timeout = '10s';
--> statement-breakpoint
ALTER ROLE wn_api SET lock_timeout = '3s';
--> statement-breakpoint
ALTER ROLE wn_jobs SET statement_timeout = '60s';
--> statement-breakpoint
DO $$
DECLARE
  login text;
BEGIN
  FOREACH login IN ARRAY ARRAY['wn_api', 'wn_jobs'] LOOP
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''15s''', login);
    EXECUTE format('ALTER ROLE %I SET jit = off', login);
  END LOOP;
END
$$;
