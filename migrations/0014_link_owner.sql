ALTER TABLE "link_exchanges" ADD COLUMN "plaid_user_id" text;--> statement-breakpoint
ALTER TABLE "link_sessions" ADD COLUMN "plaid_user_id" text;