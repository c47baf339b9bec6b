CREATE TABLE "investment_staging" (
	"run_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"plaid_investment_transaction_id" text NOT NULL,
	"plaid_account_id" text NOT NULL,
	"plaid_security_id" text,
	"date" date NOT NULL,
	"name" text NOT NULL,
	"quantity" numeric NOT NULL,
	"amount" numeric NOT NULL,
	"price" numeric NOT NULL,
	"fees" numeric,
	"type" text NOT NULL,
	"subtype" text NOT NULL,
	"iso_currency_code" text,
	"unofficial_currency_code" text,
	"staged_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "investment_staging_row" PRIMARY KEY("run_id","seq")
);
--> statement-breakpoint
ALTER TABLE investment_staging ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY own_rows ON investment_staging TO wn_api USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY all_rows ON investment_staging TO wn_jobs USING (true);
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON investment_staging TO wn_jobs;
--> statement-breakpoint
-- What is staged is deleted soon: dead rows are counted, not measured against the table.
ALTER TABLE investment_staging SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
