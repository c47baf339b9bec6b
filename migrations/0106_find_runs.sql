-- Its writers wait while the indexes are built, so each large table has a migration of its own.
CREATE INDEX "sync_runs_plaid_requests" ON "sync_runs" USING gin ("plaid_request_ids");
