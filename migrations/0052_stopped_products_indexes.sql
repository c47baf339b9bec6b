-- A migration of its own: writers wait only while the indexes are built, and readers only for the end.
CREATE INDEX "item_products_running_due" ON "item_products" USING btree ("next_attempt_at") WHERE dirty_seq > synced_seq and not is_stopped;--> statement-breakpoint
CREATE INDEX "item_products_running_stale" ON "item_products" USING btree ("product","last_synced_at") WHERE not is_stopped;--> statement-breakpoint
DROP INDEX "item_products_due";--> statement-breakpoint
DROP INDEX "item_products_stale";
