ALTER TABLE "sync_staging" ADD COLUMN "category_version" text;--> statement-breakpoint
ALTER TABLE "transactions" ADD COLUMN "category_version" text;