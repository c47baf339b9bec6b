ALTER TABLE "link_exchanges" ADD COLUMN "last_error" text;--> statement-breakpoint
CREATE INDEX "plaid_removals_created" ON "plaid_removals" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "plaid_removals_reason" ON "plaid_removals" USING btree ("reason","created_at","id");
