-- A migration of its own: writers wait only while the indexes are built, and readers only for the end.
CREATE INDEX "audit_log_request" ON "audit_log" USING btree ("request_id","at","id");--> statement-breakpoint
CREATE INDEX "link_exchanges_of_item" ON "link_exchanges" USING btree ("item_id","created_at","id");--> statement-breakpoint
CREATE INDEX "link_sessions_of_item" ON "link_sessions" USING btree ("item_id","created_at","id");--> statement-breakpoint
CREATE INDEX "dead_letters_of_product" ON "dead_letters" USING btree ("item_product_id","created_at","id");--> statement-breakpoint
CREATE INDEX "sync_runs_plaid_requests" ON "sync_runs" USING gin ("plaid_request_ids");--> statement-breakpoint
CREATE INDEX "webhook_events_of_item" ON "webhook_events" USING btree ("item_id","received_at","id");--> statement-breakpoint
CREATE INDEX "webhook_events_newest" ON "webhook_events" USING btree ("received_at" NULLS FIRST,"id");--> statement-breakpoint
DROP INDEX "link_exchanges_item";--> statement-breakpoint
DROP INDEX "link_sessions_item";--> statement-breakpoint
DROP INDEX "dead_letters_item_product";--> statement-breakpoint
DROP INDEX "webhook_events_linked_item";--> statement-breakpoint
DROP INDEX "webhook_events_received";
