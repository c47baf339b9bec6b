-- A migration of its own, so that the table is not locked for its new columns while the index is built.
CREATE INDEX "webhook_deliveries_application" ON "webhook_deliveries" USING btree ("application_id","created_at","id") WHERE application_id is not null;
