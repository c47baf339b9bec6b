-- The deliveries of the endpoints of administrators, in the order of their pages.
CREATE INDEX "webhook_deliveries_everyone" ON "webhook_deliveries" USING btree ("created_at","id") WHERE owner_id is null and application_id is null;
