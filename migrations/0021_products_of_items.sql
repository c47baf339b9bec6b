DROP INDEX "item_products_user";--> statement-breakpoint
CREATE INDEX "item_products_user" ON "item_products" USING btree ("user_id","item_id");