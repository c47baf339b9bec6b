-- Its writers wait while the indexes are built, so each large table has a migration of its own.
CREATE INDEX "audit_log_request" ON "audit_log" USING btree ("request_id","at","id");
