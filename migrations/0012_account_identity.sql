ALTER TABLE "accounts" ADD COLUMN "duplicate_of" uuid;--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "duplicate_state" text;--> statement-breakpoint
ALTER TABLE "items" ADD COLUMN "lost_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_duplicate_of_accounts_id_fk" FOREIGN KEY ("duplicate_of") REFERENCES "public"."accounts"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "accounts_duplicate" ON "accounts" USING btree ("duplicate_of");--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_duplicate_state" CHECK (duplicate_state in ('possible', 'same', 'kept'));