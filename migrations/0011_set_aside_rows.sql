CREATE TABLE "set_aside_rows" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"item_id" uuid NOT NULL,
	"product" text NOT NULL,
	"kind" text NOT NULL,
	"row_key" text NOT NULL,
	"plaid_account_id" text,
	"problems" text[] NOT NULL,
	"payload" jsonb,
	"run_id" uuid NOT NULL,
	"first_seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "set_aside_rows_row" UNIQUE("item_id","product","kind","row_key")
);
--> statement-breakpoint
ALTER TABLE "holding_days" ALTER COLUMN "institution_price" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "holdings" ALTER COLUMN "institution_price" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "investment_staging" ALTER COLUMN "price" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "investment_transactions" ALTER COLUMN "price" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "sync_runs" ADD COLUMN "set_aside" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "set_aside_rows" ADD CONSTRAINT "set_aside_rows_owner" FOREIGN KEY ("item_id","user_id") REFERENCES "public"."items"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "set_aside_rows_user" ON "set_aside_rows" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "set_aside_rows_first_seen" ON "set_aside_rows" USING btree ("first_seen_at","id");
--> statement-breakpoint
ALTER TABLE set_aside_rows ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY own_rows ON set_aside_rows TO wn_api USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY all_rows ON set_aside_rows TO wn_jobs USING (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON set_aside_rows TO wn_jobs;
