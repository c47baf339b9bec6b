ALTER TABLE "accounts" ADD COLUMN "own_name" text;--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "hidden" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "in_insights" boolean DEFAULT true NOT NULL;--> statement-breakpoint
-- Of an account, users change what they decide themselves.
GRANT UPDATE (own_name, hidden, in_insights, updated_at) ON accounts TO wn_api;
