-- Its writers wait while the indexes are built, so each large table has a migration of its own.
CREATE INDEX "webhook_events_of_item" ON "webhook_events" USING btree ("item_id","received_at","id");
--> statement-breakpoint
CREATE INDEX "webhook_events_newest" ON "webhook_events" USING btree ("received_at" NULLS FIRST,"id");
--> statement-breakpoint
DROP INDEX "webhook_events_linked_item";
--> statement-breakpoint
DROP INDEX "webhook_events_received";
