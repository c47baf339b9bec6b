-- As in 0006: the counters behind autovacuum begin at zero after each restart, so the default (a fifth of a table has changed)
-- is reached late or never where a table is large.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['account_balances', 'audit_links', 'audit_log', 'audit_people', 'changes', 'holding_days', 'holdings',
      'investment_transactions', 'liabilities', 'link_sessions', 'recurring_streams', 'securities', 'sync_runs',
      'transaction_tombstones', 'user_visits', 'webhook_deliveries', 'webhook_events'] LOOP
    EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)', t);
  END LOOP;
  -- Their rows are deleted soon: dead rows are counted, not measured against the table.
  FOREACH t IN ARRAY ARRAY['audit_unchained', 'set_aside_rows', 'idempotent_requests'] LOOP
    EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)', t);
  END LOOP;
END
$$;
