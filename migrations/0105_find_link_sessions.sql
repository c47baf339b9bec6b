-- Its writers wait while the indexes are built, so each large table has a migration of its own.
CREATE INDEX "link_exchanges_of_item" ON "link_exchanges" USING btree ("item_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "link_sessions_of_item" ON "link_sessions" USING btree ("item_id","created_at","id");
--> statement-breakpoint
CREATE INDEX "dead_letters_of_product" ON "dead_letters" USING btree ("item_product_id","created_at","id");
--> statement-breakpoint
DROP INDEX "link_exchanges_item";
--> statement-breakpoint
DROP INDEX "link_sessions_item";
--> statement-breakpoint
DROP INDEX "dead_letters_item_product";
